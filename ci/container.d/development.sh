# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# The development stack, as somebody who has just cloned the repository brings it up, with and without HTTPS.

# stack ENVIRONMENT ARGUMENT…: Compose with the files as they are; settings come from the environment, or an --env-file.
stack() { docker compose --project-directory "$checkout" --file "$checkout/compose.$1.yml" "${@:2}"; }

part_development() {
  local api_port db_port
  api_port=$(free_port 18000) db_port=$(free_port 25432)
  export API_PORT=$api_port DB_PORT=$db_port
  development_up || { stack dev logs --tail 20; stack dev down --volumes; return; }
  development_answers "http://127.0.0.1:$api_port"
  hardened branch-loan-api-dev
  is "database and API are published on 127.0.0.1 only" "127.0.0.1" \
    "$(containers branch-loan-api-dev | xargs docker inspect | jq --raw-output '[.[].HostConfig.PortBindings[]?[].HostIp] | unique | join(" ")')"
  development_https
  check "it goes, with its data" stack dev down --volumes --remove-orphans --timeout 20
  is "and leaves no volume" "" "$(docker volume ls --quiet --filter name=branch-loan-api-dev_)"
  unset API_PORT DB_PORT
}

# The image that the stack would build itself, where there is no compiler to build it with.
development_up() {
  if [ -n "$binary" ]; then
    docker tag "$image" branch-loan-api:dev
    check "up --no-build --wait" stack dev up --no-build --wait --wait-timeout 180
  else
    check "up --build --wait" stack dev --progress quiet up --build --wait --wait-timeout 180
  fi
}

development_answers() { # development_answers URL
  is "/health" '{"status":"ok"}' "$(curl --silent --max-time 5 "$1/health")"
  is "/readyz" 200 "$(status_of "$1/readyz")"
  is "a query has the demonstration data" 5 "$(graphql "$1" '{ loans(first: 2) { totalCount nodes { number } } }' | jq .data.loans.totalCount)"
  has "browsers get GraphiQL" GraphiQL "$(curl --silent --max-time 5 --header 'accept: text/html' "$1/graphql")"
  is "/metrics is not for the public port" 404 "$(status_of "$1/metrics")"
}

development_https() {
  local port=443 curl
  unpack mkcert || { skip "https://branch.local" "Debian's archive cannot be reached"; return; }
  [ "$(free_port 443)" = 443 ] || port=$(free_port 18443)
  export CAROOT=$work/authority TRUST_STORES=none # this machine's browsers are left alone
  check "deploy/dev/certs makes a certificate" "$checkout/deploy/dev/certs"
  has "again, it changes nothing" "is good until" "$("$checkout/deploy/dev/certs")"
  is "the key is its owner's alone" 600 "$(stat --format %a "$checkout/certs/key.pem")"
  chown -R 1000:1000 "$checkout/certs"
  API_PORT=$port COMPOSE_CERTS=./certs COMPOSE_RUN_AS=1000:1000 \
    check "with certificates, up --wait" stack dev up --no-build --wait --wait-timeout 60 || stack dev logs --tail 20 api
  curl=(curl --silent --max-time 5 --cacert "$CAROOT/rootCA.pem" --connect-to "branch.local:443:127.0.0.1:$port")
  is "https://branch.local/health, certificate checked" '{"status":"ok"}' "$("${curl[@]}" https://branch.local/health)"
  is "a client without the authority is warned" 60 "$(curl --silent --connect-to "branch.local:443:127.0.0.1:$port" \
    https://branch.local/health >/dev/null; echo $?)"
  is "no more plain HTTP there" 000 "$(status_of "http://127.0.0.1:$port/health")"
}

# --- what engines know of containers

containers() { docker ps --all --quiet --filter "label=com.docker.compose.project=$1"; } # containers PROJECT

container() { stack "$1" ps --all --quiet "$2"; } # container ENVIRONMENT SERVICE

# What the engine was told, and what the kernel makes of it.
hardened() { # hardened PROJECT
  local lax id status
  lax=$(containers "$1" | xargs docker inspect | jq --raw-output '.[] | . as $c | .HostConfig | {
    "writable": (.ReadonlyRootfs | not), "capabilities": (.CapDrop != ["ALL"] or .CapAdd != null), "privileged": .Privileged,
    "new privileges": (.SecurityOpt | index("no-new-privileges:true") | not),
    "log without end": (.LogConfig.Config | has("max-size") and has("max-file") | not),
    "no limits": (.Memory == 0 or (.PidsLimit // 0) <= 0 or .NanoCpus == 0)
  } | to_entries[] | select(.value) | "\($c.Name): \(.key)"')
  is "every container of $1 is confined, limited, and its log bounded" "" "$lax"
  [ "$engine" = own ] || return 0
  lax=$(for id in $(docker ps --quiet --filter "label=com.docker.compose.project=$1"); do
    status=$(cat "/proc/$(docker inspect --format '{{.State.Pid}}' "$id")/status")
    [[ $status == *$'CapEff:\t0000000000000000'* && $status == *$'CapBnd:\t0000000000000000'* && $status == *$'NoNewPrivs:\t1'* ]] ||
      docker inspect --format '{{.Name}}' "$id"
  done)
  is "the kernel says so, too" "" "$lax"
}
