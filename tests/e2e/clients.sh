#!/usr/bin/env bash
# The official clients of two languages against a running server, by the kubeconfig that it writes:
# Debian's python3-kubernetes, and @kubernetes/client-node where npm is installed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib/common.sh
. "$(dirname "$0")/../../scripts/lib/common.sh"
cd "$ROOT"

# The last of the versions that run on the Node.js of Debian 12 and later.
CLIENT_NODE=@kubernetes/client-node@1.3.0

folder=$(mktemp -d /tmp/atelier-clients.XXXXXX)
SERVER=
clean() {
  [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
  [ -z "$SERVER" ] || wait "$SERVER" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT

export ATELIER_HOME="$folder/home"
build/release/bin/atelier server --listen 127.0.0.1:0 --docker off >"$folder/server.log" 2>&1 &
SERVER=$!
for ((i = 0; i < 150; i++)); do
  build/release/bin/atelier healthcheck >/dev/null 2>&1 && break
  sleep 0.2
done
build/release/bin/atelier healthcheck || { tail "$folder/server.log"; die "the server did not start"; }

note "python"
# Debian's own interpreter: its packages are not those of another python3 in the PATH.
/usr/bin/python3 tests/e2e/clients/client.py "$ATELIER_HOME/kubeconfig"

if command -v npm >/dev/null; then
  note "node: installing $CLIENT_NODE below a temporary folder"
  npm install --silent --no-audit --no-fund --prefix "$folder" "$CLIENT_NODE"
  cp tests/e2e/clients/client.js "$folder/client.js"
  (cd "$folder" && node client.js "$ATELIER_HOME/kubeconfig")
else
  note "node: no npm on this machine, so only python was tried"
fi
