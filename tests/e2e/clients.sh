#!/usr/bin/env bash
# The official clients of two languages against a running server, by the kubeconfig that it writes:
# Debian's python3-kubernetes, and @kubernetes/client-node from the npm registry.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"
command -v npm >/dev/null || die "npm is not there: scripts/test installs it"

# The last of the versions that run on the Node.js of Debian 12 and later.
CLIENT_NODE=@kubernetes/client-node@1.3.0
CLIENTS=$ROOT/tests/e2e/clients

begin_world
cd "$WORLD"
start_server --docker off

note "python"
# Debian's own interpreter: its packages are not those of another python3 in the PATH.
/usr/bin/python3 "$CLIENTS/client.py" "$KUBECONFIG"

note "node: installing $CLIENT_NODE below a temporary folder"
npm install --silent --no-audit --no-fund --prefix "$WORLD" "$CLIENT_NODE"
cp "$CLIENTS/client.js" "$WORLD/client.js"
node client.js "$KUBECONFIG"
