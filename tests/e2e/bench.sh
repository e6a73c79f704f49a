#!/usr/bin/env bash
# The measurements work, made very small. What they measure is not looked at here.
set -euo pipefail
exec "$(dirname "$0")/../bench/run" --smoke
