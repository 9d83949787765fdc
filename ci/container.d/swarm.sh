# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# deploy/swarm/stack.yml on a swarm of one: deployed as docs/DEPLOYMENT.md says, updated to a good image, then to bad
# ones, from which Swarm has to go back by itself while the good one goes on answering.

swarm_service=branch-loan-api_api

part_swarm() {
  [ "$engine" = own ] || { out_of_reach "the Swarm stack" "an engine that exists is not made a swarm"; return; }
  [ -n "$registry" ] || { skip "the Swarm stack" "there is no registry to be had"; return; }
  variant one 'LABEL variant=one'
  variant two 'LABEL variant=two'
  variant sick 'HEALTHCHECK --interval=1s --timeout=1s --start-period=1s --retries=1 CMD ["/usr/local/bin/branch-loan-api", "--nothing"]'
  local one two sick
  one=$(push branch-loan-api:one) two=$(push branch-loan-api:two) sick=$(push branch-loan-api:sick)
  check "docker swarm init" docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 --default-addr-pool 10.201.0.0/16 || return
  swarm_surroundings || return
  export AUTH_ISSUER=$issuer AUTH_AUDIENCE=$audience AUTH_JWKS_URL=https://issuer.test:8443/jwks.json AUTH_JWKS_CA_FILE=$work/keys/authority.pem
  export ADMIN_HOST=0.0.0.0 ADMIN_PORT=9000
  refused "a setting that is missing is named" "set IMAGE to" swarm_deploy ""
  check "the migration runs as a job" swarm_migrate "$one" || docker service logs loans-migrate
  docker service rm loans-migrate >/dev/null 2>&1
  check "the stack is deployed" swarm_deploy "$one" || { docker service ps --no-trunc "$swarm_service"; return; }
  swarm_serves "$one"
  swarm_confined
  is "no replica is looked at" 0 "$(swarm_ask 9000 /metrics | grep -c '^branch_loan_replica_in_use')"
  check "an update to a good image, and to a read replica" swarm_deploy "$two" --compose-file "$checkout/deploy/swarm/read-replica.yml"
  check "is completed" within 240 update_is completed
  swarm_serves "$two"
  has "the replica takes writes, and is not read from" 'branch_loan_replica_in_use 0' "$(swarm_ask 9000 /metrics)"
  swarm_deploy "$sick" >/dev/null 2>&1
  check "from an image that does not become healthy Swarm goes back" within 240 update_is rollback_completed
  swarm_serves "$two"
  check "the stack goes" docker stack rm --detach=false branch-loan-api
  unset AUTH_ISSUER AUTH_AUDIENCE AUTH_JWKS_URL AUTH_JWKS_CA_FILE ADMIN_HOST ADMIN_PORT
  docker rm --force --volumes swarm-db swarm-issuer >/dev/null 2>&1
  # The swarm is left when the engine ends: leaving takes the names from the networks of the parts beside this one.
}

# The network of the proxy, a database that is elsewhere, the issuer, the secrets.
swarm_surroundings() {
  local password
  password=$(openssl rand -hex 16)
  check "the network edge" docker network create --driver overlay --opt encrypted --attachable edge || return
  check "a database, not of the stack" docker run --detach --name swarm-db --network edge --network-alias swarm-db \
    --env POSTGRES_USER=branch_loan --env POSTGRES_PASSWORD="$password" --env POSTGRES_DB=branch_loan "$postgres_image" || return
  check "an issuer with an authority of its own" run_issuer swarm-issuer edge || return
  local name
  for name in database_url database_read_url; do
    printf 'postgres://branch_loan:%s@swarm-db:5432/branch_loan' "$password" | docker secret create "branch_loan_api_$name" - >/dev/null
  done
  openssl rand -base64 32 | docker secret create branch_loan_api_pii_key - >/dev/null
  check "which answers" within 60 docker exec swarm-db pg_isready --quiet --host 127.0.0.1 --username branch_loan
}

swarm_migrate() {
  docker service create --quiet --name loans-migrate --mode replicated-job --restart-condition none --read-only --cap-drop ALL \
    --network edge --secret source=branch_loan_api_database_url,target=database_url,uid=65532,mode=0400 \
    --secret source=branch_loan_api_pii_key,target=pii_key,uid=65532,mode=0400 \
    --env DATABASE_URL_FILE=/run/secrets/database_url --env PII_KEY_FILE=/run/secrets/pii_key \
    --env AUTH_ISSUER --env AUTH_AUDIENCE --env AUTH_JWKS_URL "$1" migrate || return
  within 60 migrated
}

migrated() { [[ $(docker service ps --format '{{.CurrentState}}' loans-migrate) == Complete* ]]; }

swarm_deploy() { # swarm_deploy IMAGE ARGUMENT…
  IMAGE=$1 timeout 400 docker stack deploy --with-registry-auth --detach=false --compose-file "$checkout/deploy/swarm/stack.yml" "${@:2}" branch-loan-api
}

update_state() { docker service inspect "$swarm_service" --format '{{.UpdateStatus.State}}'; }
update_is() { [ "$(update_state)" = "$1" ]; }

# Asked by the name and the port at which the proxy finds the tasks.
swarm_serves() { # swarm_serves IMAGE
  within 60 swarm_runs "$1"
  is "  two tasks run it: ${1#*@sha256:}" "2 $1" "$(swarm_images)"
  check "  the database answers them" within 30 swarm_ready
}

swarm_images() {
  docker ps --quiet --filter "label=com.docker.swarm.service.name=$swarm_service" --filter health=healthy |
    xargs --no-run-if-empty docker inspect --format '{{.Config.Image}}' | sort | uniq -c | xargs
}
swarm_runs() { [ "$(swarm_images)" = "2 $1" ]; }
swarm_ready() { [[ $(swarm_ask 8000 /readyz) == *'200 OK'* ]]; }

swarm_ask() { # swarm_ask PORT PATH: the answer's head and body
  docker exec swarm-db bash -c "exec 3<>/dev/tcp/$swarm_service/$1 && printf 'GET $2 HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n' >&3 && cat <&3"
}

swarm_confined() {
  local ids lax
  mapfile -t ids < <(docker ps --quiet --filter "label=com.docker.swarm.service.name=$swarm_service")
  lax=$(docker inspect "${ids[@]}" | jq --raw-output '.[] | select(.HostConfig | (.ReadonlyRootfs and .CapDrop == ["ALL"] and .Memory > 0 and
    .PidsLimit > 0 and (.LogConfig.Config | has("max-size"))) | not) | .Name')
  is "its tasks are confined, limited, and their logs bounded" "" "$lax"
  is "they run as 65532" 65532:65532 "$(docker inspect "${ids[0]}" --format '{{.Config.User}}')"
  is "no port is published" 0 "$(docker service inspect "$swarm_service" | jq '.[0].Endpoint.Ports // [] | length')"
  has "metrics are on the inner port" http_server_active_requests "$(swarm_ask 9000 /metrics)"
  has "and not on the public one" '404' "$(swarm_ask 8000 /metrics)"
}
