#!/usr/bin/env bash
# Plans against a real server, with processes and, where there is one, with Docker: what a plan forecasts
# happens, and nothing else.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"
cd "$ROOT"

# plan FILE ARGUMENTS...: into FILE; exit code into CODE
plan() {
  local file=$1
  shift
  CODE=0
  atelier plan "$@" >"$file" 2>"$file.err" || CODE=$?
}
token_of() { sed -n 's/^ *atelier apply.* --plan \([0-9a-f]*\)$/\1/p' "$1"; }
apply_token() { # apply_token TOKEN FILE: exit code into CODE
  CODE=0
  atelier apply --plan "$1" >"$2" 2>&1 || CODE=$?
}
all_ready() { # all_ready COUNT
  [ "$(atelier get ws -o json | jq '[.items[] | select((.status.observedGeneration == .metadata.generation) and
    ((.status.conditions // []) | map(select(.type == "Ready" and .status == "True")) | length == 1))] | length')" = "$1" ]
}
starts() { # how often the workspace was started
  field ws "$1" '.status.restarts // 0'
}
is_unbound() { [ "$(field org "$1" '.metadata.annotations["atelier.dev/planned-artifact"]')" = null ]; }
restarted_to() { [ "$(starts "$1")" = "$2" ] && all_ready 3; }
has_token_and_runs() { [ "$(field secret keys .data.TOKEN | base64 -d)" = "$1" ] && all_ready 3; }
bodies() { atelier get ws,orgs,orgtemplates -o json | jq -S '[.items[] | {kind, name: .metadata.name, spec}]'; }
write_files() { # write_files WORKSPACES: org.yaml with a template, an Org and a Secret
  {
    manifest OrgTemplate dev "source: {inline: \"name: Dev\\nworkspaces:\\n$1\"}"
    manifest Org acme "templateRef: {name: dev}, envFrom: [{secretRef: {name: keys}}], defaults: {command: [sleep, '3600']$MORE}"
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {TOKEN: %s}\n' "$SECRET"
  } >"$WORLD/org.yaml"
}
no_secrets_in_outputs() {
  local secret
  for secret in first-value-of-it second-value-of-it; do
    if grep -rlF -e "$secret" -e "$(printf %s "$secret" | base64)" "$WORLD/out" "$WORLD/server.log"; then
      die "a Secret's value is shown"
    fi
  done
}

scenario() { # scenario BACKEND
  MORE=", backend: $1"
  SECRET=first-value-of-it
  local out="$WORLD/out" token before

  # A new org.
  write_files '  - {name: PM, children: [{name: BE}, {name: QA}]}\n'
  before=$(bodies)
  plan "$out/create" -f "$WORLD/org.yaml"
  [ "$CODE" = 0 ] || { cat "$out/create.err"; die "no plan: $CODE"; }
  says "$out/create" "+ create" workspace/acme-pm workspace/acme-be org/acme secret/keys "3 create"
  [ "$(bodies)" = "$before" ] || die "a plan changed something"
  plan "$out/exit" -f "$WORLD/org.yaml" --exit-code
  [ "$CODE" = 1 ] || die "--exit-code with changes: $CODE"
  token=$(token_of "$out/create")
  [ "$token" = "$(token_of "$out/exit")" ] || die "one plan, two tokens"
  apply_token "$token" "$out/applied"
  [ "$CODE" = 0 ] || { cat "$out/applied"; die "not applied: $CODE"; }
  says "$out/applied" "Org acme created" "Secret keys created"
  expect "the planned org did not come" all_ready 3
  expect "the Org stays bound to its plan" is_unbound acme
  apply_token "$token" "$out/again"
  [ "$CODE" = 0 ] || die "applied twice: $CODE"
  says "$out/again" "was applied at"

  # What was applied leaves nothing to do.
  plan "$out/empty" -f "$WORLD/org.yaml" --exit-code
  [ "$CODE" = 0 ] || { cat "$out/empty"; die "a plan after the plan: $CODE"; }
  says "$out/empty" "Nothing would change." "3 workspaces"
  plan "$out/org" acme --exit-code
  [ "$CODE" = 0 ] || { cat "$out/org"; die "a plan of the org as it is: $CODE"; }
  api /apis/atelier.dev/v1alpha1/namespaces/default/orgs/acme/plan >"$out/get"
  [ "$(jq -r .status.unchanged "$out/get")" = 3 ] || die "GET orgs/acme/plan"
  api /apis/atelier.dev/v1alpha1 | jq -e '[.resources[].name] | contains(["plans", "plans/apply", "orgs/plan"])' >/dev/null ||
    die "discovery does not know plans"

  # A file, a variable and a move; only those restart, and once.
  local pm be qa
  pm=$(starts acme-pm) be=$(starts acme-be) qa=$(starts acme-qa)
  write_files '  - {name: PM, children: [{name: BE, initial_prompt: Hello., children: [{name: QA}]}]}\n'
  plan "$out/edit" -f "$WORLD/org.yaml"
  says "$out/edit" "restart" "files M config.yaml" "re-parent" "parent acme-pm -> acme-be" "= nothing"
  apply_token "$(token_of "$out/edit")" "$out/edited"
  [ "$CODE" = 0 ] || die "the edit was not applied"
  expect "the edit did not come" restarted_to acme-be $((be + 1))
  [ "$(starts acme-pm)" = "$pm" ] || die "acme-pm restarted, and the plan did not say so"
  [ "$(starts acme-qa)" = "$qa" ] || die "acme-qa restarted, and the plan did not say so"
  [ "$(field ws acme-qa .spec.parent)" = acme-be ] || die "acme-qa did not move"

  # A Secret restarts its readers; its value is nowhere.
  SECRET=second-value-of-it
  write_files '  - {name: PM, children: [{name: BE, initial_prompt: Hello., children: [{name: QA}]}]}\n'
  plan "$out/secret" -f "$WORLD/org.yaml"
  says "$out/secret" "3 restart" "env TOKEN changed ("
  for format in json yaml html; do plan "$out/secret.$format" -f "$WORLD/org.yaml" -o "$format"; done
  jq -e '.status.items | map(select(.action == "restart")) | length == 3' "$out/secret.json" >/dev/null || die "-o json"
  python3 "$ROOT/tests/support/check_page.py" "$out/secret.html"
  no_secrets_in_outputs

  # Something moves between plan and apply.
  token=$(token_of "$out/secret")
  kubectl_or_patch ws acme-pm '{"spec":{"desiredState":"Paused"}}'
  apply_token "$token" "$out/moved"
  [ "$CODE" = 8 ] || { cat "$out/moved"; die "moved, and the exit code is $CODE"; }
  says "$out/moved" "has changed" "acme-pm"
  [ "$(field secret keys '.data.TOKEN' | base64 -d)" = first-value-of-it ] || die "a moved plan wrote something"
  kubectl_or_patch ws acme-pm '{"spec":{"desiredState":"Running"}}'
  expect "acme-pm does not run again" all_ready 3

  # The server is killed between the two; the token still stands.
  plan "$out/killed" -f "$WORLD/org.yaml"
  kill_server
  start_server
  apply_token "$(token_of "$out/killed")" "$out/after-kill"
  [ "$CODE" = 0 ] || { cat "$out/after-kill"; die "the token was lost with the server"; }
  expect "the new value did not come" has_token_and_runs second-value-of-it

  # Deletion, and what blocks it.
  write_files '  - {name: PM, children: [{name: BE, initial_prompt: Hello.}]}\n'
  plan "$out/delete" -f "$WORLD/org.yaml"
  says "$out/delete" "- delete" "workspace/acme-qa" "volumes kept 7d"
  write_files '  - {name: PM}\n'
  plan "$out/blocked" -f "$WORLD/org.yaml"
  says "$out/blocked" "Blocked:" "MaxPercentExceeded" "atelier.dev/confirm-prune=" "held"
  write_files '  - {name: PM}\n  - {name: PM}\n'
  plan "$out/broken" -f "$WORLD/org.yaml"
  says "$out/broken" "Blocked:" "org.yaml:"

  # A suspended org shows what would happen once it is resumed.
  atelier suspend org acme >/dev/null
  plan "$out/suspended" acme
  says "$out/suspended" "Blocked:" "atelier resume org acme"
  atelier resume org acme >/dev/null
  no_secrets_in_outputs
}
kubectl_or_patch() { # kubectl_or_patch KIND NAME PATCH
  local path
  case $1 in ws) path=workspaces ;; *) path=$1 ;; esac
  api "/apis/atelier.dev/v1alpha1/namespaces/default/$path/$2" -X PATCH -H 'Content-Type: application/merge-patch+json' \
    -d "$3" >/dev/null
}

bad_input() {
  local out="$WORLD/out"
  plan "$out/bad" && true
  [ "$CODE" = 2 ] || die "plan without anything: $CODE"
  plan "$out/bad" ""
  [ "$CODE" = 2 ] || die "plan of an org without a name: $CODE"
  plan "$out/bad" nobody
  [ "$CODE" = 1 ] || die "a plan of no org: $CODE"
  says "$out/bad.err" 'there is no Org "nobody"'
  plan "$out/bad" -f "$WORLD/org.yaml" -o xml
  [ "$CODE" = 2 ] || die "-o xml: $CODE"
  printf 'apiVersion: atelier.dev/v1alpha1\nkind: Org\nmetadata: {name: x}\nspec: {templateRef: {name: dev}, colour: red}\n' >"$WORLD/bad.yaml"
  plan "$out/bad" -f "$WORLD/bad.yaml"
  [ "$CODE" = 2 ] || die "an unknown field: $CODE"
  says "$out/bad.err" "spec.colour"
  printf 'a: [\n' >"$WORLD/bad.yaml"
  plan "$out/bad" -f "$WORLD/bad.yaml"
  [ "$CODE" = 2 ] || die "no YAML: $CODE"
  apply_token 00000000000000000000 "$out/unknown"
  [ "$CODE" = 1 ] || die "an unknown token: $CODE"
  says "$out/unknown" "there is no plan" "expired"
  apply_token "../../secrets" "$out/unknown"
  [ "$CODE" = 2 ] || die "a token that is a path: $CODE"
  local body
  for body in '{}' '{"spec":{}}' '{"spec":[]}' '{"spec":{"objects":{}}}' '{"spec":{"objects":[1]}}' '{"kind":"Org"}' 'x' ''; do
    [ "$(api /apis/atelier.dev/v1alpha1/namespaces/default/plans -o /dev/null -w '%{http_code}' -X POST -H 'Content-Type: application/json' -d "$body")" = 400 ] ||
      die "a plan of $body is no bad request"
  done
  [ "$(api /apis/atelier.dev/v1alpha1/namespaces/default/plans -o /dev/null -w '%{http_code}')" = 405 ] || die "plans are listed"
  # More than a plan may hold.
  python3 -c 'print("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata: {x: \"" + "y" * 1200000 + "\"}")' >"$WORLD/big.yaml"
  plan "$out/bad" -f "$WORLD/big.yaml"
  [ "$CODE" = 1 ] || die "a plan that is too large: $CODE"
  says "$out/bad.err" "1048576"
  # A token of another place is none here; and an Org that goes says so.
  write_files '  - {name: PM, role: elsewhere}\n'
  plan "$out/here" -f "$WORLD/org.yaml"
  printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: there}\n' | atelier apply -f - >/dev/null
  CODE=0
  atelier apply -n there --plan "$(token_of "$out/here")" >"$out/there" 2>&1 || CODE=$?
  [ "$CODE" = 1 ] || die "a token of another namespace: $CODE"
  says "$out/there" "there is no plan" '"there"'
  manifest Org leaving "templateRef: {name: dev}" | atelier apply -f - >/dev/null
  api /apis/atelier.dev/v1alpha1/namespaces/default/orgs/leaving -X PATCH -H 'Content-Type: application/merge-patch+json' \
    -d '{"metadata":{"finalizers":["test.example/hold"]}}' >/dev/null
  atelier delete org leaving --wait=false >/dev/null
  plan "$out/leaving" leaving
  says "$out/leaving" "BeingDeleted"
  api /apis/atelier.dev/v1alpha1/namespaces/default/orgs/leaving -X PATCH -H 'Content-Type: application/merge-patch+json' \
    -d '{"metadata":{"finalizers":[]}}' >/dev/null
  # A token that has expired.
  local token
  write_files '  - {name: PM, role: other}\n'
  plan "$out/late" -f "$WORLD/org.yaml"
  token=$(token_of "$out/late")
  api "/api/v1/namespaces/default/secrets/plan-$token" | jq '.data.plan |= (@base64d | fromjson | .expires = "2020-01-01T00:00:00Z" | tojson | @base64)' |
    api "/api/v1/namespaces/default/secrets/plan-$token" -X PUT -H 'Content-Type: application/json' -d @- >/dev/null
  apply_token "$token" "$out/late"
  [ "$CODE" = 1 ] || die "an expired token: $CODE"
  says "$out/late" "has expired"
}

