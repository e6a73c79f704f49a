#!/usr/bin/env bash
# What runs without a Workspace, because the server was down when the Workspace went, is found at the
# next start and ended. On processes and in Docker. What it worked on stays.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib/common.sh
. "$(dirname "$0")/../../scripts/lib/common.sh"
cd "$ROOT"

: "${ATELIER_TEST_DOCKER:?a Docker Engine: unix://…}"
SOCKET=${ATELIER_TEST_DOCKER#unix://}
export PATH="$ROOT/build/release/bin:$PATH"
IMAGE=atelier-test/orphans:$$

HOME_OF_TEST=$(mktemp -d /tmp/atelier-orphans.XXXXXX)
export ATELIER_HOME="$HOME_OF_TEST/home"
SERVER=
docker_api() {
  local method=$1 path=$2
  shift 2
  curl -fsS --unix-socket "$SOCKET" -X "$method" "$@" "http://docker$path"
}
clean() {
  [ -z "$SERVER" ] || kill -9 "$SERVER" 2>/dev/null || true
  if [ -s "$HOME_OF_TEST/agent.pid" ]; then kill -9 "$(cat "$HOME_OF_TEST/agent.pid")" 2>/dev/null || true; fi
  local filter
  filter="{\"label\":[\"atelier.dev/instance=$(cat "$ATELIER_HOME/instance-id" 2>/dev/null)\"]}"
  for id in $(docker_api GET /containers/json --get --data all=1 --data-urlencode "filters=$filter" | jq -r '.[].Id'); do
    docker_api DELETE "/containers/$id?force=1" >/dev/null || true
  done
  for name in $(docker_api GET /volumes --get --data-urlencode "filters=$filter" | jq -r '.Volumes[]?.Name'); do
    docker_api DELETE "/volumes/$name" >/dev/null || true
  done
  for id in $(docker_api GET /networks --get --data-urlencode "filters=$filter" | jq -r '.[].Id'); do
    docker_api DELETE "/networks/$id" >/dev/null || true
  done
  docker_api DELETE "/images/$IMAGE" >/dev/null 2>&1 || true
  rm -rf "$HOME_OF_TEST"
}
trap clean EXIT

until_true() { # until_true SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}
start_server() { # start_server STORE
  atelier server --listen 127.0.0.1:0 --docker "$ATELIER_TEST_DOCKER" --image "langgraph=$IMAGE" \
    --store "sqlite:$HOME_OF_TEST/$1.db" >>"$HOME_OF_TEST/server.log" 2>&1 &
  SERVER=$!
  until_true 30 atelier healthcheck >/dev/null 2>&1 ||
    { tail "$HOME_OF_TEST/server.log"; die "the server did not start"; }
}
kill_server() {
  kill -9 "$SERVER"
  wait "$SERVER" 2>/dev/null || true
  SERVER=
}
gone() { ! kill -0 "$1" 2>/dev/null; }
container_gone() { ! docker_api GET "/containers/$1/json" >/dev/null 2>&1; }

image=$HOME_OF_TEST/image
mkdir -p "$image/bin"
cp /bin/busybox "$image/bin/busybox"
ln -s busybox "$image/bin/sh" && ln -s busybox "$image/bin/sleep"
tar -C "$image" -cf - . | docker_api POST "/images/create?fromSrc=-&repo=${IMAGE%:*}&tag=${IMAGE#*:}" \
  -H 'Content-Type: application/x-tar' --data-binary @- >/dev/null

note "two workspaces run, one as a process and one as a container"
start_server first
atelier apply -f - <<EOF
apiVersion: atelier.dev/v1alpha1
kind: Workspace
metadata: {name: as-process}
spec:
  backend: process
  command: [/bin/sh, -c, 'echo \$\$ >"$HOME_OF_TEST/agent.pid"; exec sleep 100000']
---
apiVersion: atelier.dev/v1alpha1
kind: Workspace
metadata: {name: as-container}
spec:
  backend: docker
  command: [/bin/sh, -c, 'exec sleep 100000']
EOF
until_true 60 test -s "$HOME_OF_TEST/agent.pid" || { tail "$HOME_OF_TEST/server.log"; die "no process runs"; }
process=$(cat "$HOME_OF_TEST/agent.pid")
container=
container_runs() {
  container=$(atelier get workspace as-container -o json | jq -r '.status.container // ""')
  [ -n "$container" ] && [ "$(docker_api GET "/containers/$container/json" 2>/dev/null | jq -r .State.Running)" = true ]
}
until_true 60 container_runs || { atelier describe workspace as-container; die "no container runs"; }

note "they outlive the server; one that no longer knows them ends them when it starts"
kill_server
kill -0 "$process"
start_server second
until_true 60 gone "$process" || { tail "$HOME_OF_TEST/server.log"; die "the process is left"; }
until_true 60 container_gone "$container" || { tail "$HOME_OF_TEST/server.log"; die "the container is left"; }
volumes=$(docker_api GET /volumes --get --data-urlencode \
  "filters={\"label\":[\"atelier.dev/instance=$(cat "$ATELIER_HOME/instance-id")\"]}" | jq '.Volumes | length')
[ "$volumes" -ge 1 ] || die "the volumes are gone"

note "when they are known again, they run again"
kill_server
: >"$HOME_OF_TEST/agent.pid"
start_server first
until_true 60 test -s "$HOME_OF_TEST/agent.pid" || die "the process is not back"
until_true 60 container_runs || die "the container is not back"
atelier delete workspace as-process as-container --wait --timeout 60s
kill_server
