#!/usr/bin/env bash
# A template's repository is edited at random and followed for many commits, with faults in git, the
# server and what runs; after each, what runs is compared with what is declared (follow/follow.py).
# On processes, then for fewer commits in Docker.
#   ATELIER_FOLLOW_COMMITS=200 ATELIER_FOLLOW_DOCKER_COMMITS=0 ATELIER_FOLLOW_SEED=7 tests/e2e/follow.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
start_git_server
seed=()
[ -z "${ATELIER_FOLLOW_SEED:-}" ] || seed=(--seed "$ATELIER_FOLLOW_SEED")
follow() { # follow COMMITS [OPTIONS...]: with a home and a repository that are new
  local commits=$1
  shift
  rm -rf "${WORLD:?}"/{home,work,git/org.git}
  mkdir -p "$WORLD/home"
  make_remote org
  PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/e2e/follow/follow.py" --world "$WORLD" --server "$BIN/atelier" \
    --port "$(free_port)" --git-port "$GIT_PORT" --commits "$commits" "${seed[@]}" "$@"
}
note "on processes"
follow "${ATELIER_FOLLOW_COMMITS:-30}"

in_docker=${ATELIER_FOLLOW_DOCKER_COMMITS:-5}
[ "$in_docker" -gt 0 ] || exit 0
: "${ATELIER_TEST_DOCKER:?a Docker Engine: unix://…}"
note "in Docker"
SOCKET=${ATELIER_TEST_DOCKER#unix://}
IMAGE=atelier-test/follow-$$:latest
SERVICES+=("docker_api DELETE /images/$IMAGE?force=1" remove_what_is_left)
remove_what_is_left() { # after a failure
  local what
  for what in $(units); do docker_api DELETE "/containers/$what?force=1"; done
  for what in $(of_this_server volumes | jq -r '.Volumes[]?.Name'); do docker_api DELETE "/volumes/$what"; done
  for what in $(of_this_server networks | jq -r '.[].Id'); do docker_api DELETE "/networks/$what"; done
}
import_workspace_image "$SOCKET" "$IMAGE" "$BIN/atelier-agent"
follow "$in_docker" --docker "$ATELIER_TEST_DOCKER" --image "$IMAGE"
