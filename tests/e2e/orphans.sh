#!/usr/bin/env bash
# Fault 17: a server that finds another store than the one its home has worked with holds, and ends nothing
# until it is told that the store is right. Then it ends the units whose Workspace that store does not have.
# Their volumes stay. On processes and in Docker.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
use_docker orphans
SERVICES+=(remove_units_and_volumes)
remove_units_and_volumes() { # a server that does not know them leaves them
  local it
  for it in $(units); do docker_api DELETE "/containers/$it?force=1" || true; done
  for it in $(of_this_server volumes | jq -r '.Volumes[]?.Name'); do docker_api DELETE "/volumes/$it" || true; done
  for it in $(of_this_server networks | jq -r '.[].Id'); do docker_api DELETE "/networks/$it" || true; done
}
start_on() { # start_on STORE [OPTION...]
  local store=$1
  shift
  start_server --docker "$ATELIER_TEST_DOCKER" --image "langgraph=$IMAGE" --store "sqlite:$WORLD/$store.db" "$@"
}
holds() { api "/readyz?verbose" | grep -q -F "[-]store-known"; }
process_runs() { [ -s agent.pid ] && kill -0 "$(cat agent.pid)" 2>/dev/null; }
process_gone() { ! process_runs; }
container_runs() { [ -n "$(running_units)" ]; }
container_gone() { [ -z "$(units)" ]; }

note "two workspaces run, one as a process and one as a container"
start_on first
{
  manifest Workspace as-process "backend: process,
    command: [/bin/sh, -c, 'echo \$\$ >\"$WORLD/agent.pid\"; exec sleep 100000']"
  manifest Workspace as-container "backend: docker, command: [/bin/sh, -c, 'exec sleep 100000']"
} | atelier apply -f - >/dev/null
expect "no process runs" process_runs
expect "no container runs" container_runs

note "they outlive the server; one with another store holds, and ends nothing"
kill_server
process_runs || die "the process went with the server"
start_on second
expect "the server does not hold" holds
grep -q "the store does not have the Workspace of a unit" server.log || die "no unit is named"
sleep 3
process_runs || die "the process was ended"
container_runs || die "the container was ended"
identity=$(grep -o 'accept-store=[0-9a-f-]*' server.log | tail -1)

note "told that the store is right, it ends them"
kill_server
start_on second "--$identity"
expect "the process is left" process_gone
expect "the container is left" container_gone
[ "$(of_this_server volumes | jq '.Volumes | length')" -ge 1 ] || die "the volumes are gone"

note "when they are known again, they run again"
kill_server
start_on first
expect "the process is not back" process_runs
expect "the container is not back" container_runs
