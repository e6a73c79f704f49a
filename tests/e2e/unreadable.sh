#!/usr/bin/env bash
# Folders and files that the server may not read: a condition says so, and they are read as soon as the
# server may.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"
if [ "$(id -u)" -ne 0 ]; then
  note "only root can make what somebody else may not read"
  exit 0
fi

begin_world
cd "$WORLD"
as_nobody
start_server --docker off
templates=home/org-templates plugins=home/plugins
mkdir -p $templates/{folder,file,within/f} $plugins/{folder,file}
for name in folder file within; do printf 'name: x\nworkspaces:\n- {name: a}\n' >$templates/$name/org.yaml; done
printf 'name: x\nworkspaces:\n- {name: a, files_dir: f}\n' >$templates/within/org.yaml
echo secret >$templates/within/f/file
for name in folder file; do echo "name: p" >$plugins/$name/plugin.yaml; done
closed=("$templates"/{folder,file/org.yaml,within/f} "$plugins"/{folder,file/plugin.yaml})
chmod 000 "${closed[@]}"
{
  for name in folder file within; do manifest OrgTemplate $name "source: {directory: $name}, interval: 1s"; done
  for name in folder file; do manifest Plugin $name "source: \"local://$name\", interval: 1s"; done
} >all.yaml
atelier apply -f all.yaml >/dev/null
fails() { # fails KIND NAME
  refused() { [ "$(condition "$1" "$2" Ready status)" = False ]; }
  expect "$1 $2 is not refused" refused "$1" "$2"
  local reason said
  reason=$(condition "$1" "$2" Ready reason)
  said=$(condition "$1" "$2" Ready message)
  [[ "$said" == *"permission denied"* || "$said" == *"may not be read"* ]] || die "$1 $2 says \"$said\""
  [[ "$said" != *"$WORLD"* ]] || die "a condition shows a path of the server"
  expect "no event for $1 $2" has_event "$1" "$2" "$reason"
}
for name in folder file within; do fails OrgTemplate $name; done
for name in folder file; do fails Plugin $name; done
chmod 755 "${closed[@]}"
for name in folder file within; do expect "OrgTemplate $name is not ready" is_ready orgtemplate $name; done
for name in folder file; do expect "Plugin $name is not ready" is_ready plugin $name; done
