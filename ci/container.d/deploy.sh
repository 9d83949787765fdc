# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# deploy/compose/deploy against real stacks: good images, bad ones of each kind, and the way back.

part_deploy() {
  local port first second broken deaf
  [ -n "$registry" ] || { skip "deployments" "there is no registry to be had"; return; }
  port=$(free_port 18010)
  export DEPLOY_STATE=$work/state DEPLOY_WAIT_SECONDS=90 DEPLOY_PAUSE_SECONDS=1
  variant a 'LABEL variant=a'
  variant b 'LABEL variant=b'
  # Its migrate says that a setting is wrong.
  variant broken 'ENV DATABASE_MAX_CONNECTIONS=none'
  # It lives and is healthy, at a port where nobody looks for it.
  variant deaf 'ENV API_PORT=8009'
  first=$(push branch-loan-api:a) second=$(push branch-loan-api:b) broken=$(push branch-loan-api:broken) deaf=$(push branch-loan-api:deaf)
  settled staging "" "$port"
  sed -i '/^IMAGE=/d' "$checkout/.env.staging"
  echo "AUTH_JWKS_FILE=$work/secrets/staging/jwks.json" >>"$checkout/.env.staging"

  deployed "a tag is refused" 1 "by its digest" up staging "$registry/branch-loan-api:a"
  deployed "the first image goes up" 0 "staging runs $first" up staging "$first"
  serves "$port" "$first"
  watch_health "$port"
  deployed "the second goes up" 0 "staging runs $second" up staging "$second"
  health_watched
  serves "$port" "$second"
  deployed "status says both" 0 "previous $first" status staging
  deployed "an image that the registry does not have changes nothing" 1 "was left as it is" up staging "${first%@*}@sha256:$(printf '%064d' 1)"
  serves "$port" "$second"
  deployed "one whose migration fails is replaced by the one before" 2 "staging runs $second again" up staging "$broken"
  serves "$port" "$second"
  deployed "so is one that never becomes ready" 2 "staging runs $second again" up staging "$deaf"
  serves "$port" "$second"
  deployed "back to the first" 0 "staging runs $first; before the rollback it was $second" rollback staging
  serves "$port" "$first"
  SSH_ORIGINAL_COMMAND=status check "the pipeline's key may ask" "$checkout/deploy/compose/receive" staging "$registry/branch-loan-api"
  has "and hears what runs" "current  $first" "$said"
  SSH_ORIGINAL_COMMAND="up ${second#*@}" check "and may deploy" "$checkout/deploy/compose/receive" staging "$registry/branch-loan-api"
  serves "$port" "$second"
  SSH_ORIGINAL_COMMAND="down" refused "and nothing else" "up sha256:" "$checkout/deploy/compose/receive" staging "$registry/branch-loan-api"
  IMAGE=$first with staging down --volumes --timeout 20 >/dev/null 2>&1
}

# deployed NAME CODE TEXT ARGUMENT…
deployed() {
  local name=$1 code=$2 text=$3 got=0
  shift 3
  said=$("$checkout/deploy/compose/deploy" "$@" 2>&1) || got=$?
  if [ "$got" = "$code" ]; then has "$name" "$text" "$said"; else fail "$name" "exit code $got, not $code: $said"; fi
}

serves() { # serves PORT IMAGE
  is "  and it is in service: ${2#*@sha256:}" "$2 200" "$(docker inspect --format '{{.Config.Image}}' \
    "$(docker ps --quiet --filter label=com.docker.compose.project=branch-loan-api-staging --filter label=com.docker.compose.service=api)") $(
    status_of "http://127.0.0.1:$1/readyz")"
}

# How long nobody answers while one container gives way to the next; said, not judged: with one container it is a while.
watch_health() {
  touch "$work/watching"
  while [ -e "$work/watching" ]; do
    [ "$(status_of "http://127.0.0.1:$1/health")" = 200 ] && echo "${EPOCHREALTIME/./}"
    sleep 0.05
  done >"$work/answered" &
  watcher=$!
}

health_watched() {
  rm -f "$work/watching"
  wait "$watcher"
  awk 'NR > 1 && $1 - before > gap {gap = $1 - before} {before = $1}
    END {printf "      /health was away for %.1f s of it\n", gap / 1000000}' "$work/answered"
}
