# Shared by the scripts: what to install, and how to start what the tests need. Sourced, not run.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS="$ROOT/build/tools"

# One compiler cache serves every checkout of this project.
export CCACHE_BASEDIR="$ROOT" CCACHE_NOHASHDIR=1

BUILD_PACKAGES=(
  g++ cmake ninja-build ccache pkg-config mold git ca-certificates curl python3
  libcpprest-dev libyaml-cpp-dev libpqxx-dev libpq-dev libgit2-dev libarchive-dev
  prometheus-cpp-dev libboost-dev libboost-program-options-dev libcurl4-openssl-dev
  libsqlite3-dev libssl-dev rapidjson-dev libsimdjson-dev libfmt-dev libspdlog-dev
  protobuf-compiler libprotobuf-dev busybox-static
)
TEST_PACKAGES=(
  libgtest-dev libgmock-dev docker.io iptables postgresql-15 clang-format clang-tidy-16 clang-16
  libclang-rt-16-dev shellcheck
  python3-kubernetes jq tmux iproute2
)
BENCH_PACKAGES=(docker.io docker-compose postgresql-15 busybox-static git python3)

say() { printf '\n\033[1m%s\033[0m\n' "$*" | { if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }; }
note() { printf '  %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND...: through sudo when we are not root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
      printf '%s\n' "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ "${#missing[@]}" -eq 0 ]; then
    note "all Debian packages are there already"
    return
  fi
  command -v apt-get >/dev/null || die "this needs Debian 12 (apt-get); missing: ${missing[*]}"
  note "installing Debian packages: ${missing[*]}"
  local log
  log=$(mktemp)
  as_root apt-get update -qq >"$log" 2>&1 || { cat "$log"; die "apt-get update failed"; }
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >"$log" 2>&1 || { tail -30 "$log"; die "apt-get install failed"; }
  rm -f "$log"
}

# unpack_tool PACKAGE: a Debian package unpacked below build/tools, not installed: it starts no
# service and replaces no program of that name.
unpack_tool() {
  local package=$1 folder="$TOOLS/$1"
  [ -e "$folder/.complete" ] && return
  rm -rf "$folder" && mkdir -p "$folder/deb"
  note "unpacking the Debian package $package below build/tools"
  (cd "$folder/deb" && apt-get download -qq "$package" >/dev/null 2>&1) ||
    { as_root apt-get update -qq && (cd "$folder/deb" && apt-get download -qq "$package" >/dev/null); } ||
    die "cannot download $package"
  dpkg -x "$folder"/deb/*.deb "$folder"
  rm -rf "$folder/deb"
  touch "$folder/.complete"
}

build() { # build PRESET TARGET...; with TESTS=OFF, without what only tests need
  local preset=$1
  shift
  mkdir -p "$ROOT/build"
  (cd "$ROOT" && cmake --preset "$preset" -DATELIER_TESTS="${TESTS:-ON}" >"$ROOT/build/cmake-$preset.log" 2>&1) ||
    { cat "$ROOT/build/cmake-$preset.log"; die "cmake failed"; }
  local log="$ROOT/build/ninja-$preset.log"
  NINJA_STATUS='%f %t %e ' ninja -C "$ROOT/build/$preset" "$@" 2>&1 | tee "$log" | show_progress ||
    { grep -vE '^[0-9]+ [0-9]+ [0-9.]+ ' "$log" | tail -60; die "the build of $preset failed; see ${log#"$ROOT/"}"; }
}

# Reads ninja's lines "FINISHED TOTAL SECONDS ..." and says, at once and then every ten seconds, how
# many steps are done and about how long the others take, if they take as long as those before.
show_progress() {
  local finished total seconds said=-10 left
  while read -r finished total seconds _; do
    [[ $finished =~ ^[0-9]+$ && $total =~ ^[0-9]+$ && $seconds =~ ^[0-9]+\.[0-9]+$ ]] || continue
    seconds=${seconds%.*}
    if ((finished == total)); then
      note "built: $total steps in $(duration "$seconds")"
    elif ((seconds >= said + 10)); then
      said=$seconds
      left=
      ((finished < 5)) || left="; about $(duration $((seconds * (total - finished) / finished))) left"
      note "$finished of $total steps after $(duration "$seconds")$left"
    fi
  done
}
duration() { if (($1 < 60)); then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi; }

# What start_* began, undone by stop_services in reverse order. Trap it on EXIT.
SERVICES=()
stop_services() {
  local i
  for ((i = ${#SERVICES[@]} - 1; i >= 0; i--)); do eval "${SERVICES[$i]}" >/dev/null 2>&1 || true; done
  SERVICES=()
}

# Sets ATELIER_TEST_DOCKER: the machine's Docker when it answers, else one of our own, below a
# temporary folder, stopped at the end.
start_docker() {
  if [ -z "${ATELIER_OWN_DOCKER:-}" ] && curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://d/_ping >/dev/null 2>&1; then
    export ATELIER_TEST_DOCKER=unix:///var/run/docker.sock
    note "using the Docker that runs on this machine"
    return
  fi
  local folder
  folder=$(mktemp -d /tmp/atelier-docker.XXXXXX)
  note "starting a Docker daemon of our own below $folder"
  as_root /usr/sbin/dockerd --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/pid" --group "$(id -gn)" -H "unix://$folder/docker.sock" >"$folder/log" 2>&1 &
  SERVICES+=("stop_docker $folder")
  local i
  for ((i = 0; i < 150; i++)); do
    curl -fsS --max-time 2 --unix-socket "$folder/docker.sock" http://d/_ping >/dev/null 2>&1 && break
    sleep 0.2
  done
  curl -fsS --max-time 5 --unix-socket "$folder/docker.sock" http://d/_ping >/dev/null ||
    { tail -20 "$folder/log"; die "dockerd did not start"; }
  export ATELIER_TEST_DOCKER="unix://$folder/docker.sock"
}
stop_docker() {
  local folder=$1 pid i
  pid=$(cat "$folder/pid") || return 0
  as_root kill "$pid"
  for ((i = 0; i < 150; i++)); do
    as_root kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  as_root rm -rf "$folder"
}

# Sets ATELIER_TEST_POSTGRES: a cluster of our own on a unix socket and a free loopback port.
start_postgres() {
  local folder bin port run=()
  bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -1)
  folder=$(mktemp -d /tmp/atelier-postgres.XXXXXX)
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder"
    run=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  note "starting a PostgreSQL of our own below $folder"
  (cd "$folder" && "${run[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust --no-sync >"$folder/log" 2>&1) ||
    { cat "$folder/log"; die "initdb failed"; }
  (cd "$folder" && "${run[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/server.log" \
    -o "-p $port -k $folder -c listen_addresses=127.0.0.1" start >"$folder/log" 2>&1) ||
    { cat "$folder/log" "$folder/server.log"; die "PostgreSQL did not start"; }
  SERVICES+=("(cd $folder && ${run[*]} $bin/pg_ctl -D $folder/data -m immediate stop); rm -rf $folder")
  export ATELIER_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
}

# import_workspace_image SOCKET NAME:TAG AGENT: an image of busybox and atelier-agent, nothing else.
import_workspace_image() {
  local socket=$1 image=$2 agent=$3 root tool
  root=$(mktemp -d)
  mkdir -p "$root/bin" "$root/configs" "$root/workspace" "$root/tmp" "$root/run/atelier" "$root/etc"
  chmod 755 "$root"
  cp /bin/busybox "$root/bin/busybox"
  cp "$agent" "$root/bin/atelier-agent"
  for tool in sh mv rm mkdir sha256sum find cat chown chmod ls sync timeout sleep; do
    ln -sf busybox "$root/bin/$tool"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  tar -C "$root" --owner=0 --group=0 --numeric-owner -c . |
    curl -fsS --unix-socket "$socket" -X POST -H 'Content-Type: application/x-tar' -T - -o /dev/null \
      "http://docker/images/create?fromSrc=-&repo=${image%:*}&tag=${image#*:}&changes=CMD%20%5B%22%2Fbin%2Fatelier-agent%22%5D"
  rm -rf "$root"
}
