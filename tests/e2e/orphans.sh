#!/usr/bin/env bash
# Units whose Workspace was removed while the server was down are found at the next start and ended. Their
# volumes stay. On processes and in Docker.
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
start_on() { # start_on STORE
  start_server --docker "$ATELIER_TEST_DOCKER" --image "langgraph=$IMAGE" --store "sqlite:$WORLD/$1.db"
}
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

note "they outlive the server; one that no longer knows them ends them when it starts"
kill_server
process_runs || die "the process went with the server"
start_on second
expect "the process is left" process_gone
expect "the container is left" container_gone
[ "$(of_this_server volumes | jq '.Volumes | length')" -ge 1 ] || die "the volumes are gone"

note "when they are known again, they run again"
kill_server
start_on first
expect "the process is not back" process_runs
expect "the container is not back" container_runs
