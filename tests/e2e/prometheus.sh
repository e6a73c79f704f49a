#!/usr/bin/env bash
# A real Prometheus scrapes the server over TLS, and queries show what an operator needs: reconciles, queue
# depths, actions, workspaces by condition, installs, drift.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"

begin_world
cd "$WORLD"
PROMETHEUS=$TOOLS/prometheus/usr/bin/prometheus
[ -x "$PROMETHEUS" ] || unpack_tool prometheus
start_git_server
mkdir plugin
echo 'name: p' >plugin/plugin.yaml
make_remote plugin "$WORLD/plugin"
push plugin one >/dev/null
start_server --docker off
{
  manifest Plugin p "source: \"git+http://127.0.0.1:$GIT_PORT/plugin.git#main\", interval: 1h"
  manifest Workspace agent "role: tester, plugins: [p]"
} | atelier apply -f - >/dev/null
atelier wait workspace agent --for=condition=Ready --timeout 60s >/dev/null
installed() {
  local name
  name=$(atelier get plugininstalls -o json | jq -r '.items[0].metadata.name // ""')
  [ -n "$name" ] && is_ready plugininstall "$name"
}
expect "the plugin is not installed" installed
echo more >work/plugin/more.md
push plugin two >/dev/null
atelier reconcile plugin p --wait >/dev/null

port=$(free_port)
cat >prometheus.yml <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: atelier
    scheme: https
    tls_config: {ca_file: $ATELIER_HOME/pki/ca.crt}
    authorization: {credentials_file: $ATELIER_HOME/token}
    static_configs: [{targets: ["127.0.0.1:$PORT"]}]
END
"$PROMETHEUS" --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="127.0.0.1:$port" \
  >prometheus.log 2>&1 &
SERVICES+=("kill $!; wait $!")
ask() { curl -fsS --get --data-urlencode "query=$1" "http://127.0.0.1:$port/api/v1/query" 2>/dev/null; }
holds() { # holds QUERY: it has a result
  ask "$1" | jq -e '.data.result | length >= 1' >/dev/null
}
for query in \
  'up{job="atelier"} == 1' \
  'sum(controller_runtime_reconcile_total{controller="workspace",result="success"}) > 0' \
  'histogram_quantile(0.9, sum by (le) (controller_runtime_reconcile_time_seconds_bucket)) > 0' \
  'workqueue_depth{name="workspace"} == 0' \
  'sum by (action) (atelier_workspace_actions_total) > 0' \
  'atelier_conditions{kind="Workspace",condition="Ready",status="True"} == 1' \
  'sum(atelier_plugin_installs) == 1' \
  'sum(atelier_plugin_updates{phase="Pending"}) == 1'; do
  expect "Prometheus does not find: $query" holds "$query"
done
