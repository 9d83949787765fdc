# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# A Docker engine of this run's own: its programs are unpacked from Debian 13's packages into the cache and not installed,
# so that no service starts and no other engine is touched. It is started by hand on a socket of its own, and ended by
# its process id; what it changed in the machine's network is taken back.

# Debian 12's engine (20.10) cannot build the Dockerfile; 13's runs on 12, too. runc and iptables are the machine's own.
engine_packages=(docker.io docker-cli docker-buildx docker-compose containerd)

# Installed, since their libraries are not everywhere. None of them starts a service.
engine_needs=(
  iptables:iptables runc:runc ip:iproute2 curl:curl openssl:openssl jq:jq mmdebstrap:mmdebstrap xz:xz-utils
)

dockerd_pid=''
registry_pid=''

start_engine() {
  if [ "$engine" = existing ]; then existing_engine; else own_engine; fi
}

existing_engine() {
  check "an engine answers" docker version || return 1
  check "it has Compose" docker compose version || return 1
  local taken
  taken=$(docker ps --all --quiet --filter name=branch-loan-api- && docker volume ls --quiet --filter name=branch-loan-api-)
  is "and no stack of this project, which this would remove" "" "$taken"
}

own_engine() {
  local missing
  [ "$(id -u)" = 0 ] || { skip "an engine of our own" "only root can start one"; return 1; }
  command -v apt-get >/dev/null || { skip "an engine of our own" "this is not Debian"; return 1; }
  missing=$(install_needs 2>&1) || { skip "an engine of our own" "packages are not to be had: $missing"; return 1; }
  unpack "${engine_packages[@]}" || { skip "an engine of our own" "Debian's archive cannot be reached"; return 1; }
  export PATH="$cache/programs/usr/bin:$cache/programs/usr/sbin:$PATH"
  export DOCKER_HOST="unix://$work/engine.sock" DOCKER_CONFIG="$work/client"
  mkdir -p "$DOCKER_CONFIG"
  printf '{"cliPluginsExtraDirs": ["%s"]}\n' "$cache/programs/usr/libexec/docker/cli-plugins" >"$DOCKER_CONFIG/config.json"
  end_leftover
  remember_network
  # no-new-privileges is here what deploy/swarm/stack.yml asks for; Swarm knows no security_opt.
  setsid dockerd --data-root "$cache/engine" --exec-root "$work/exec" --pidfile "$cache/engine.pid" \
    --host "$DOCKER_HOST" --no-new-privileges --shutdown-timeout 5 >"$work/engine.log" 2>&1 8>&- &
  dockerd_pid=$!
  within 60 docker version || { skip "an engine of our own" "it does not start: $(tail -n 5 "$work/engine.log")"; return 1; }
  ok "an engine of our own: $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short)"
  leave_nothing # of a run that was killed
}

