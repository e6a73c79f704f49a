#!/usr/bin/env bash
# Plugins for a Docker Engine that does not share the server's file system: delivered by exec. They are
# installed, updated hot and cold, and uninstalled; a reader inside never sees a mixture of two versions,
# and files that were removed inside are delivered again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
mkdir home
HIDDEN="$WORLD/home"
start_own_docker
import_workspace_image "$SOCKET" "$IMAGE" "$BIN/atelier-agent"
start_server --docker "unix://$SOCKET"
start_git_server
mkdir -p src/skills/{a,b}
echo 'name: p' >src/plugin.yaml
echo 0 | tee src/skills/a/SKILL.md >src/skills/b/SKILL.md
echo planted >src/.complete
make_remote p "$WORLD/src"
push p first >/dev/null
{
  manifest Plugin p "source: \"git+http://127.0.0.1:$GIT_PORT/p.git#main\", track: \"branch:main\", interval: 1h"
  manifest Workspace w "role: tester, plugins: [p], image: $IMAGE"
} >all.yaml
atelier apply -f all.yaml >/dev/null
effective() { [ "$(condition workspace w Effective status)" = True ] && is_ready workspace w; }
until_true 40 effective || die "the workspace is not effective"
[ "$(field workspace w .status.pluginDelivery)" = exec ] || die "it was not carried by exec"

exec_of() { # exec_of JSON COMMAND...: an exec in the unit, by its id
  local how=$1
  shift
  docker_api POST "/containers/$(units)/exec" -H 'Content-Type: application/json' \
    -d "$(jq -nc --argjson how "$how" '$how + {Cmd: $ARGS.positional}' --args -- "$@")" | jq -r .Id
}
inside() { # inside COMMAND...: in the unit; what it prints
  docker_api POST "/exec/$(exec_of '{"AttachStdout": true, "AttachStderr": true, "Tty": true}' "$@")/start" \
    -H 'Content-Type: application/json' -d '{"Tty": true}' | tr -d '\r'
}
inside_alone() { # without waiting for its end
  docker_api POST "/exec/$(exec_of '{}' "$@")/start" -H 'Content-Type: application/json' -d '{"Detach": true}'
}
delivered() { field plugininstall w.p .status.delivered; }
# update MESSAGE: what lies in work/p becomes upstream's, is found, approved and delivered.
update() {
  local found
  push p "$1" >/dev/null
  atelier reconcile plugin p --wait >/dev/null
  found=$(atelier get pluginupdates -o json | jq -r '.items[] | select(.status.phase == "Pending") | .metadata.name')
  atelier approve "$found" >/dev/null
  atelier wait pluginupdate "$found" '--for=jsonpath={.status.phase}=Applied' --timeout 40s >/dev/null
}

note "installed: marked by us, and owned by the agent's user"
[ "$(inside cat /configs/plugins/p/.complete)" = "$(delivered)" ] || die "the marker is another"
[ "$(inside cat /configs/plugins/p/skills/a/SKILL.md)" = 0 ] || die "the content is another"
[ "$(inside ls -nd /configs/plugins/p | awk '{print $3 ":" $4}')" = 1000:1000 ] || die "the owner is another"
[ "$(field workspace w .status.restarts)" = 1 ] || die "a new workspace restarts once here, not otherwise"

note "updated hot, many times, under the eyes of a reader"
unit=$(units)
# shellcheck disable=SC2016
inside_alone sh -c ': >/tmp/seen; while [ ! -e /tmp/enough ]; do
  [ -d /configs/plugins/p ] || echo none >>/tmp/seen
  read m </configs/plugins/p/.complete; read a </configs/plugins/p/skills/a/SKILL.md
  read b </configs/plugins/p/skills/b/SKILL.md; read n </configs/plugins/p/.complete
  [ "$m" != "$n" ] || [ "$a" = "$b" ] || echo mixed $a $b >>/tmp/seen
  echo >>/tmp/looked
done'
for version in 1 2 3; do
  echo "$version" | tee work/p/skills/a/SKILL.md >work/p/skills/b/SKILL.md
  update "Version $version"
  [ "$(inside cat /configs/plugins/p/skills/b/SKILL.md)" = "$version" ] || die "version $version is not there"
  [ "$(inside cat /configs/plugins/p/.complete)" = "$(delivered)" ] || die "the marker is another"
done
expect "the update is not effective" effective
[ "$(units)" = "$unit" ] || die "a hot update replaced the unit"
inside sh -c ': >/tmp/enough' >/dev/null
[ "$(inside sh -c 'cat /tmp/looked' | wc -l)" -gt 50 ] || die "the reader did not read often enough"
seen=$(inside cat /tmp/seen)
[ -z "$seen" ] || die "the reader saw: $seen"
left() { inside find /configs/plugins/.staging /configs/plugins/.previous -mindepth 1; }
[ -z "$(left)" ] || die "leftovers: $(left)"

note "updated cold: restarted once"
restarts=$(field workspace w .status.restarts)
echo rule >work/p/rule.md
update "A new file"
until_true 40 effective || die "the update is not effective"
[ "$(field workspace w .status.restarts)" = $((restarts + 1)) ] || die "not exactly one restart"
[ "$(inside cat /configs/plugins/p/rule.md)" = rule ] || die "the new file is not there"

note "the server is killed in the middle: it is whole all the same"
for version in 4 5; do
  echo "$version" | tee work/p/skills/a/SKILL.md >work/p/skills/b/SKILL.md
  push p "Version $version" >/dev/null
  atelier reconcile plugin p --wait >/dev/null
  found=$(atelier get pluginupdates -o json | jq -r '.items[] | select(.status.phase == "Pending") | .metadata.name')
  atelier approve "$found" >/dev/null
  sleep "0.$((version * 2 - 7))" # a different moment of the work each time
  kill_server
  start_server
  atelier wait pluginupdate "$found" '--for=jsonpath={.status.phase}=Applied' --timeout 40s >/dev/null
  until_true 40 effective || die "version $version is not effective"
  [ "$(inside cat /configs/plugins/p/skills/a/SKILL.md)" = "$version" ] || die "version $version is not there"
  [ "$(inside cat /configs/plugins/p/.complete)" = "$(delivered)" ] || die "the marker is another"
  no_leftovers() { [ -z "$(left)" ]; }
  expect "leftovers" no_leftovers
done

note "what somebody tears out inside comes back"
inside rm -rf /configs/plugins/p >/dev/null
atelier reconcile plugininstall w.p >/dev/null
is_back() { [ "$(inside cat /configs/plugins/p/.complete 2>/dev/null)" = "$(delivered)" ]; }
until_true 40 is_back || die "the plugin did not come back"
until_true 40 effective || die "it is not effective"

note "taken away"
sed -i 's/plugins: \[p\], //' all.yaml
atelier apply -f all.yaml >/dev/null
is_gone() { ! atelier get plugininstall w.p >/dev/null 2>&1 && [ -z "$(inside ls /configs/plugins 2>/dev/null)" ]; }
until_true 40 is_gone || die "the plugin was not taken away"
atelier delete workspace w --wait --timeout 40s >/dev/null
expect "something is left" nothing_of_this_server
