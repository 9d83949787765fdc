# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# Builds the image that everything is tried with: the Dockerfile as it is, from a copy of the files that are, or will be,
# in the repository, so that nobody's settings, keys and data come near it.

checkout=''
image=branch-loan-api:tested
revision=''

build_image() {
  copy_checkout || return 1
  revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
  local arguments=(--progress plain --tag "$image" --build-arg "PROFILE=$profile" --build-arg "REVISION=$revision" --build-arg VERSION=tested)
  if [ -n "$binary" ]; then
    mkdir -p "$work/built"
    cp "$binary" "$work/built/branch-loan-api" && strip_debug "$work/built/branch-loan-api"
    arguments+=(--build-context "build=$work/built")
  fi
  check "the Dockerfile builds (${binary:+with a program given, not }${profile})" docker build "${arguments[@]}" "$checkout"
}

# A program with its debug information does not fit the image's budget.
strip_debug() { ! command -v strip >/dev/null || strip "$1"; }

copy_checkout() {
  checkout=$work/checkout
  mkdir -p "$checkout"
  (cd "$root" && git ls-files --cached --others --exclude-standard --deduplicate -z |
    tar --create --null --files-from - --ignore-failed-read 2>/dev/null) | tar --extract --directory "$checkout"
  [ -s "$checkout/Dockerfile" ] || fail "a copy of the checkout" "git ls-files gave no Dockerfile"
}

# variant TAG LINE…: the image with other lines at its end, to be good or bad in a way of its own
variant() {
  local tag=$1
  shift
  printf '%s\n' "FROM $image" "$@" | docker build --quiet --tag "branch-loan-api:$tag" - >/dev/null
}
