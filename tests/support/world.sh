# Shared by tests/e2e: a world of one's own (a server, git remotes, a Docker) below a temporary
# folder, and how to look at it. Sourced, not run; ends itself when the script does.
# shellcheck shell=bash disable=SC2034
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

BIN=${ATELIER_TEST_BIN:-$ROOT/build/release/bin}
KUBECTL=${ATELIER_TEST_KUBECTL:-}
WORLD=
IMAGE=atelier/demo-workspace:latest

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_true() { # until_true SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}
expect() { # expect WHAT COMMAND...: within 40 s
  local what=$1
  shift
  until_true 40 "$@" || die "$what"
}
says() { # says FILE WORDS...: it has each of them
  local file=$1 word
  shift
  for word in "$@"; do
    grep -qF -- "$word" "$file" || { cat "$file" >&2; die "not said: $word"; }
  done
}

# begin_world [PREFIX]: makes $WORLD with what a server needs, undone at the end of the script.
begin_world() {
  WORLD=$(mktemp -d "/tmp/atelier-e2e.XXXXXX")
  export ATELIER_HOME="$WORLD/home" KUBECONFIG="$WORLD/home/kubeconfig" PATH="$BIN:$PATH"
  trap end_world EXIT
  trap 'exit 130' INT TERM
}
end_world() {
  local failed=$?
  if [ "$failed" -ne 0 ] && [ -e "$WORLD/server.log" ]; then
    echo "the last words of the server:" >&2
    tail -30 "$WORLD/server.log" >&2
  fi
  # Workspaces outlive their server: they are deleted while it is there.
  if [ -n "$SERVER_PID" ] && kill -0 "$SERVER_PID" 2>/dev/null; then
    timeout 30 atelier delete orgs --all --wait >/dev/null 2>&1 || true
    timeout 30 atelier delete workspaces --all --wait >/dev/null 2>&1 || true
  fi
  stop_server || true
  end_processes_of_world
  stop_services
  # A failure leaves its files for who wants to look, when asked to.
  if [ "$failed" -eq 0 ] || [ -z "${ATELIER_KEEP_WORLD:-}" ]; then rm -rf "$WORLD"; fi
  exit "$failed"
}
end_processes_of_world() { # what a server that was killed left running as processes
  local environment
  for environment in /proc/[0-9]*/environ; do
    if grep -qzF "ATELIER_CONFIGS=$WORLD/" "$environment" 2>/dev/null; then
      kill -9 "$(basename "$(dirname "$environment")")" 2>/dev/null || true
    fi
  done
}

# start_server [OPTIONS...]: with the options of the time before when none are given, as AS says.
SERVER_OPTIONS=()
SERVER_PID=
AS=()
as_nobody() { # from now on: whom no mode of a file lets pass; only root may
  cp "$BIN/atelier" "$BIN/atelier-agent" "$WORLD"
  BIN=$WORLD
  chmod 755 "$WORLD"
  mkdir -p "$ATELIER_HOME"
  chown 65534:65534 "$ATELIER_HOME"
  AS=(setpriv --reuid=65534 --regid=65534 --clear-groups)
}
start_server() {
  [ "$#" -eq 0 ] || SERVER_OPTIONS=("$@")
  [ -n "${PORT:-}" ] || PORT=$(free_port)
  "${AS[@]}" "$BIN/atelier" server --listen "127.0.0.1:$PORT" "${SERVER_OPTIONS[@]}" >>"$WORLD/server.log" 2>&1 &
  SERVER_PID=$!
  until_true 30 is_up_or_gone || die "the server did not come up"
  kill -0 "$SERVER_PID" 2>/dev/null || die "the server ended at once"
}
is_up_or_gone() { atelier get namespaces >/dev/null 2>&1 || ! kill -0 "$SERVER_PID" 2>/dev/null; }
stop_server() {
  [ -n "$SERVER_PID" ] || return 0
  kill "$SERVER_PID" 2>/dev/null || true
  wait "$SERVER_PID" || true
  SERVER_PID=
}
kill_server() { # as a power cut does
  kill -9 "$SERVER_PID"
  wait "$SERVER_PID" 2>/dev/null || true
  SERVER_PID=
}
server_rss() { awk '/^VmRSS/ {print $2}' "/proc/$SERVER_PID/status"; } # KiB

# manifest KIND NAME SPEC: as YAML, one of several
manifest() {
  printf 'apiVersion: atelier.dev/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n---\n' "$1" "$2" "$3"
}
# field TYPE NAME JSONPATH_OF_JQ
field() { atelier get "$1" "$2" -o json 2>/dev/null | jq -r "$3"; }
condition() { field "$1" "$2" ".status.conditions // [] | map(select(.type == \"$3\"))[0] | .$4"; }
is_ready() { [ "$(condition "$1" "$2" Ready status)" = True ]; }
has_reason() { # has_reason TYPE NAME REASON: of Ready
  [ "$(condition "$1" "$2" Ready reason)" = "$3" ]
}
message_has() { # message_has TYPE NAME WORDS: of Ready
  [[ "$(condition "$1" "$2" Ready message)" == *"$3"* ]]
}
has_event() { # has_event KIND NAME REASON
  [ "$(atelier get events -o json | jq --arg k "$1" --arg n "$2" --arg r "$3" '[.items[] |
    select(.involvedObject.kind == $k and .involvedObject.name == $n and .reason == $r)] | length')" -ge 1 ]
}
api() { # api PATH [CURL_ARGUMENTS...]
  local path=$1
  shift
  curl -sS --cacert "$ATELIER_HOME/pki/ca.crt" -H "Authorization: Bearer $(cat "$ATELIER_HOME/token")" \
    "$@" "https://127.0.0.1:$PORT$path"
}

# Git: working copies below $WORLD/work, their remotes below $WORLD/git.
make_remote() { # make_remote NAME [FOLDER]: with the content of a folder
  local name=$1
  mkdir -p "$WORLD/git" "$WORLD/work/$name"
  [ -z "${2:-}" ] || cp -rT "$2" "$WORLD/work/$name"
  git -C "$WORLD/work/$name" init -q -b main
  git init -q --bare -b main "$WORLD/git/$name.git"
  git -C "$WORLD/work/$name" remote add origin "$WORLD/git/$name.git"
}
push() { # push NAME MESSAGE: all that lies in the working copy
  git -C "$WORLD/work/$1" add -A
  git -C "$WORLD/work/$1" -c user.name=Test -c user.email=test@example.invalid -c commit.gpgsign=false \
    commit -q --allow-empty -m "$2"
  git -C "$WORLD/work/$1" push -q origin main
}
start_git_server() { # sets GIT_PORT
  mkdir -p "$WORLD/git"
  GIT_PORT=$(free_port)
  : >"$WORLD/git.log"
  python3 "$ROOT/tests/support/git_http_server.py" --root "$WORLD/git" --port "$GIT_PORT" \
    >"$WORLD/git.log" 2>&1 &
  SERVICES+=("kill $!")
  expect "the git server did not come up" grep -q "port=" "$WORLD/git.log"
}

# Docker, at the socket $SOCKET.
use_docker() { # use_docker NAME: that of $ATELIER_TEST_DOCKER, with a workspace image of one's own, $IMAGE
  SOCKET=${ATELIER_TEST_DOCKER:?a Docker Engine: unix://…}
  SOCKET=${SOCKET#unix://}
  IMAGE=atelier-test/$1-$$:latest
  import_workspace_image "$SOCKET" "$IMAGE" "$BIN/atelier-agent"
  SERVICES+=("docker_api DELETE /images/$IMAGE")
}
docker_api() { # docker_api METHOD PATH [CURL_ARGUMENTS...]
  local method=$1 path=$2
  shift 2
  curl -fsS --unix-socket "$SOCKET" -X "$method" "$@" "http://docker$path"
}
of_this_server() { # of_this_server containers/json|volumes|networks: as JSON
  docker_api GET "/$1" --get --data all=true --data-urlencode \
    "filters={\"label\":[\"atelier.dev/instance=$(cat "$ATELIER_HOME/instance-id")\"]}"
}
units() { of_this_server containers/json | jq -r '.[].Id' | sort; }
running_units() { of_this_server containers/json | jq -r '.[] | select(.State == "running") | .Id' | sort; }
nothing_of_this_server() {
  [ "$(of_this_server containers/json | jq length)" = 0 ] &&
    [ "$(of_this_server volumes | jq '.Volumes // [] | length')" = 0 ] &&
    [ "$(of_this_server networks | jq length)" = 0 ]
}

# A dockerd of the world's own, in a network namespace of its own: in ours it would remove the
# bridge of the machine's Docker. With HIDDEN, that folder looks empty to it and its containers, as
# on a machine of its own. Sets SOCKET and DOCKERD_PID.
HIDDEN=
start_own_docker() {
  local space
  if [ ! -e "$WORLD/docker" ]; then
    mkdir "$WORLD/docker"
    space="atelier-e2e-$$"
    ip netns add "$space"
    SERVICES+=("ip netns del $space" "rm -rf $WORLD/docker" stop_own_docker)
    ip -n "$space" link set lo up
    SOCKET="$WORLD/docker/docker.sock"
    NETWORK_SPACE="/run/netns/$space"
  fi
  # A dockerd that was killed leaves its containerd behind, and the next may fail over it once.
  until_true 60 own_docker_is_up || { tail -20 "$WORLD/docker/log" >&2; die "dockerd did not come up"; }
}
own_docker_is_up() {
  curl -fsS --max-time 2 --unix-socket "$SOCKET" http://docker/_ping >/dev/null 2>&1 && return
  if [ -z "${DOCKERD_PID:-}" ] || ! kill -0 "$DOCKERD_PID" 2>/dev/null; then
    rm -f "$WORLD/docker/pid"
    # shellcheck disable=SC2016
    nsenter --net="$NETWORK_SPACE" unshare --mount --propagation private \
      sh -c '[ -z "$1" ] || mount -t tmpfs none "$1"; folder=$2; exec /usr/sbin/dockerd --bridge none \
        --iptables=false --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
        -H "unix://$folder/docker.sock"' sh "$HIDDEN" "$WORLD/docker" >>"$WORLD/docker/log" 2>&1 &
    DOCKERD_PID=$!
  fi
  return 1
}
kill_own_docker() { # as a power cut does
  kill -9 "$DOCKERD_PID"
  wait "$DOCKERD_PID" 2>/dev/null || true
  DOCKERD_PID=
}
stop_own_docker() {
  local pid
  [ -n "${DOCKERD_PID:-}" ] || return 0
  kill "$DOCKERD_PID" 2>/dev/null || true
  wait "$DOCKERD_PID" 2>/dev/null || true
  for pid in "$WORLD"/docker/exec/containerd/*.pid; do
    if [ -e "$pid" ]; then kill -9 "$(cat "$pid")" 2>/dev/null || true; fi
  done
}
