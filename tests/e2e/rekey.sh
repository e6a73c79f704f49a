#!/usr/bin/env bash
# Secrets are sealed under another key: by `atelier rekey`, also when it is killed in the middle, and by the
# environment. Rekeying while the server runs is refused, and so are a wrong key and a lost one.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
keys() { wc -l <"$ATELIER_HOME/keys/encryption.key"; }
secrets_are_whole() {
  local n
  for n in 1 20 40; do
    [ "$(field secret "s$n" .data.TOKEN | base64 -d)" = "value-$n" ] || die "Secret s$n is not what it was"
  done
}
sealed_bytes() { # as they are in the database now, in base64
  python3 - "$ATELIER_HOME/atelier.db" <<'PYTHON'
import base64, sqlite3, sys
row = sqlite3.connect(sys.argv[1]).execute("SELECT sealed FROM objects WHERE name = 's1'").fetchone()
print(base64.b64encode(row[0]).decode())
PYTHON
}
database_lacks() { # database_lacks BYTES_IN_BASE64
  python3 - "$1" "$ATELIER_HOME"/atelier.db* <<'PYTHON'
import base64, sys
wanted = base64.b64decode(sys.argv[1])
sys.exit(any(wanted in open(path, "rb").read() for path in sys.argv[2:]))
PYTHON
}

start_server --docker off
for n in $(seq 40); do
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s%s}\nstringData: {TOKEN: value-%s}\n---\n' "$n" "$n"
done >secrets.yaml
atelier apply -f secrets.yaml >/dev/null
secrets_are_whole

note "not while the server runs"
if atelier rekey >out 2>&1; then die "a running server's database was sealed anew"; fi
says out "another atelier server runs on this home folder"
secrets_are_whole
stop_server

note "rekey"
sealed=$(sealed_bytes)
if database_lacks "$sealed"; then die "the search proves nothing"; fi
old=$(cat "$ATELIER_HOME/keys/encryption.key")
atelier rekey >out 2>&1
says out "every Secret is sealed under a new key"
[ "$(keys)" = 1 ] || die "the old key is kept"
[ "$(cat "$ATELIER_HOME/keys/encryption.key")" != "$old" ] || die "the key is the old one"
database_lacks "$sealed" || die "what was sealed under the old key is still in the database"
start_server
secrets_are_whole
stop_server

note "killed at any point"
cut=0
for delay in 0 0.005 0.01 0.015 0.02 0.03 0.05 0.08; do
  atelier rekey >/dev/null 2>&1 &
  rekeying=$!
  sleep "$delay"
  kill -9 "$rekeying" 2>/dev/null || true # it may have ended before
  wait "$rekeying" 2>/dev/null || cut=$((cut + 1))
  start_server
  secrets_are_whole
  stop_server
done
[ "$cut" -gt 0 ] || die "none was cut off: the kills prove nothing"
atelier rekey >/dev/null 2>&1
[ "$(keys)" = 1 ] || die "old keys are kept"

note "the wrong key, and a file that is none"
cp "$ATELIER_HOME/keys/encryption.key" right.key
echo "$old" >"$ATELIER_HOME/keys/encryption.key"
if timeout 20 atelier server --listen "127.0.0.1:$PORT" --docker off >out 2>&1; then die "a wrong key was taken"; fi
says out "put the right key back"
echo "not a key" >"$ATELIER_HOME/keys/encryption.key"
if timeout 20 atelier rekey >out 2>&1; then die "a broken key was taken"; fi
says out "is not 32 bytes in base64"

note "by the environment"
SECRETS_ENCRYPTION_KEY_PREVIOUS=$(cat right.key)
SECRETS_ENCRYPTION_KEY=$(head -c 32 /dev/urandom | base64 -w0)
export SECRETS_ENCRYPTION_KEY SECRETS_ENCRYPTION_KEY_PREVIOUS
if atelier rekey >out 2>&1; then die "a key of the environment was replaced"; fi
says out "the key comes from SECRETS_ENCRYPTION_KEY"
start_server
says server.log "the old encryption key is not needed any more"
secrets_are_whole
stop_server
unset SECRETS_ENCRYPTION_KEY_PREVIOUS
start_server
secrets_are_whole
if grep -qF -e "$SECRETS_ENCRYPTION_KEY" -e "$(cat right.key)" -e value-1 server.log; then die "the log shows a secret"; fi
stop_server
