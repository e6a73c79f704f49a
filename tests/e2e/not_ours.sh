#!/usr/bin/env bash
# Workspaces on a real Docker Engine beside containers, volumes and networks of somebody else that have the
# names of ours: the server refuses to use them, says so, and leaves them as they are, also when the
# workspace is deleted. And images that do not exist.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
use_docker not-ours
THEIRS=()
SERVICES+=(remove_theirs)
remove_theirs() {
  local path
  for path in "${THEIRS[@]}"; do docker_api DELETE "$path" || true; done
}
start_server --docker "$ATELIER_TEST_DOCKER"
JSON='Content-Type: application/json'

workspace() { # workspace NAME [MORE]: not looked at until it is resumed
  manifest Workspace "$1" "role: tester, suspend: true, ${2:-image: "$IMAGE"}"
}
{
  workspace good
  workspace container
  workspace volume
  workspace missing 'image: "nobody.invalid/has/this:1"'
  workspace wrong 'image: "UPPER/case::x"'
} >all.yaml
atelier apply -f all.yaml >/dev/null
unit_of() { echo "ws-$(field workspace "$1" .metadata.uid | cut -c1-12)"; }

container=$(docker_api POST "/containers/create?name=$(unit_of container)" -H "$JSON" \
  -d "{\"Image\":\"$IMAGE\",\"Labels\":{\"theirs\":\"yes\"}}" | jq -r .Id)
THEIRS+=("/containers/$container?force=1")
docker_api POST "/containers/$container/start" >/dev/null
volume="$(unit_of volume)-configs"
docker_api POST /volumes/create -H "$JSON" -d "{\"Name\":\"$volume\",\"Labels\":{\"theirs\":\"yes\"}}" >/dev/null
THEIRS+=("/volumes/$volume")
theirs_are_there() {
  [ "$(docker_api GET "/containers/$container/json" | jq -r '.State.Status + .Config.Labels.theirs')" = runningyes ] &&
    [ "$(docker_api GET "/volumes/$volume" | jq -r .Labels.theirs)" = yes ]
}
theirs_are_there || die "the things of somebody else are not as they should be"

atelier resume workspace good container volume missing wrong >/dev/null
fails() { # fails NAME REASON WORDS
  expect "workspace $1: $(condition workspace "$1" Ready reason), not $2" has_reason workspace "$1" "$2"
  message_has workspace "$1" "$3" || die "it says $(condition workspace "$1" Ready message)"
  expect "no event for workspace $1" has_event Workspace "$1" "$2"
}
note "each has a condition, and the others run"
fails container Failed "a unit named \"$(unit_of container)\" exists and is not this server's"
fails volume Failed "volume \"$volume\" is there already and does not belong to this server"
fails missing ImageMissing 'image "nobody.invalid/has/this:1" is not here and cannot be pulled'
fails wrong Failed 'image "UPPER/case::x"'
expect "the good one does not run" is_ready workspace good
[ "$(condition workspace missing Stalled status)" = True ] || die "a missing image is not said to wait for somebody"
theirs_are_there || die "the things of somebody else were touched"

note "the mount: the folder of plugins is the server's, and read-only inside"
mount=$(docker_api GET "/containers/$(unit_of good)/json" |
  jq -c '.Mounts[] | select(.Destination == "/configs/plugins")')
folder="$ATELIER_HOME/workspaces/$(field workspace good .metadata.uid)/plugins"
[ "$(jq -r .Source <<<"$mount")" = "$folder" ] || die "$mount"
[ "$(jq -r .RW <<<"$mount")" = false ] || die "it can be written to inside"

note "an image that comes later is found"
docker_api POST "/images/$IMAGE/tag?repo=nobody.invalid/has/this&tag=1" >/dev/null
SERVICES+=("docker_api DELETE /images/nobody.invalid/has/this:1")
atelier reconcile workspace missing >/dev/null
expect "the image is not found" is_ready workspace missing

note "deleted: ours go, the others stay"
atelier delete workspace good container volume missing wrong --wait --timeout 60s >/dev/null
expect "something of ours is left" nothing_of_this_server
theirs_are_there || die "the things of somebody else were touched"

note "a network of our name that is somebody else's"
network="atelier-$(cut -c1-8 "$ATELIER_HOME/instance-id")"
docker_api POST /networks/create -H "$JSON" -d "{\"Name\":\"$network\"}" >/dev/null
THEIRS+=("/networks/$network")
workspace late | sed 's/suspend: true, //' >late.yaml
atelier apply -f late.yaml >/dev/null
fails late Failed "network \"$network\" is there already and does not belong to this server"
atelier delete workspace late --wait --timeout 60s >/dev/null
docker_api GET "/networks/$network" >/dev/null || die "the network of somebody else was removed"
nothing_of_this_server || die "something of ours is left"

note "another server on the same Docker leaves ours alone"
workspace mine | sed 's/suspend: true, //' >mine.yaml
docker_api DELETE "/networks/$network"
atelier apply -f mine.yaml >/dev/null
expect "it does not run" is_ready workspace mine
before=$(units)
beside() { # beside COMMAND...: with a second server, by its kubeconfig
  local port pid
  port=$(free_port)
  atelier server --home "$WORLD/beside" --listen "127.0.0.1:$port" --docker "$ATELIER_TEST_DOCKER" >beside.log 2>&1 &
  pid=$!
  SERVICES+=("kill $pid")
  (
    unset KUBECONFIG
    ATELIER_HOME="$WORLD/beside"
    expect "the second server does not start" atelier healthcheck
    "$@"
  ) >beside.out 2>&1 || { cat beside.out beside.log >&2; die "beside failed"; }
  kill "$pid"
  wait "$pid"
}
of_the_same_name() {
  atelier apply -f mine.yaml
  expect "its workspace does not run" is_ready workspace mine
  atelier delete workspace mine --wait --timeout 60s
}
beside of_the_same_name
[ "$(units)" = "$before" ] || die "the other server touched what is ours"
is_ready workspace mine || die "ours does not run"
