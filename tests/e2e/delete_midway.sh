#!/usr/bin/env bash
# An Org is deleted, or has just been made, and the server is killed with -9 meanwhile. After the next
# start the server completes the deletion or the creation, and leaves nothing behind. On both runtimes.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
use_docker midway
start_git_server
mkdir plugin org
echo 'name: p' >plugin/plugin.yaml
printf 'name: x\ndefaults: {plugins: [p]}\nworkspaces:\n' >org/org.yaml
printf -- '- name: top\n  children:\n  - {name: left}\n  - {name: right}\n' >>org/org.yaml
make_remote plugin "$WORLD/plugin"
make_remote org "$WORLD/org"
push plugin one >/dev/null
push org one >/dev/null
{
  manifest Plugin p "source: \"git+http://127.0.0.1:$GIT_PORT/plugin.git#main\", interval: 1h"
  manifest OrgTemplate x "interval: 1h, source: {git: {url: \"http://127.0.0.1:$GIT_PORT/org.git\"}}"
} >sources.yaml
manifest Org x "templateRef: {name: x}, defaults: {image: \"$IMAGE\"}" >org.yaml

gone() { ! atelier get org x >/dev/null 2>&1; }
nothing_of_it() {
  [ -z "$(atelier get workspaces,plugininstalls -o name 2>/dev/null)" ] &&
    [ -z "$(ls "$ATELIER_HOME/workspaces")" ] && [ -z "$(ls "$ATELIER_HOME"/processes/units 2>/dev/null)" ] &&
    nothing_of_this_server && ! grep -qzlF "ATELIER_CONFIGS=$WORLD/" /proc/[0-9]*/environ 2>/dev/null
}
round() { # round READY DELAY: made, and when it is ready or not, deleted and killed after a while
  atelier apply -f org.yaml >/dev/null
  if [ "$1" = ready ]; then atelier wait org x --for=condition=Ready --timeout 60s >/dev/null; fi
  atelier delete org x >/dev/null
  sleep "$2"
  kill_server
  start_server
  until_true 60 gone || die "the org is there still"
  expect "something of it is left" nothing_of_it
}
for docker in "$ATELIER_TEST_DOCKER" off; do
  note "with --docker $docker"
  start_server --docker "$docker"
  atelier apply -f sources.yaml >/dev/null
  expect "the template is not compiled" is_ready orgtemplate x
  for delay in 0 0.1 0.5; do round ready "$delay"; done
  for delay in 0 0.3 1; do round begun "$delay"; done
  stop_server
  rm -rf home
done
