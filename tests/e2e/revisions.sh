#!/usr/bin/env bash
# The revisions of a template: a webhook makes the server apply a commit although the interval is an hour; an
# org is pinned while there are new commits, goes back with files and environment, and shows the
# differences. The server is killed in the middle.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
start_git_server
GIT_PID=$!
make_remote dev
cd "$WORLD"
export ATELIER_USER=ada

# version N: a workspace PM with a file and a value, and one that only this version has
version() {
  mkdir -p work/dev/pm
  printf 'name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n  - {name: V%s}\n' "$1" >work/dev/org.yaml
  echo "prompt $1" >work/dev/pm/system-prompt.md
  echo "GREETING=hello-$1" >work/dev/pm/.env
  push dev "version $1"
  COMMITS[$1]=$(git -C work/dev rev-parse HEAD)
}
COMMITS=()
KEY=a-long-secret-key
hook() { # hook NAME BODY HEADER...: prints the status
  local name=$1 body=$2 header arguments=()
  shift 2
  for header in "$@"; do arguments+=(-H "$header"); done
  curl -sS -o hook.out -w '%{http_code}' --cacert "$ATELIER_HOME/pki/ca.crt" -X POST "${arguments[@]}" \
    --data-binary "$body" "https://127.0.0.1:$PORT/webhooks/default/$name"
}
sum() { printf %s "$1" | openssl dgst -sha256 -hmac "${2:-$KEY}" -r | cut -d' ' -f1; }
call() { # a push, as GitHub tells of it
  [ "$(hook dev '{"ref":"refs/heads/main"}' "X-Hub-Signature-256: sha256=$(sum '{"ref":"refs/heads/main"}')" \
    'X-GitHub-Event: push')" = 202 ] || die "the webhook does not take it: $(cat hook.out)"
}
template_has() { [ "$(field orgtemplate dev .status.revision)" = "${COMMITS[$1]}" ]; }
names() { atelier get workspaces -o json | jq -r '[.items[] | select(.metadata.deletionTimestamp == null) |
  .metadata.name] | sort | join(" ")'; }
# Version N is what runs, to the last byte.
runs() {
  [ "$(field org acme .status.revision)" = "${COMMITS[$1]}" ] && [ "$(names)" = "acme-pm acme-v$1" ] &&
    [ "$(prompt)" = "prompt $1" ] &&
    [ "$(field secret acme-pm-env .data.GREETING | base64 -d)" = "hello-$1" ] && is_ready org acme
}
prompt() { # as it lies in the workspace
  find "$ATELIER_HOME" -name system-prompt.md -path "*$(field workspace acme-pm .metadata.uid | cut -c1-12)*" \
    -exec cat {} + 2>/dev/null
}

version 1
start_server --docker off
{
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: hook}\nstringData: {token: %s}\n---\n' "$KEY"
  manifest OrgTemplate dev "source: {git: {url: 'http://127.0.0.1:$GIT_PORT/dev.git', ref: main}}, interval: 1h,
    webhook: {secretRef: {name: hook}}"
  manifest OrgTemplate closed "source: {git: {url: 'http://127.0.0.1:$GIT_PORT/dev.git', ref: main}}, interval: 1h"
  manifest Org acme "templateRef: {name: dev}, prune: {maxPercent: 100}"
} >world.yaml
atelier apply -f world.yaml >/dev/null
expect "version 1 does not run" runs 1

note "wrong signatures change nothing"
version 2
looks() { wc -l <git.log; }
before=$(looks) asked=$(field orgtemplate dev '.metadata.annotations')
body='{"ref":"refs/heads/main"}'
[ "$(hook dev "$body")" = 401 ] || die "no signature"
cp hook.out refused.out
[ "$(hook dev "$body" "X-Hub-Signature-256: sha256=$(sum "$body" wrong)")" = 401 ] || die "a wrong key"
[ "$(hook dev "$body " "X-Hub-Signature-256: sha256=$(sum "$body")")" = 401 ] || die "another body"
cmp hook.out refused.out
for name in none closed; do
  [ "$(hook $name "$body" "X-Hub-Signature-256: sha256=$(sum "$body")")" = 401 ] || die "$name"
  cmp hook.out refused.out
done
[ "$(looks)" = "$before" ] || die "a request that was refused made the server ask git"
[ "$(field orgtemplate dev '.metadata.annotations')" = "$asked" ] || die "a request that was refused was written down"
template_has 1 || die "the template was read"

note "a push runs at once, though the interval is an hour"
call
expect "version 2 does not run" runs 2
[ "$(hook dev "$body" "X-Gitea-Signature: $(sum "$body")")" = 202 ] || die "Gitea's header"
[ "$(hook dev "$body" "X-Hub-Signature-256: sha256=$(sum "$body")" 'X-GitHub-Event: ping')" = 200 ] || die "a ping"
other='{"ref":"refs/heads/feature"}'
[ "$(hook dev "$other" "X-Hub-Signature-256: sha256=$(sum "$other")")" = 200 ] || die "a push to another branch"
says hook.out "the template follows main"
version 3
call
expect "version 3 does not run" runs 3
api /metrics >metrics
says metrics 'atelier_webhook_requests_total{result="refused"} 5' 'atelier_webhook_requests_total{result="ping"} 1' \
  'atelier_webhook_requests_total{result="ignored"} 1'

