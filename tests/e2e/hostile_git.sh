#!/usr/bin/env bash
# Hostile git servers, read by a running server that has a credential for them: they hang, redirect, send
# without end, or lie. A condition and an event name each of them; the credential is sent to no other host;
# other sources are still read; disk and memory stay bounded.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
mkdir -p src/f
printf 'name: x\nworkspaces:\n- {name: a, files_dir: f}\n' >src/org.yaml
head -c 200000 /dev/urandom >src/f/bytes
echo 'name: good' >src/plugin.yaml
make_remote good "$WORLD/src"
push good first >/dev/null
commit=$(git -C git/good.git rev-parse main)
git -C git/good.git rev-list --objects main | cut -c1-40 | git -C git/good.git pack-objects --stdout -q >pack
python3 "$ROOT/tests/support/hostile_git_server.py" --pack pack --commit "$commit" --log requests >hostile.log 2>&1 &
SERVICES+=("kill $!")
expect "the hostile server did not come up" grep -q port= hostile.log
port=$(sed -n 's/^port=//p' hostile.log)
# As many workers as wait at a time below: each is to have its own full deadline.
start_server --docker off --workers 16
at_rest=$(server_rss)

hows=(hang drip endless progress refs redirect wrong cut garbled words good)
{
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: of-git}\nstringData: {token: t0p-secret-token}\n---\n'
  for how in "${hows[@]}"; do
    manifest OrgTemplate "$how" \
      "interval: 1h, source: {git: {url: \"http://127.0.0.1:$port/$how/x.git\", ref: main, secretRef: {name: of-git}}}"
    manifest Plugin "$how" "source: \"git+http://127.0.0.1:$port/$how/x.git#main\", secretRef: {name: of-git}"
  done
} >all.yaml
atelier apply -f all.yaml >/dev/null

note "who is well is not held up"
expect "the good template is not ready" is_ready OrgTemplate good
expect "the good plugin is not ready" is_ready Plugin good

fails() { # fails NAME REASON WORDS: the template and the plugin of that name, within 60 s
  local name=$1 reason=$2 words=$3 kind said
  for kind in OrgTemplate Plugin; do
    until_true 60 has_reason "$kind" "$name" "$reason" ||
      die "$kind $name: $(condition "$kind" "$name" Ready reason), not $reason"
    said=$(condition "$kind" "$name" Ready message)
    [[ "$said" == "git http://127.0.0.1:$port/$name/x.git: "*"$words"* ]] || die "$kind $name says \"$said\""
    expect "no event for $kind $name" has_event "$kind" "$name" "$reason"
  done
}
note "each has a condition of its own"
fails redirect UnsupportedSource "redirects elsewhere, which is not followed"
fails wrong SourceNotFound "has no commit aaaaaaaa"
fails cut SourceFetchFailed "the connection failed"
fails garbled SourceFetchFailed "damaged pack"
fails words SourceFetchFailed "the server refused the request"
fails refs SourceTooLarge "more than 200,000 refs"
fails progress SourceTooLarge "more than 104857600 bytes"
fails endless SourceTooLarge "more than 104857600 bytes"
fails hang SourceFetchFailed "no answer within the deadline"
fails drip SourceFetchFailed "not git's protocol"

note "no other host gets the credential, and no object shows it"
grep -q '/redirect/.* auth' requests || die "the credential was not sent at all"
if grep -q /caught/ requests; then die "a redirect was followed"; fi
atelier get all,events -A -o yaml >seen.yaml
if grep -nE "t0p-secret|hunter2|/srv/git|$WORLD" seen.yaml; then die "an object shows what must stay secret"; fi
if grep -q t0p-secret server.log; then die "the credential is in the log"; fi

note "disk and memory are bounded"
kept=$(du -sk home/git | cut -f1)
[ "$kept" -lt 4096 ] || die "$kept KiB of what they served are kept"
kill -0 "$SERVER_PID" || die "the server has ended"
peak=$(awk '/^VmHWM/ {print $2}' "/proc/$SERVER_PID/status")
note "resident: $at_rest KiB at rest, at most $peak KiB"
[ "$peak" -le $((at_rest + 192 * 1024)) ] || die "the server grew too much"

note "a remote that hangs does not hold up the end"
asked=$(grep -c /hang/ requests)
asks() { [ "$(grep -c /hang/ requests)" -gt "$asked" ]; }
atelier reconcile orgtemplate hang >/dev/null
until_true 60 asks || die "nobody asks the remote that hangs"
began=$SECONDS
kill "$SERVER_PID"
wait "$SERVER_PID" || die "the server ended with exit code $?"
SERVER_PID=
[ $((SECONDS - began)) -le 15 ] || die "the end took $((SECONDS - began)) s"

note "many that hang do not hold up who is well, with few workers"
rm -rf home
start_server --docker off --workers 2
for n in $(seq 12); do
  manifest OrgTemplate "hang-$n" "interval: 1h, source: {git: {url: \"http://127.0.0.1:$port/hang/$n.git\", ref: main}}"
done >many.yaml
start_git_server
atelier apply -f many.yaml >/dev/null
until_true 60 asks || die "nobody asks the remote that hangs"
manifest OrgTemplate well "interval: 1h, source: {git: {url: \"http://127.0.0.1:$GIT_PORT/good.git\", ref: main}}" |
  atelier apply -f - >/dev/null
# One after the other, two at a time and 30 s each, they would take three minutes.
expect "the template that is well waits for those that hang" is_ready OrgTemplate well
[ "$(condition OrgTemplate hang-12 Ready status)" != True ] || die "what hangs is ready"
stop_server
