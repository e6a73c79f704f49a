#!/usr/bin/env bash
# A Docker Engine that fails while the server runs: it is killed, stopped in the middle of an answer, or
# absent when the server starts. The server destroys nothing because of that, conditions and events report
# it, and when the engine is back every workspace has exactly one unit.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
start_own_docker
import_workspace_image "$SOCKET" "$IMAGE" "$BIN/atelier-agent"
start_server --docker "unix://$SOCKET"
start_git_server
mkdir plugin org
echo 'name: p' >plugin/plugin.yaml
{ printf 'name: x\nworkspaces:\n'; printf -- '- {name: w%s, plugins: [p]}\n' 1 2 3 4; } >org/org.yaml
make_remote plugin "$WORLD/plugin"
make_remote org "$WORLD/org"
push plugin one >/dev/null
push org one >/dev/null
{
  manifest Plugin p "source: \"git+http://127.0.0.1:$GIT_PORT/plugin.git#main\", interval: 1h"
  manifest OrgTemplate x "interval: 1h, source: {git: {url: \"http://127.0.0.1:$GIT_PORT/org.git\"}}"
  manifest Org x "templateRef: {name: x}, defaults: {image: $IMAGE}"
} >all.yaml
atelier apply -f all.yaml >/dev/null
atelier wait org x --for=condition=Ready --timeout 60s >/dev/null
workspaces=(x-w1 x-w2 x-w3 x-w4)
all() { # all COMMAND...: of each workspace
  local one
  for one in "${workspaces[@]}"; do "$@" "$one" || return 1; done
}
ready() { is_ready workspace "$1"; }
unreachable() {
  has_reason workspace "$1" RuntimeUnreachable && [ "$(condition workspace "$1" Ready status)" = Unknown ]
}
told() { has_event Workspace "$1" RuntimeUnreachable; }
told_back() { has_event Workspace "$1" RuntimeReachable; }
four_run() { [ "$(running_units | wc -l)" = 4 ] && [ "$(units | wc -l)" = 4 ]; }
four_run || die "there are not four units"
volumes=$(of_this_server volumes | jq -r '.Volumes[].Name' | sort)

note "a daemon that is stopped for a while is waited for"
before=$(units)
kill -STOP "$DOCKERD_PID"
docker_is_slow() { ! curl -fsS --max-time 1 --unix-socket "$SOCKET" http://docker/_ping >/dev/null 2>&1; }
expect "dockerd was not stopped" docker_is_slow
[ "$(api /livez)" = ok ] || die "the API waits for Docker"
atelier reconcile workspace x-w1 >/dev/null
kill -CONT "$DOCKERD_PID"
expect "the workspaces are not ready" all ready
[ "$(units)" = "$before" ] || die "units were touched"

note "a daemon that is killed: the conditions say so, and that is all"
kill_own_docker
expect "the conditions do not say so" all unreachable
expect "no events" all told
message_has workspace x-w1 'the runtime "docker" does not answer' || die "it is said otherwise"
not_ready() { [ "$(api /readyz -o /dev/null -w '%{http_code}')" = 503 ]; }
expect "the server says that it is ready" not_ready
[ "$(api /livez)" = ok ] || die "the server is not alive"
kill -0 "$SERVER_PID" || die "the server has ended"
atelier describe workspace x-w1 >/dev/null
atelier apply -f all.yaml >/dev/null

note "it comes back: all of them do, one unit each"
start_own_docker
until_true 60 all ready || die "not all workspaces are ready again"
until_true 30 four_run || die "there are not four units"
expect "no events" all told_back
[ "$(of_this_server volumes | jq -r '.Volumes[].Name' | sort)" = "$volumes" ] || die "the volumes are others"
atelier wait org x --for=condition=Ready --timeout 30s >/dev/null
settled=$(units)

note "a server that starts before the daemon does waits for it"
kill_server
kill_own_docker
start_server
expect "the conditions do not say so" all unreachable
start_own_docker
until_true 60 all ready || die "not all workspaces are ready again"
until_true 30 four_run || die "there are not four units"
[ "$(comm -12 <(units) <(echo "$settled") | wc -l)" -le 4 ] || die "units twice"

note "deleting the org leaves nothing behind"
atelier delete org x --wait --timeout 60s >/dev/null
expect "something is left" nothing_of_this_server