# Values of .env files: what was looked at, or nothing. They are in no artifact and no revision.
values() {
  local out="$WORLD/out" token
  mkdir -p "$WORLD/templates/dev/pm"
  printf 'name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n' >"$WORLD/templates/dev/org.yaml"
  printf 'SHARED=first-value-of-it\n' >"$WORLD/templates/dev/.env"
  printf 'OWN=first-value-of-it\n' >"$WORLD/templates/dev/pm/.env"
  {
    manifest OrgTemplate folder "source: {directory: dev}, interval: 1h"
    manifest Org values "templateRef: {name: folder}, defaults: {command: [sleep, '3600'], backend: process}"
  } >"$WORLD/values.yaml"
  plan "$out/values" -f "$WORLD/values.yaml"
  token=$(token_of "$out/values")
  printf 'OWN=second-value-of-it\n' >"$WORLD/templates/dev/pm/.env"
  apply_token "$token" "$out/values-moved"
  [ "$CODE" = 8 ] || { cat "$out/values-moved"; die "a value has moved, and the exit code is $CODE"; }
  says "$out/values-moved" "Org values: the .env of pm: OWN changed ("
  atelier get org values >/dev/null 2>&1 && die "a moved plan made its Org"
  plan "$out/values" -f "$WORLD/values.yaml"
  apply_token "$(token_of "$out/values")" "$out/values-applied"
  [ "$CODE" = 0 ] || { cat "$out/values-applied"; die "not applied: $CODE"; }
  expect "the workspace of the folder did not come" is_ready ws values-pm
  expect "the Org stays bound" is_unbound values
  local runs
  runs=$(starts values-pm)
  # Only a value; the Org gets it by the plan, and restarts once.
  printf 'OWN=first-value-of-it\n' >"$WORLD/templates/dev/pm/.env"
  plan "$out/values" values
  says "$out/values" "restart" "env OWN changed ("
  apply_token "$(token_of "$out/values")" "$out/values-applied"
  [ "$CODE" = 0 ] || { cat "$out/values-applied"; die "not applied: $CODE"; }
  expect "the new value did not come" has_env values-pm-env OWN first-value-of-it
  expect "the Org stays bound" is_unbound values
  expect "not restarted once" restarted_once values-pm "$runs"
  no_secrets_in_outputs
  atelier delete -f "$WORLD/values.yaml" --wait --timeout 1m >/dev/null
}
has_env() { [ "$(field secret "$1" ".data.$2" | base64 -d)" = "$3" ]; }
restarted_once() { [ "$(starts "$1")" = $(($2 + 1)) ] && is_ready ws "$1"; }

