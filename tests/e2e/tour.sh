#!/usr/bin/env bash
# Runs docs/tour.md, command by command, on a server that scripts/demo --keep leaves running. Also: the
# metrics can be scraped, and nothing is left at the end.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"
cd "$ROOT"

: "${ATELIER_TEST_DOCKER:?a Docker Engine: unix://…}"
: "${ATELIER_TEST_KUBECTL:?a kubectl}"
: "${ATELIER_TEST_PROMTOOL:?a promtool}"

ATELIER_DEMO_PORT=$(free_port)
ATELIER_DEMO_GIT_PORT=$(free_port)
export ATELIER_DEMO_PORT ATELIER_DEMO_GIT_PORT ATELIER_DOCKER=$ATELIER_TEST_DOCKER

scripts/demo --keep
trap 'scripts/demo --stop >/dev/null 2>&1 || true' EXIT

shims=$(mktemp -d)
ln -s "$ATELIER_TEST_KUBECTL" "$shims/kubectl"
export ATELIER_HOME="$ROOT/build/demo/home" KUBECONFIG="$ROOT/build/demo/home/kubeconfig"
export PATH="$shims:$ROOT/build/release/bin:$PATH"

curl -fsS --cacert "$ATELIER_HOME/pki/ca.crt" "https://127.0.0.1:$ATELIER_DEMO_PORT/metrics" >"$shims/metrics"
"$ATELIER_TEST_PROMTOOL" check metrics <"$shims/metrics"
for metric in controller_runtime_reconcile_total workqueue_depth atelier_conditions \
  atelier_plugin_installs atelier_plugin_updates apiserver_request_total; do
  grep -q "^$metric" "$shims/metrics" || die "the metric $metric is missing"
done

commands=0
while IFS= read -r command; do
  printf '\n$ %s\n' "$command"
  bash -euo pipefail -c "$command"
  commands=$((commands + 1))
done < <(awk '/^```console/ {on = 1; next} /^```/ {on = 0} on && /^\$ / {print substr($0, 3)}' docs/tour.md)
[ "$commands" -ge 20 ] || die "the tour has only $commands commands"
rm -rf "$shims"
[ ! -e build/demo ] || die "build/demo is left"
note "$commands commands of the tour"
