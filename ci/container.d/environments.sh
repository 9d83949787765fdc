# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# Staging and production as their examples of settings prepare them, at the same time as development, on one machine.

# settled ENVIRONMENT IMAGE PORT: its secrets, each readable by the one user that needs it, and .env.<environment> out of
# the example.
settled() {
  local environment=$1 folder=$work/secrets/$1 password
  [ ! -d "$folder" ] || rm -rf "$folder"
  mkdir -p "$folder"
  password=$(openssl rand -hex 32)
  printf '%s\n' "$password" | install -m 0400 -o 999 /dev/stdin "$folder/postgres_password"
  printf 'postgres://branch_loan:%s@db:5432/branch_loan\n' "$password" | install -m 0400 -o 65532 /dev/stdin "$folder/database_url"
  openssl rand -base64 32 | install -m 0400 -o 65532 /dev/stdin "$folder/pii_key"
  install -m 0444 "$work/keys/jwks.json" "$folder/jwks.json"
  # The folder that mktemp made is root's alone, which suits root's engine.
  cp "$checkout/.env.$environment.example" "$checkout/.env.$environment"
  cat >>"$checkout/.env.$environment" <<SETTINGS
IMAGE=$2
API_PORT=$3
POSTGRES_PASSWORD_FILE=$folder/postgres_password
DATABASE_URL_FILE=$folder/database_url
PII_KEY_FILE=$folder/pii_key
AUTH_ISSUER=$issuer
AUTH_AUDIENCE=$audience
SETTINGS
}

# with ENVIRONMENT ARGUMENT…: Compose with its file of settings
with() { stack "$1" --env-file "$checkout/.env.$1" "${@:2}"; }

part_environments() {
  local staging prod reference
  [ -n "$registry" ] || { skip "staging and production" "there is no registry to be had"; return; }
  reference=$(push "$image")
  has "the image has a digest" @sha256: "$reference" || return
  staging=$(free_port 18001) prod=$(free_port 18002)
  # Staging has a file of keys, production fetches them.
  settled staging "$reference" "$staging"
  echo "AUTH_JWKS_FILE=$work/secrets/staging/jwks.json" >>"$checkout/.env.staging"
  settled prod "$reference" "$prod"
  printf '%s\n' "AUTH_JWKS_URL=https://issuer.test:8443/jwks.json" "AUTH_JWKS_CA_FILE=$work/keys/authority.pem" >>"$checkout/.env.prod"
  # A read replica that is none: staging has no such file.
  install -m 0400 -o 65532 "$work/secrets/prod/database_url" "$work/secrets/prod/database_read_url"
  echo "DATABASE_READ_URL_FILE=$work/secrets/prod/database_read_url" >>"$checkout/.env.prod"

  missing_settings staging
  missing_settings prod
  docker tag "$image" branch-loan-api:dev
  API_PORT=$(free_port 18000) DB_PORT=$(free_port 25432) check "development: up --wait" stack dev up --no-build --wait --wait-timeout 120
  if ! { came_up staging "$staging" && came_up prod "$prod"; }; then clear_stacks; return; fi
  issuer_appears "$prod"
  is "three databases, each its own" 3 "$(docker volume ls --quiet --filter name=_db_data | sort --unique | wc -l)"
  local environment port
  for environment in staging prod; do
    port=${!environment}
    hardened "branch-loan-api-$environment"
    private_database "$environment"
    secret_files "$environment"
    callers "$environment" "http://127.0.0.1:$port"
  done
  has "prod: what takes writes is not read from" 'queries read from the primary alone' "$(with prod logs api)"
  is "staging: nobody looks for a replica" 0 "$(with staging logs api | grep -c 'queries read from')"
  is "what was written in staging is not in production" 0 "$(codes "http://127.0.0.1:$prod" | grep -c STAGING)"
  crash staging "http://127.0.0.1:$staging"
  again staging "http://127.0.0.1:$staging"
  clear_stacks
}

clear_stacks() {
  local environment
  docker rm --force prod-issuer >/dev/null 2>&1
  for environment in dev staging prod; do check "$environment: down" stack_down "$environment"; done
}

stack_down() {
  if [ "$1" = dev ]; then stack dev down --volumes --timeout 20; else with "$1" down --volumes --timeout 20; fi
}

missing_settings() { # missing_settings ENVIRONMENT: each that is left out is named
  local name silent=''
  for name in IMAGE AUTH_ISSUER AUTH_AUDIENCE POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD_FILE DATABASE_URL_FILE PII_KEY_FILE; do
    sed "/^$name=/d" "$checkout/.env.$1" >"$work/less"
    if said=$(stack "$1" --env-file "$work/less" config 2>&1) || [[ $said != *"set $name to"* ]]; then silent+=" $name"; fi
  done
  is "$1: a setting that is missing is named" "" "$silent"
}

came_up() { # came_up ENVIRONMENT PORT
  check "$1: up --wait" with "$1" --progress quiet up --wait --wait-timeout 120 || { with "$1" logs --tail 20; return 1; }
  is "$1: /health" '{"status":"ok"}' "$(curl --silent --max-time 5 "http://127.0.0.1:$2/health")"
  local migrated started
  migrated=$(docker inspect --format '{{.State.ExitCode}} {{.State.FinishedAt}}' "$(container_of "$1" migrate)")
  started=$(docker inspect --format '{{.State.StartedAt}}' "$(container_of "$1" api)")
  check "$1: the migration had ended with 0 before the API started" test "$migrated" \< "0 $started"
}

