#!/usr/bin/env bash
# Starts that cannot succeed: each fails soon, with an exit code and one line that says what to do.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
PORT=$(free_port)
fails() { # fails CODE WORDS COMMAND...
  local code=$1 words=$2 got=0
  shift 2
  timeout 20 "$@" >out 2>&1 || got=$?
  [ "$got" = "$code" ] || { cat out >&2; die "exit code $got, not $code: $*"; }
  says out "$words"
  if grep -qP '[\x00-\x08\x0b-\x1f]' out; then die "control characters are printed: $*"; fi
}
server=(atelier server --listen "127.0.0.1:$PORT")

note "options"
fails 2 "--bogus" "${server[@]}" --bogus
fails 2 '"extra" is no option' "${server[@]}" extra
fails 2 '--docker: "ssh://x" is not auto, off' "${server[@]}" --docker ssh://x
fails 2 '--backend: "kubernetes" is not docker or process' "${server[@]}" --backend kubernetes
fails 2 '--workers: "1000" is not between 1 and 64' "${server[@]}" --workers 1000
fails 2 "--workers" "${server[@]}" --workers many
fails 2 '--log-level: "loud" is not' "${server[@]}" --log-level loud
fails 2 '--image: "langgraph" is not runtime=image' "${server[@]}" --image langgraph
fails 2 '--listen: "nonsense" is not an address and a port' atelier server --listen nonsense
fails 2 '--listen: "127.0.0.1:99999" is not' atelier server --listen 127.0.0.1:99999
fails 2 "workers" env ATELIER_WORKERS=zero "${server[@]}"
fails 2 "SECRETS_ENCRYPTION_KEY must be 32 bytes" env SECRETS_ENCRYPTION_KEY=short "${server[@]}"

note "the file of --config"
fails 2 '--config: cannot read "nowhere"' "${server[@]}" --config nowhere
fails 2 "--config: cannot read \"$WORLD\"" "${server[@]}" --config "$WORLD"
echo 'bogus = 1' >config
fails 2 '--config: "config": unrecognised option' "${server[@]}" --config config
head -c 2000 /dev/urandom >config
fails 2 '--config: "config":' "${server[@]}" --config config

note "the home folder"
touch file
fails 1 'a part of the path is not a directory' "${server[@]}" --docker off --home "$WORLD/file"
fails 1 "cannot make the directory" "${server[@]}" --docker off --home /proc/nowhere
mkdir read-only small
as_root mount -t tmpfs -o ro,size=1m none read-only
SERVICES+=("as_root umount $WORLD/read-only")
fails 1 "the file system is read-only" "${server[@]}" --docker off --home "$WORLD/read-only"
as_root mount -t tmpfs -o size=64k none small
SERVICES+=("as_root umount $WORLD/small")
fails 1 "the disk is full" "${server[@]}" --docker off --home "$WORLD/small"
if [ "$(id -u)" -eq 0 ]; then # root may write everywhere
  (
    as_nobody
    mkdir -m 755 not-ours
    fails 1 "permission denied" "${AS[@]}" "$BIN/atelier" server --listen "127.0.0.1:$PORT" --docker off \
      --home "$WORLD/not-ours"
  )
  rm -rf home
fi

note "what is in it"
start_server --docker off
fails 1 "another atelier server runs on this home folder" atelier server --listen "127.0.0.1:$(free_port)" --docker off
fails 1 "127.0.0.1 port $PORT is in use" "${server[@]}" --docker off --home "$WORLD/another"
stop_server
for broken in atelier.db token pki/ca.crt keys/encryption.key trees; do
  rm -rf damaged && cp -r home damaged
  rm -rf "damaged/$broken"*
  echo garbage >"damaged/$broken"
  timeout 20 "${server[@]}" --docker off --home "$WORLD/damaged" >out 2>&1 && die "a damaged $broken is taken"
  says out "cannot start err=" "${broken##*/}"
  [ "$(cat "damaged/$broken")" = garbage ] || die "the damaged $broken was written over"
done

note "places that do not answer"
fails 1 "PostgreSQL" "${server[@]}" --docker off --store postgres://127.0.0.1:1/x
fails 1 "the store's URL must be" "${server[@]}" --docker off --store bogus:x
fails 1 "is not an IP address to listen on" atelier server --docker off --listen 300.1.1.1:99
