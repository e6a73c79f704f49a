#!/usr/bin/env bash
# A template's repository is edited at random and followed for many commits, with faults in git, the
# server and what runs; after each, what runs is compared with what is declared (follow/follow.py).
#   ATELIER_FOLLOW_COMMITS=200 ATELIER_FOLLOW_SEED=7 tests/e2e/follow.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
mkdir -p "$WORLD/home"
make_remote org
start_git_server
seed=()
[ -z "${ATELIER_FOLLOW_SEED:-}" ] || seed=(--seed "$ATELIER_FOLLOW_SEED")
PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/e2e/follow/follow.py" --world "$WORLD" --server "$BIN/atelier" \
  --port "$(free_port)" --git-port "$GIT_PORT" --commits "${ATELIER_FOLLOW_COMMITS:-40}" "${seed[@]}"
