# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# How ci/container says what holds and what does not: one line a check, and at the end how many of each. Nothing here
# knows of containers.

passed=0 failed=0 skipped=0

ok() { printf 'ok    %s\n' "$1" && passed=$((passed + 1)); }

# fail NAME [WHAT WAS SAID]
fail() {
  printf 'FAIL  %s\n' "$1"
  [ -z "${2:-}" ] || printf '%s\n' "$2" | tail -n 40 | sed 's/^/      /'
  failed=$((failed + 1))
  return 1
}

# skip NAME WHY: for want of something; with REQUIRE_CONTAINERS=1 that is no excuse.
skip() {
  if [ "${REQUIRE_CONTAINERS:-0}" = 1 ]; then
    fail "$1" "skipped: $2"
    return
  fi
  printf 'SKIP  %s: %s\n' "$1" "$2" && skipped=$((skipped + 1))
}

# out_of_reach NAME WHY: cannot be tried here, whatever is required.
out_of_reach() { printf 'SKIP  %s: %s\n' "$1" "$2" && skipped=$((skipped + 1)); }

# check NAME COMMAND…: what the command said is in $said.
check() {
  local name=$1
  shift
  if said=$("$@" 2>&1); then ok "$name"; else fail "$name" "$said"; fi
}

# refused NAME TEXT COMMAND…: the command fails, and says the text.
refused() {
  local name=$1 text=$2
  shift 2
  if said=$("$@" 2>&1); then
    fail "$name" "it was not refused: $said"
  else
    has "$name" "$text" "$said"
  fi
}

# is NAME EXPECTED GOT
is() { if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "expected: $2
got:      $3"; fi; }

# has NAME TEXT IN-WHAT; has_not the other way round
has() { if [[ $3 == *"$2"* ]]; then ok "$1"; else fail "$1" "\"$2\" is not in: $3"; fi; }
has_not() { if [[ $3 != *"$2"* ]]; then ok "$1"; else fail "$1" "\"$2\" is in: $3"; fi; }

# within SECONDS COMMAND…: asks again and again until it succeeds.
within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.3
  done
}

# part NAME COMMAND: a heading, what the command checks, and how long it took.
part() {
  local began=$SECONDS code=0
  printf '\n=== %s\n' "$1"
  "$2" || code=$?
  printf '%4ds  %s\n' $((SECONDS - began)) "$1" | tee -a "$work/durations"
  return "$code"
}

# beside NAME COMMAND: the part runs while others do; `joined NAME` shows what it said, and counts it.
beside() {
  local name=$1
  (part "$name" "$2") >"$work/beside.$name" 2>&1 &
  besides[$name]=$!
}
declare -A besides=()

joined() {
  local line
  wait "${besides[$1]}"
  cat "$work/beside.$1"
  while read -r line; do
    case $line in
      "ok "*) passed=$((passed + 1)) ;;
      "FAIL "*) failed=$((failed + 1)) ;;
      "SKIP "*) skipped=$((skipped + 1)) ;;
    esac
  done <"$work/beside.$1"
}

finish_parts() {
  printf '\n'
  cat "$work/durations"
  printf '%4ds  in all\n%d passed, %d failed, %d skipped\n' "$SECONDS" "$passed" "$failed" "$skipped"
  [ "$failed" = 0 ] || exit 1
  exit 0
}
