# shellcheck shell=bash
# Test stand-ins, never published: images with the names of the real ones, made of Debian's packages, for a machine that
# reaches no image registry. They let the Dockerfile and the Compose files run as they are; what they cannot show is that
# the real images behave the same, which the pipeline does. An engine that exists has the real ones.

stand_ins=$here/container.d/stand-ins

make_stand_ins() {
  runtime_image=$(argument RUNTIME_IMAGE)
  rust_image=$(argument RUST_IMAGE)
  postgres_image=$(sed -n 's/^ *image: \(postgres:.*\)/\1/p' "$root/compose.dev.yml")
  prometheus_image=$(sed -n 's/^ *image: \(prom\/prometheus:.*\)/\1/p' "$root/compose.observability.yml")
  alertmanager_image=$(sed -n 's/^ *image: \(prom\/alertmanager:.*\)/\1/p' "$root/compose.observability.yml")
  [ "$engine" = own ] || { real_images && return; }
  # One after the other: they wait for the same archive, and for apt's lock.
  stand_in "$runtime_image" distroless && stand_in "$postgres_image" postgres || return 1
  if [ -z "$binary" ]; then stand_in "$rust_image" rust || return 1; fi
  if [[ " ${parts[*]} " == *" observability "* ]]; then
    stand_in "$prometheus_image" prometheus && stand_in "$alertmanager_image" alertmanager
  fi
}

# The default of an argument of the Dockerfile.
argument() { sed -n "s/^ARG $1=//p" "$root/Dockerfile"; }

real_images() {
  local image
  for image in "$runtime_image" "$postgres_image" "$prometheus_image" "$alertmanager_image"; do
    docker image inspect "$image" >/dev/null 2>&1 || check "pull $image" docker pull --quiet "$image" || return 1
  done
}

# stand_in NAME KIND: unless the engine has kept it from an earlier run, made by these very lines.
stand_in() {
  local name=$1 kind=$2 made
  made=$(cat "$stand_ins"/* "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)-$(toolchain_version)
  if [ "$(docker image inspect --format '{{index .Config.Labels "made"}}' "$name" 2>/dev/null)" = "$made" ]; then
    ok "$name, kept" && return
  fi
  check "$name out of Debian's packages" "make_$kind" "$name" "LABEL made=$made"
}

toolchain_version() { rustc --version 2>/dev/null | cut -d' ' -f2; }

# debian NAME PACKAGES CHANGE… -- OPTION…: a Debian 13 with packages, imported as an image.
debian() {
  local name=$1 packages=$2 changes=()
  shift 2
  while [ "$1" != -- ]; do changes+=(--change "$1") && shift; done
  shift
  mmdebstrap --quiet --include="$packages" "$@" trixie - "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" |
    docker import "${changes[@]}" - "$name"
}

slim=(
  --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*'
  --dpkgopt='path-exclude=/usr/share/doc/*'
)

# As distroless: libraries, names of zones, authorities, and no program at all.
make_distroless() {
  # shellcheck disable=SC2016 # $1 is for mmdebstrap to fill in
  debian "$1" base-files,netbase,tzdata,libc6,libgcc-s1,libstdc++6,ca-certificates "$2" 'USER 65532' 'WORKDIR /home/nonroot' \
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' -- \
    --variant=extract --customize-hook="$stand_ins"/distroless
}

# The machine's own compiler, if it is the one that the Dockerfile names.
make_rust() {
  local toolchain
  [[ "rust:$(toolchain_version)" == "${1%%-*}"* ]] || { echo "rustc here is $(toolchain_version), not that of $1" && return 1; }
  toolchain=$(rustc --print sysroot)
  TOOLCHAIN=$toolchain AUTHORITIES=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} \
    debian "$1" gcc,libc6-dev,ca-certificates "$2" 'ENV CARGO_HOME=/usr/local/cargo' \
    'ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -- \
    "${slim[@]}" --customize-hook="$stand_ins"/rust
}

make_postgres() {
  debian "$1" postgresql,openssl "$2" 'ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin' \
    'ENV PGDATA=/var/lib/postgresql/data' 'VOLUME /var/lib/postgresql/data' 'EXPOSE 5432' 'STOPSIGNAL SIGINT' \
    'ENTRYPOINT ["postgres-entrypoint"]' 'CMD ["postgres"]' -- \
    "${slim[@]}" --essential-hook="$stand_ins"/postgres-user --customize-hook="$stand_ins"/postgres
}

make_prometheus() {
  debian "$1" prometheus,wget "$2" 'ENTRYPOINT ["/usr/bin/prometheus"]' 'VOLUME /prometheus' 'WORKDIR /prometheus' -- \
    "${slim[@]}" --customize-hook="$stand_ins/monitoring prometheus \"\$1\""
}

make_alertmanager() {
  debian "$1" prometheus-alertmanager,wget "$2" 'ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]' 'VOLUME /alertmanager' \
    'WORKDIR /alertmanager' -- "${slim[@]}" --customize-hook="$stand_ins/monitoring alertmanager \"\$1\""
}
