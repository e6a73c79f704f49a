#!/usr/bin/env bash
# Full disks: the disk of each thing that the server keeps fills up in turn. What runs keeps running,
# conditions report the full disk, and once there is room again the server continues by itself.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
for folder in trees git workspaces; do
  mkdir -p home/$folder
  as_root mount -t tmpfs -o size=2m,mode=755 "atelier-e2e-$folder" home/$folder
  SERVICES+=("as_root umount $WORLD/home/$folder")
done
mkdir database
as_root mount -t tmpfs -o size=4m,mode=755 atelier-e2e-database database
SERVICES+=("as_root umount $WORLD/database")
fill() { dd if=/dev/zero of="$1/filler" bs=1k status=none 2>/dev/null || true; }
free() { rm "$1/filler"; }

start_server --docker off --store "sqlite:$WORLD/database/atelier.db"
start_git_server
mkdir -p src/skills/s
echo 'name: p' >src/plugin.yaml
echo one >src/skills/s/SKILL.md
make_remote p "$WORLD/src"
push p one >/dev/null
{
  manifest Plugin p "source: \"git+http://127.0.0.1:$GIT_PORT/p.git#main\", track: \"branch:main\", interval: 1h"
  manifest Workspace w "role: tester, plugins: [p]"
} >all.yaml
atelier apply -f all.yaml >/dev/null
expect "the workspace is not ready" is_ready workspace w
live() { cat home/workspaces/*/plugins/p/skills/s/SKILL.md; }
is_live() { [ "$(live)" = "$1" ]; }
is_live one || die "the plugin is not there"

note "no room to fetch"
fill home/git
echo two >work/p/skills/s/SKILL.md
head -c 300000 /dev/urandom >work/p/large
push p two >/dev/null
atelier reconcile plugin p >/dev/null
expect "the plugin does not say so" has_reason plugin p DiskFull
message_has plugin p "the disk of the server is full" || die "it is said otherwise"
message_has plugin p "stays in use" || die "it is not said what is used meanwhile"
expect "no event" has_event Plugin p DiskFull
is_ready workspace w || die "the workspace is touched"
free home/git

note "no room to keep what was fetched"
fill home/trees
atelier reconcile plugin p >/dev/null
in_trees() { message_has plugin p 'cannot write "'; }
expect "the plugin does not say so" in_trees
is_ready workspace w || die "the workspace is touched"
free home/trees
atelier reconcile plugin p >/dev/null
expect "the plugin does not recover" is_ready plugin p
update=$(atelier get pluginupdates -o name)
[ "$(wc -l <<<"$update")" = 1 ] || die "not exactly one update"

note "no room to install: what is live stays whole"
fill home/workspaces
atelier approve "${update##*/}" >/dev/null
expect "the install does not say so" has_reason plugininstall w.p DeliveryFailed
message_has plugininstall w.p "the disk is full" || die "it is said otherwise"
expect "no event" has_event PluginInstall w.p DeliveryFailed
is_live one || die "the live plugin was touched"
digest=$(cat home/workspaces/*/plugins/p/.complete)
[ "$digest" = "$(field plugininstall w.p .status.delivered)" ] || die "the marker is another"
free home/workspaces
until_true 60 is_live two || die "the update did not go on when there was room"
atelier wait pluginupdate "${update##*/}" '--for=jsonpath={.status.phase}=Applied' --timeout 30s >/dev/null
[ -z "$(find home/workspaces/*/plugins/.staging home/workspaces/*/plugins/.previous -mindepth 1)" ] || die "leftovers"

note "no room for the database: nothing is acknowledged that is not kept, and reads go on"
expect "the workspace is not ready" is_ready workspace w
fill database
revision() { field configmap "$1" .metadata.resourceVersion; }
made=0
while [ "$made" -lt 200 ]; do
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%s}\ndata: {a: "%s"}\n' "$made" \
    "$(head -c 60000 /dev/urandom | base64 -w0)" >configmap.yaml
  atelier apply -f configmap.yaml >refused 2>&1 || break
  made=$((made + 1))
done
[ "$made" -lt 200 ] || die "the disk did not fill"
says refused "the disk is full"
if grep -qE "SQLite|$WORLD" refused; then die "an answer shows the message of a library"; fi
sed -i 's/name: c[0-9]*/name: last/' configmap.yaml
code=$(api /api/v1/namespaces/default/configmaps -X POST -H 'Content-Type: application/yaml' \
  --data-binary @configmap.yaml -o /dev/null -w '%{http_code}')
[ "$code" = 503 ] || die "a refused write is answered with $code"
is_ready workspace w || die "reads do not go on"
[ "$(api /livez)" = ok ] || die "the server is not alive"
atelier get configmaps -o name | sort >before

free database
takes_writes() { atelier apply -f configmap.yaml >/dev/null 2>&1; }
expect "writes are not taken again" takes_writes
kill_server
start_server
[ "$made" -eq "$(grep -c '/c[0-9]*$' before)" ] || die "not all that was acknowledged is there"
atelier get configmaps -o name | sort >after
[ -z "$(comm -23 before after)" ] || die "something that was there is lost"
expect "the workspace is not ready again" is_ready workspace w
