#!/usr/bin/env bash
# The benchmarks run, made very small. Their figures are not checked here.
set -euo pipefail
exec "$(dirname "$0")/../bench/run" --smoke
