#!/usr/bin/env bash
# The volumes of a pruned workspace are kept: it is brought back, or its template makes it again, or they
# expire. The server is killed with -9 on the way. On processes and in Docker.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
use_docker undelete

template() { # template KEY...: the workspaces of the org
  local key
  printf 'name: x\nworkspaces:\n'
  for key in "$@"; do printf -- '- {name: %s}\n' "$key"; done
}
declare_template() { # declare_template KEY...
  jq -n --arg text "$(template "$@")" '{apiVersion: "atelier.dev/v1alpha1", kind: "OrgTemplate",
    metadata: {name: "x"}, spec: {source: {inline: $text}}}' | atelier apply -f - >/dev/null
}
declare_org() { # declare_org GRACE: at each start an agent adds a line to what it works on
  manifest Org x "templateRef: {name: x}, prune: {maxPercent: 100, volumeGrace: $1}, defaults: {backend: $BACKEND,
    command: [/bin/sh, -c, 'echo work >>$FOLDER/notes; exec sleep 100000']}" | atelier apply -f - >/dev/null
}
kept() { atelier get dw -o name; }
nothing_kept() { [ -z "$(kept)" ]; }
one_kept() { [ "$(kept | wc -l)" = 1 ]; }
no_workspace() { ! atelier get ws "$1" >/dev/null 2>&1; }
volumes() { # of the backend in use, by name
  if [ "$BACKEND" = docker ]; then
    of_this_server volumes | jq -r '.Volumes[]?.Name'
  else
    ls "$ATELIER_HOME/processes/volumes"
  fi | sort
}
lines_of_work() { # in $VOLUME
  if [ "$BACKEND" = docker ]; then
    in_volume "$VOLUME" cat /volume/notes
  else
    cat "$ATELIER_HOME/processes/volumes/$VOLUME/data/notes"
  fi 2>/dev/null | grep -ao work | wc -l # each line of a container has a header of its own
}
is_worked_in() { [ "$(lines_of_work)" -ge 1 ]; }
in_volume() { # in_volume VOLUME COMMAND...: by a container of our own
  local volume=$1 id
  shift
  id=$(docker_api POST /containers/create -H 'Content-Type: application/json' -d "$(jq -n --arg i "$IMAGE" \
    --arg v "$volume:/volume" '$ARGS.positional as $c | {Image: $i, Entrypoint: $c, Cmd: [], User: "0",
      HostConfig: {Binds: [$v], NetworkMode: "none"}}' --args -- "$@")" | jq -r .Id)
  docker_api POST "/containers/$id/start" >/dev/null
  docker_api POST "/containers/$id/wait" >/dev/null
  docker_api GET "/containers/$id/logs?stdout=true" --output -
  docker_api DELETE "/containers/$id?force=1" >/dev/null
}
workspaces_have_volumes() { # workspaces_have_volumes COUNT: those for work, of all workspaces
  [ "$(volumes | grep -c -- '-workspace$')" = "$1" ]
}
goes_on_from() { # goes_on_from LINES: what came back works where it left off
  [ "$(lines_of_work)" -gt "$1" ]
}

for BACKEND in process docker; do
  note "with the backend $BACKEND"
  FOLDER=workspace # a process is started in the folder that is the root of its unit
  [ "$BACKEND" = process ] || FOLDER=/workspace
  start_server --docker "$ATELIER_TEST_DOCKER" --image "langgraph=$IMAGE"
  declare_template pm qa
  declare_org 1h
  atelier wait org x --for=condition=Ready --timeout 90s >/dev/null
  uid=$(field ws x-qa .metadata.uid)
  VOLUME=ws-${uid:0:12}-workspace
  expect "nothing was written" is_worked_in

  note "pruned: its volumes are kept; the server is killed at some moment of it"
  declare_template pm
  sleep 0.3
  kill_server
  start_server
  expect "x-qa is there still" no_workspace x-qa
  expect "nothing is kept" one_kept
  is_worked_in || die "the work is gone"
  before=$(lines_of_work)
  atelier undelete | tee list | grep -q x-qa
  says list "EXPIRES IN"

  note "undelete: it is back, with what it worked on, and belongs to nobody"
  atelier undelete x-qa --timeout 60s >out
  says out "x-qa is back, with its volumes"
  atelier wait ws x-qa --for=condition=Ready --timeout 90s >/dev/null
  expect "it did not get its volumes" goes_on_from "$before"
  workspaces_have_volumes 2 || die "it has other volumes, too"
  [ "$(field ws x-qa '.metadata.ownerReferences // [] | length')" = 0 ] || die "somebody owns it"
  expect "its record stays" nothing_kept

  note "a template that names it again says what to do; adopted, it keeps its volumes and its name"
  declare_template pm qa
  expect "no conflict is told" has_reason org x NameConflict
  message_has org x "atelier adopt x-qa --org x" || die "the way out is not named"
  same=$(field ws x-qa .metadata.uid)
  atelier adopt x-qa --org x --timeout 60s >/dev/null
  atelier wait org x --for=condition=Ready --timeout 90s >/dev/null
  [ "$(field ws x-qa .metadata.uid)" = "$same" ] || die "it was made anew"
  is_worked_in || die "the work is lost"

  note "pruned and made again by the template: the same volumes; killed on the way"
  declare_template pm
  expect "nothing is kept" one_kept
  expect "x-qa is there still" no_workspace x-qa
  before=$(lines_of_work)
  declare_template pm qa
  sleep 0.2
  kill_server
  start_server
  atelier wait org x --for=condition=Ready --timeout 90s >/dev/null
  expect "it did not get its volumes again" goes_on_from "$before"
  workspaces_have_volumes 2 || die "it has other volumes, too"
  expect "its record stays" nothing_kept
  has_event Workspace x-qa VolumesRestored || die "nobody said so"

  note "released: the template has no say in it any more"
  atelier release x-qa --timeout 60s >/dev/null
  declare_template pm
  atelier wait org x --for=condition=Ready --timeout 90s >/dev/null
  is_ready ws x-qa || die "it was pruned"

  note "deleted with --keep-volumes, and given up at once"
  atelier delete ws x-qa --keep-volumes 1d --wait --timeout 60s >/dev/null
  expect "nothing is kept" one_kept
  is_worked_in || die "the work is lost"
  atelier delete dw --all --wait --timeout 60s >/dev/null
  workspaces_have_volumes 1 || die "its volumes are there still"

  note "a short grace (longer than a container takes to stop): it expires, also while the server is down"
  declare_org 20s
  declare_template pm qa
  atelier wait org x --for=condition=Ready --timeout 90s >/dev/null
  declare_template pm
  expect "nothing is kept" one_kept
  kill_server
  sleep 20
  start_server
  expect "it does not expire" nothing_kept
  workspaces_have_volumes 1 || die "what has expired is there still"

  atelier delete org x --wait --timeout 60s >/dev/null
  [ -z "$(volumes)" ] || die "volumes are left: $(volumes)"
  stop_server
  rm -rf home
done
