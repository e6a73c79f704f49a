#!/usr/bin/env bash
# The server repairs what goes wrong outside: a killed container, a deleted one, and its own end by kill -9
# while objects change. A second apply changes nothing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"
cd "$ROOT"

: "${ATELIER_TEST_DOCKER:?a Docker Engine: unix://…}"
SOCKET=${ATELIER_TEST_DOCKER#unix://}
ATELIER_DEMO_PORT=$(free_port)
ATELIER_DEMO_GIT_PORT=$(free_port)
export ATELIER_DEMO_PORT ATELIER_DEMO_GIT_PORT ATELIER_DOCKER=$ATELIER_TEST_DOCKER

ours() { # ids and start times of the running containers of this server, one a line
  local instance
  instance=$(cat "$ATELIER_HOME/instance-id")
  docker_api GET /containers/json --get \
    --data-urlencode "filters={\"label\":[\"atelier.dev/instance=$instance\"],\"status\":[\"running\"]}" |
    jq -r '.[].Id' | sort
}
container_of() { atelier get workspace "$1" -o json | jq -r .status.container; }
running() { [ "$(docker_api GET "/containers/$1/json" 2>/dev/null | jq -r .State.Running)" = true ]; }
start_again() {
  build/release/bin/atelier server --listen "127.0.0.1:$ATELIER_DEMO_PORT" --docker "$ATELIER_DOCKER" \
    >>build/demo/server.log 2>&1 &
  echo $! >build/demo/server.pid
  until_true 30 atelier healthcheck >/dev/null 2>&1 ||
    { tail -20 build/demo/server.log; die "the server did not come back"; }
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

scripts/demo --keep >/dev/null
trap 'scripts/demo --stop >/dev/null 2>&1 || true' EXIT
export ATELIER_HOME="$ROOT/build/demo/home" PATH="$ROOT/build/release/bin:$PATH"

note "a second apply restarts and duplicates nothing"
before=$(ours)
[ "$(wc -l <<<"$before")" -eq 4 ] || die "there are not four containers"
atelier apply -f build/demo/quickstart | tee build/demo/again
grep -vq unchanged build/demo/again && die "the second apply changed something"
atelier reconcile org acme --wait >/dev/null
[ "$(ours)" = "$before" ] || die "containers changed"

note "a killed container runs again"
unit=$(container_of acme-pm)
docker_api POST "/containers/$unit/kill" >/dev/null
until_true 20 running "$unit" || die "the killed container did not come back"

note "a deleted container is made again"
docker_api DELETE "/containers/$unit?force=1" >/dev/null
until_true 20 running "$unit" || die "the deleted container did not come back"

note "a change of one workspace's environment restarts that one alone"
others=$(ours)
atelier get workspace acme-core-be -o json >/dev/null
sed -i 's/^name: Backend Engineer/name: Backend Engineer\nmodel: opus/' build/demo/work/acme-org/core-be/workspace.yaml
git -C build/demo/work/acme-org -c user.name=Test -c user.email=test@example.invalid commit -qam "Another model"
git -C build/demo/work/acme-org push -q origin main
atelier reconcile orgtemplate acme --wait >/dev/null
model() { [ "$(atelier get workspace acme-core-be -o json | jq -r .spec.model)" = opus ]; }
until_true 20 model || die "the new model did not arrive"
changed() { [ "$(comm -13 <(echo "$others") <(ours) | wc -l)" -eq 1 ]; }
until_true 30 changed || die "not exactly one container is new"
atelier wait org acme --for=condition=Ready --timeout 30s >/dev/null
[ "$(comm -12 <(echo "$others") <(ours) | wc -l)" -eq 3 ] || die "other containers were touched"

note "the server is killed with -9, three times, while the template changes"
for i in 1 2 3; do
  echo "Round $i." >>build/demo/work/acme-org/pm/system-prompt.md
  git -C build/demo/work/acme-org -c user.name=Test -c user.email=test@example.invalid commit -qam "Round $i"
  git -C build/demo/work/acme-org push -q origin main
  atelier reconcile orgtemplate acme >/dev/null
  sleep "0.$((i * 2))" # a different moment of the work each time
  killed=$(cat build/demo/server.pid)
  kill -9 "$killed"
  wait "$killed" 2>/dev/null || true # the first is no child of this shell
  until_true 10 is_gone "$killed" || die "the killed server is still there"
  start_again
done
atelier reconcile orgtemplate acme --wait >/dev/null
delivered() {
  docker_api GET "/containers/$(container_of acme-pm)/archive?path=/configs/system-prompt.md" 2>/dev/null |
    tar -xO 2>/dev/null | grep -q 'Round 3'
}
until_true 40 delivered || die "the last version was not delivered"
atelier tree acme -w --until-ready --timeout 30s >/dev/null
[ "$(ours | wc -l)" -eq 4 ] || die "there are not four containers"

note "deleting the org leaves nothing of it behind"
atelier delete org acme --wait --timeout 60s >/dev/null
[ -z "$(ours)" ] || die "containers are left"