note "history and diff"
atelier history acme >out
says out "${COMMITS[1]:0:12}" "${COMMITS[3]:0:12}" "Test" "version 2" "newest, runs" "template"
atelier diff acme --since "${COMMITS[1]}" --to "${COMMITS[3]:0:8}" >out
cat out
says out 'to    '"${COMMITS[3]:0:12}"' "version 3" by Test' "+ v3" "- v1" "~ pm" "file ~system-prompt.md" "env ~GREETING"
if grep -qF hello- out; then die "a value is shown"; fi
code=0
atelier diff acme --since "${COMMITS[2]}" --exit-code >/dev/null || code=$?
[ "$code" = 1 ] || die "there are changes, and the exit code is $code"
atelier diff acme --exit-code >out || die "nothing differs from what runs"
says out "no workspace differs"
code=0
atelier diff acme --since 0123456789 >out 2>&1 || code=$?
[ "$code" -gt 1 ] || die "an unknown revision has exit code $code"
says out "has no revision" "${COMMITS[2]:0:12}" "atelier history acme"

note "pinned, while commits go on"
pin() { # pin JSON
  api /apis/atelier.dev/v1alpha1/namespaces/default/orgs/acme -f -X PATCH \
    -H 'Content-Type: application/merge-patch+json' -d "{\"spec\":{\"revision\":$1}}" >/dev/null
}
pin "\"${COMMITS[1]:0:10}\""
expect "version 1 does not run again" runs 1
version 4
call
expect "the template has not gone on" template_has 4
[ "$(condition org acme Pinned status)" = True ] || die "it does not say that it is pinned"
tells_what_there_is() { [[ "$(condition org acme Pinned message)" == *"${COMMITS[4]}"* ]]; }
expect "it does not say what the template has" tells_what_there_is
runs 1 || die "the pin does not hold"

note "back, after the plan was shown"
pin null
expect "version 4 does not run" runs 4
atelier revert acme --to "${COMMITS[2]:0:9}" >out 2>&1
cat out
says out "acme-v2" "acme-v4" "acme-pm" "atelier apply --plan"
runs 4 || die "a plan that was only made had an effect"
token=$(grep -o 'apply --plan [^ ]*' out | tail -1 | cut -d' ' -f3)
atelier apply --plan "$token" >out
expect "version 2 does not run" runs 2
[ "$(field org acme '.status.history[0].by')" = ada ] || die "the history does not say who went back"
atelier revert acme --to "${COMMITS[2]}" >out
says out "pinned to ${COMMITS[2]:0:12} already"
atelier revert acme --to "${COMMITS[1]}" --yes >out
expect "version 1 does not run" runs 1
atelier history acme >out
says out "runs, pinned" "ada" "template"
code=0
atelier revert acme --to 0123456789 >out 2>&1 || code=$?
[ "$code" -gt 0 ] || die "an unknown revision is planned"
says out "has no revision" "atelier history acme"
atelier follow acme --yes >out
expect "it does not follow" runs 4
atelier follow acme >out
says out "follows its template already"
pin "\"${COMMITS[1]}\""
expect "version 1 does not run" runs 1

note "an unknown revision changes nothing"
pin '"0000000000"'
expect "it is not told" has_reason org acme RevisionUnknown
[ "$(names) $(prompt)" = "acme-pm acme-v1 prompt 1" ] || die "something changed"

note "killed in the middle of going back and forth"
for turn in 2 4 1 3; do
  pin "\"${COMMITS[$turn]}\""
  kill_server
  start_server
  expect "version $turn does not run after the crash" runs "$turn"
done

note "following again"
pin null
expect "it does not follow" runs 4
[ "$(field org acme '.status.history[0].by')" = template ] || die "the history does not say how version 4 came"
[ "$(field org acme '.status.history[1].by')" = api ] || die "the history does not say who pinned version 3"

note "back while the git server is away"
kill "$GIT_PID"
atelier reconcile orgtemplate dev >/dev/null
expect "the template is still well" has_reason orgtemplate dev SourceFetchFailed
atelier revert acme --to "${COMMITS[2]}" --yes >out
expect "version 2 does not run" runs 2
stop_server

note "a folder of the server: a change of values alone is a revision, also under a new key"
mkdir -p templates/local/pm
printf 'name: Local\nworkspaces:\n  - {name: PM, files_dir: pm}\n' >templates/local/org.yaml
value() { field secret own-pm-env .data.GREETING | base64 -d; }
has_value() { [ "$(value)" = "$1" ]; }
write_value() {
  echo "GREETING=$1" >templates/local/pm/.env
  atelier reconcile orgtemplate local >/dev/null
  expect "the value $1 does not arrive" has_value "$1"
}
revisions_of_local() { field orgtemplate local '.status.history | length'; }
start_server --docker off --org-templates "$WORLD/templates"
echo GREETING=hello-first >templates/local/pm/.env
{
  manifest OrgTemplate local "source: {directory: local}, interval: 1h"
  manifest Org own "templateRef: {name: local}"
} | atelier apply -f - >/dev/null
expect "the first value does not arrive" has_value hello-first
first=$(field orgtemplate local .status.revision)
write_value hello-second
[ "$(revisions_of_local)" = 2 ] || die "it is no revision"
atelier history own >out
says out "${first:0:12}" "newest, runs"
atelier diff own --since "$first" >out
says out "env ~GREETING"
atelier revert own --to "${first:0:12}" --yes >/dev/null
expect "the first value is not back" has_value hello-first
atelier follow own --yes >/dev/null
expect "it does not follow" has_value hello-second
stop_server
atelier rekey >/dev/null 2>&1
start_server --docker off --org-templates "$WORLD/templates"
atelier reconcile orgtemplate local --wait --timeout 60s >/dev/null
[ "$(revisions_of_local)" = 2 ] || die "a new key made a revision"
atelier revert own --to "${first:0:12}" --yes >/dev/null
expect "the first value is not back under the new key" has_value hello-first
if grep -qF -e "$KEY" -e hello- server.log; then die "the log shows a secret"; fi
stop_server