pieces() { # how many there are of that round
  atelier get configmaps -o json | jq --arg r "$1" '[.items[] | select(.metadata.name | startswith("piece-")) |
    select(.data.round == $r)] | length'
}
has_pieces() { [ "$(pieces "$1")" -gt 0 ]; }
# The server is killed while it applies: all of the plan's objects are written, or none, and the token tells.
killed_midway() {
  local out="$WORLD/out" round count=120 token delay all=0 none=0
  for round in 1 2 3 4 5 6; do
    {
      for i in $(seq "$count"); do
        printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: piece-%s}\ndata: {round: "%s"}\n---\n' "$i" "$round"
      done
    } >"$WORLD/pieces.yaml"
    plan "$out/pieces" -f "$WORLD/pieces.yaml"
    token=$(token_of "$out/pieces")
    [ -n "$token" ] || { cat "$out/pieces"* | head -20; die "no plan of the pieces"; }
    delay=$(python3 -c "print(0.06 * $round)")
    (apply_token "$token" "$out/pieces-applied") &
    local applying=$!
    # In the end, as soon as anything of it is seen.
    if [ "$round" = 6 ]; then expect "nothing is written" has_pieces "$round"; else sleep "$delay"; fi
    kill_server
    wait "$applying" || true
    start_server
    local now
    now=$(pieces "$round")
    case $now in
      0) none=$((none + 1)) ;;
      "$count") all=$((all + 1)) ;;
      *) die "killed while a plan was applied: $now of $count objects are written" ;;
    esac
    apply_token "$token" "$out/pieces-again"
    [ "$CODE" = 0 ] || { cat "$out/pieces-again"; die "the token does not stand after the kill: $CODE"; }
    if [ "$now" = 0 ]; then says "$out/pieces-again" "piece-1 "; else says "$out/pieces-again" "was applied at"; fi
  done
  note "killed while applying: $all times all was written, $none times nothing"
  atelier delete -f "$WORLD/pieces.yaml" >/dev/null
}

begin_world
mkdir "$WORLD/out" "$WORLD/templates"
if [ -n "${ATELIER_TEST_DOCKER:-}" ]; then
  use_docker plan
  start_server --docker "unix://$SOCKET" --backend docker --image "langgraph=$IMAGE" \
    --org-templates "$WORLD/templates"
  scenario docker
  bad_input
  atelier delete orgs --all --wait --timeout 1m >/dev/null
  atelier delete orgtemplates --all >/dev/null
  atelier delete secret keys >/dev/null
  note "plans with Docker"
else
  start_server --docker off --org-templates "$WORLD/templates"
fi
scenario process
bad_input
values
killed_midway
note "plans with processes"
