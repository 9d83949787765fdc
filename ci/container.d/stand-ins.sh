# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# Test stand-ins, never published: images with the names of the real ones, made of Debian's packages, for a machine that
# reaches no image registry. They let the Dockerfile and the Compose files run as they are; what they cannot show is that
# the real images behave the same, which the pipeline does. An engine that exists has the real ones.

stand_ins=$here/container.d/stand-ins
slim_image=debian:trixie-slim

make_stand_ins() {
  runtime_image=$(argument RUNTIME_IMAGE)
  rust_image=$(argument RUST_IMAGE)
  postgres_image=$(sed -n 's/^ *image: \(postgres:.*\)/\1/p' "$root/compose.dev.yml")
  prometheus_image=$(sed -n 's/^ *image: \(prom\/prometheus:.*\)/\1/p' "$root/compose.observability.yml")
  alertmanager_image=$(sed -n 's/^ *image: \(prom\/alertmanager:.*\)/\1/p' "$root/compose.observability.yml")
  [ "$engine" = own ] || { real_images; return; }
  made_of=$(cat "$stand_ins"/* "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)-$(toolchain_version)
  stand_in "$runtime_image" distroless && stand_in "$slim_image" slim && stand_in "$postgres_image" postgres || return 1
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
  if [ "$(docker image inspect --format '{{index .Config.Labels "made-of"}}' "$1" 2>/dev/null)" = "$made_of" ]; then
    ok "$1, kept" && return
  fi
  check "$1 out of Debian's packages" "make_$2" "$1"
}

toolchain_version() { rustc --version 2>/dev/null | cut -d' ' -f2; }

# debian NAME CHANGE… -- OPTION…: unpacks Debian 13 and imports it as an image.
debian() {
  local name=$1 changes=(--change "LABEL made-of=$made_of")
  shift
  while [ "$1" != -- ]; do changes+=(--change "$1") && shift; done
  shift
  mmdebstrap --quiet "$@" trixie - "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" | docker import "${changes[@]}" - "$name"
}

# As distroless: libraries, names of zones, authorities, and no program at all.
make_distroless() {
  debian "$1" 'USER 65532' 'WORKDIR /home/nonroot' 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -- --variant=extract \
    --include=base-files,netbase,tzdata,libc6,libgcc-s1,libstdc++6,ca-certificates --extract-hook="$stand_ins"/distroless
}

make_slim() {
  debian "$1" 'CMD ["bash"]' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -- --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*'
}

# on_slim NAME OPTION…: the Dockerfile that comes in, on Debian 13, with the host's way to Debian's archive.
on_slim() {
  local name=$1
  shift
  { echo "FROM $slim_image" && cat; } |
    docker build --quiet --network host --tag "$name" --label "made-of=$made_of" --file - "$@" "$stand_ins"
}

apt_install() { echo "RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends $* && rm -rf /var/lib/apt/lists/*"; }

# The machine's own compiler, if it is the one that the Dockerfile names, and the authorities that the machine trusts.
make_rust() {
  local authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
  [[ "rust:$(toolchain_version)" == "${1%%-*}"* ]] || { echo "rustc here is $(toolchain_version), not that of $1"; return 1; }
  on_slim "$1" --build-context "toolchain=$(rustc --print sysroot)" --build-context "authorities=$(dirname "$authorities")" <<DOCKERFILE
$(apt_install gcc libc6-dev ca-certificates)
COPY --from=toolchain lib /usr/local/toolchain/lib
COPY --from=toolchain bin/cargo bin/rustc /usr/local/toolchain/bin/
COPY --from=authorities $(basename "$authorities") /etc/ssl/certs/ca-certificates.crt
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DOCKERFILE
}

# The user has the number that it has in the real image.
make_postgres() {
  on_slim "$1" <<DOCKERFILE
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres
$(apt_install postgresql openssl)
RUN rm -rf /var/lib/postgresql/* /etc/postgresql && install -d -o 999 -g 999 -m 0700 /var/lib/postgresql/data &&\
    install -d -o 999 -g 999 -m 3777 /var/run/postgresql
COPY --chmod=0755 postgres-entrypoint /usr/local/bin/
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]
DOCKERFILE
}

make_prometheus() { monitoring "$1" prometheus /prometheus; }

make_alertmanager() { monitoring "$1" prometheus-alertmanager /alertmanager; }

# Both in one layer, so that the second is there when the first is.
monitoring() {
  on_slim "$1" <<DOCKERFILE
$(apt_install prometheus prometheus-alertmanager wget)
RUN rm -rf /etc/prometheus && install -d -o 65534 -g 65534 /prometheus /alertmanager
VOLUME $3
WORKDIR $3
ENTRYPOINT ["/usr/bin/$2"]
DOCKERFILE
}