container_of() { with "$1" ps --all --quiet "$2"; } # container_of ENVIRONMENT SERVICE

# An issuer with a certificate of its own authority, on the network where the API looks for it.
run_issuer() { # run_issuer NAME NETWORK
  mkdir -p "$work/$1" && cp "$work"/keys/{jwks.json,issuer.pem,issuer.key} "$work/$1/"
  docker run --detach --name "$1" --network "$2" --network-alias issuer.test --volume "$work/$1:/issuer:ro" --workdir /issuer \
    --user 0 --entrypoint openssl "$postgres_image" s_server -accept 8443 -cert issuer.pem -key issuer.key -WWW -quiet >/dev/null
}

issuer_appears() { # issuer_appears PORT
  is "prod: not ready without the issuer's keys" 503 "$(status_of "http://127.0.0.1:$1/readyz")"
  check "prod: an issuer with an authority of its own appears" run_issuer prod-issuer branch-loan-api-prod_frontend
  check "prod: its keys are fetched, the API is ready" within 60 ready "$1"
}

ready() { [ "$(status_of "http://127.0.0.1:$1/readyz")" = 200 ]; }

# Whoever is on the API's own network reaches it, nobody else does; no port of this machine leads to it.
private_database() { # private_database ENVIRONMENT
  local database address project=branch-loan-api-$1
  database=$(container_of "$1" db)
  is "$1: no port of the database is published" '{}' "$(docker inspect "$database" | jq --compact-output '.[0].HostConfig.PortBindings')"
  is "$1: it is on the network backend alone" "${project}_backend" "$(docker inspect "$database" | jq --raw-output '.[0].NetworkSettings.Networks | keys | join(" ")')"
  is "$1: which leads nowhere else" true "$(docker network inspect --format '{{.Internal}}' "${project}_backend")"
  address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$database")
  check "$1: on it the database answers" answers "${project}_backend" "$address"
  refused "$1: from the network frontend it does not" "no response" answers "${project}_frontend" "$address"
  refused "$1: nor from another" "no response" answers bridge "$address"
}

answers() { docker run --rm --network "$1" --entrypoint pg_isready "$postgres_image" --host "$2" --timeout 2; }

secret_files() { # secret_files ENVIRONMENT
  local told
  told=$(containers "branch-loan-api-$1" | xargs docker inspect && containers "branch-loan-api-$1" | xargs --max-args 1 docker logs 2>&1)
  is "$1: no secret is in what the engine tells, nor in a log" 0 "$(grep -c --fixed-strings -f <(cat "$work/secrets/$1/"{postgres_password,pii_key}) <<<"$told")"
  is "$1: the API has three files of secrets, which it cannot write" "/run/secrets/database_read_url /run/secrets/database_url /run/secrets/pii_key" \
    "$(docker inspect "$(container_of "$1" api)" | jq --raw-output '[.[0].Mounts[] | select(.Destination | startswith("/run/secrets")) | select(.RW | not) | .Destination] | sort | join(" ")')"
}

callers() { # callers ENVIRONMENT URL
  check "$1: what a stranger may ask (deploy/smoke)" "$checkout/deploy/smoke" "$2"
  has "$1: a token is accepted" '"branches"' "$(graphql "$2" '{ branches(first: 1) { totalCount } }' --header "$(as ADMIN)")"
  is "$1: one for somebody else is not" 401 "$(status_of --header "$(as ADMIN other)" --header 'content-type: application/json' --data '{"query":"{ __typename }"}' "$2/graphql")"
  is "$1: GraphiQL is not shown" 405 "$(status_of --header 'accept: text/html' "$2/graphql")"
  has "$1: an administrator opens a branch" "\"code\":\"${1^^}\"" "$(graphql "$2" "mutation { createBranch(input: { code: \"${1^^}\", name: \"One\",
    currency: \"KES\", timeZone: \"Africa/Nairobi\" }) { branch { code } userErrors { message } } }" --header "$(as ADMIN)")"
}

codes() { graphql "$1" '{ branches(first: 100) { nodes { code } } }' --header "$(as ADMIN)"; }

# A process that dies by itself, not one that the engine was asked to end: that one it would leave alone.
crash() { # crash ENVIRONMENT URL
  local id process
  [ "$engine" = own ] || { out_of_reach "$1: after a crash it is started again" "this engine's processes are not ours to kill"; return; }
  id=$(container_of "$1" api)
  process=$(docker inspect --format '{{.State.Pid}}' "$id")
  # 0 is no process, and to kill(1) all of this run's.
  [ "${process:-0}" -gt 1 ] || { fail "$1: it runs before the crash"; return; }
  kill -KILL "$process"
  check "$1: after a crash it is started again" within 30 restarted "$id"
  check "$1: and is ready" within 60 ready "${2##*:}"
}

restarted() { [ "$(docker inspect --format '{{.RestartCount}}' "$1")" -ge 1 ]; }

again() { # again ENVIRONMENT URL: everything goes but the volume
  check "$1: down" with "$1" down --timeout 20
  check "$1: and up again" with "$1" --progress quiet up --wait --wait-timeout 120
  has "$1: the data are still there" "${1^^}" "$(codes "$2")"
}
