#!/usr/bin/env bash
# scripts/demo on both runtimes, twice: it exits with 0 and leaves nothing behind.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

: "${ATELIER_TEST_DOCKER:?a Docker Engine: unix://…}"
SOCKET=${ATELIER_TEST_DOCKER#unix://}

managed() { # what Docker holds that any Atelier made
  local what=$1
  curl -fsS --unix-socket "$SOCKET" --get "http://docker/$what" \
    --data-urlencode 'filters={"label":["atelier.dev/managed=true"]}' --data all=true
}
nothing_left() {
  [ "$(managed containers/json | jq length)" = 0 ] || die "containers are left"
  [ "$(managed volumes | jq '.Volumes // [] | length')" = 0 ] || die "volumes are left"
  [ "$(managed networks | jq length)" = 0 ] || die "networks are left"
  [ ! -e "$ROOT/build/demo" ] || die "build/demo is left"
  if pgrep -f "$ROOT/build/release/bin/atelier" >/dev/null; then die "processes are left"; fi
}

ATELIER_DEMO_PORT=$(free_port)
ATELIER_DEMO_GIT_PORT=$(free_port)
export ATELIER_DEMO_PORT ATELIER_DEMO_GIT_PORT

for docker in "$ATELIER_TEST_DOCKER" off "$ATELIER_TEST_DOCKER"; do
  note "with --docker $docker"
  began=$SECONDS
  ATELIER_DOCKER=$docker "$ROOT/scripts/demo"
  note "took $((SECONDS - began)) s"
  nothing_left
done

note "interrupted in the middle, it cleans up all the same"
ATELIER_DOCKER=$ATELIER_TEST_DOCKER "$ROOT/scripts/demo" &
demo=$!
for ((i = 0; i < 300; i++)); do
  [ "$(managed containers/json | jq length)" != 0 ] && break
  sleep 0.1
done
kill -TERM "$demo"
wait "$demo" || true
nothing_left