install_needs() {
  local pair packages=()
  for pair in "${engine_needs[@]}"; do
    command -v "${pair%%:*}" >/dev/null || packages+=("${pair#*:}")
  done
  [ "${#packages[@]}" = 0 ] && return 0
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# apt with a list of sources of its own: the machine's stays as it is.
debian_13() {
  mkdir -p "$cache/apt/lists/partial"
  echo "deb ${DEBIAN_MIRROR:-http://deb.debian.org/debian} trixie main" >"$cache/apt/sources.list"
  apt-get -qq -o Dir::Etc::SourceList="$cache/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$cache/apt/lists" -o Dir::Cache::pkgcache='' -o Dir::Cache::srcpkgcache='' \
    -o APT::Sandbox::User=root "$@"
}

# unpack PACKAGE…: from Debian 13 into the cache, unless that was done.
unpack() {
  local package file wanting=()
  for package in "$@"; do [ -e "$cache/programs/$package.unpacked" ] || wanting+=("$package"); done
  [ "${#wanting[@]}" = 0 ] && return 0
  mkdir -p "$cache/programs" "$work/packages"
  (cd "$work/packages" && debian_13 update && debian_13 download "${wanting[@]}") || return 1
  for package in "${wanting[@]}"; do
    for file in "$work/packages/${package}"_*.deb; do
      dpkg-deb --extract "$file" "$cache/programs" || return 1
    done
    touch "$cache/programs/$package.unpacked"
  done
}

# --- the end

# The engine of a run that was killed.
end_leftover() {
  local pid
  pid=$(cat "$cache/engine.pid" 2>/dev/null) && grep -qsF "$cache/engine" "/proc/$pid/cmdline" || return 0
  kill "$pid" && within 60 gone "$pid"
}

# What is there already belongs to somebody else, unless a run was killed before it could take its own back.
remember_network() {
  [ ! -d "$cache/network" ] || return 0
  mkdir "$cache/network.new"
  cat /proc/sys/net/ipv4/ip_forward >"$cache/network.new/forwarding"
  iptables-save >"$cache/network.new/iptables" 2>/dev/null
  links >"$cache/network.new/links"
  mv "$cache/network.new" "$cache/network"
}

links() { ip -o link | awk -F': ' '{print $2}' | sed 's/@.*//' | sort; }

# Containers, stacks, volumes and networks; images and the builder's cache stay for the next run, within limits.
leave_nothing() {
  docker swarm leave --force
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes
  docker volume ls --quiet | xargs --no-run-if-empty docker volume rm --force
  docker network prune --force
  docker images --quiet --filter dangling=true | xargs --no-run-if-empty docker rmi --force
  docker images --format '{{.Repository}}:{{.Tag}}' | grep -e '^branch-loan-api' -e '^127\.0\.0\.1:' |
    xargs --no-run-if-empty docker rmi --force
  docker builder prune --force --keep-storage 8GB
} >/dev/null 2>&1

stop_engine() {
  [ -n "$dockerd_pid" ] || return 0
  leave_nothing
  kill "$dockerd_pid" 2>/dev/null
  within 40 gone "$dockerd_pid" || kill -KILL "$dockerd_pid" 2>/dev/null
  wait "$dockerd_pid" 2>/dev/null
  # What a container's process leaves mounted keeps the folder from being removed.
  awk -v folder="$work/" 'index($2, folder) == 1 {print $2}' /proc/mounts | sort --reverse | xargs --no-run-if-empty umount --lazy
  forget_network
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# Only what was not there before, and only rules that name what belongs to Docker.
forget_network() {
  local link table
  for table in filter nat raw mangle; do
    iptables -t "$table" -S 2>/dev/null | grep -E '^-A .*(DOCKER|docker0|docker_gwbridge|br-[0-9a-f]{12}|172\.(1[7-9]|2[0-9]|3[01])\.)' |
      while read -r _ rule; do xargs iptables -w -t "$table" -D <<<"$rule"; done 2>/dev/null
    iptables -t "$table" -S 2>/dev/null | awk '/^-N DOCKER/ {print $2}' | while read -r chain; do
      iptables -w -t "$table" -F "$chain"
    done
    iptables -t "$table" -S 2>/dev/null | awk '/^-N DOCKER/ {print $2}' | while read -r chain; do
      iptables -w -t "$table" -X "$chain"
    done
  done
  grep -q '^:FORWARD DROP' "$cache/network/iptables" || iptables -w -P FORWARD ACCEPT
  links | comm -13 "$cache/network/links" - |
    grep -E '^(docker0|docker_gwbridge|br-[0-9a-f]{12}|veth)' | while read -r link; do ip link delete "$link" 2>/dev/null; done
  cat "$cache/network/forwarding" >/proc/sys/net/ipv4/ip_forward
  rm -rf "$cache/network"
}

# --- a registry, since only what was pushed has a digest

registry=''
start_registry() {
  unpack docker-registry || return 1
  local port
  port=$(free_port 15000)
  mkdir -p "$work/registry"
  cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
YAML
  "$cache/programs/usr/bin/docker-registry" serve "$work/registry.yml" >"$work/registry.log" 2>&1 8>&- &
  registry_pid=$!
  within 20 curl --fail --silent "http://127.0.0.1:$port/v2/" || return 1
  registry=127.0.0.1:$port
}

stop_registry() { [ -z "$registry_pid" ] || { kill "$registry_pid" && wait "$registry_pid"; } 2>/dev/null; }

# push IMAGE: prints the name by digest
push() {
  local name=$registry/branch-loan-api
  docker tag "$1" "$name:${1##*:}" && docker push --quiet "$name:${1##*:}" >/dev/null &&
    docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" | grep "^$name@" | tail -n 1
}

# free_port FROM: the first from there on that nobody listens on
free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}
