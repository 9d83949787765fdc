# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# compose.observability.yml beside the development stack: that Prometheus fetches what the API counts, has its rules, and
# finds Alertmanager. Loki, Alloy and Grafana are in no package of Debian's.

part_observability() {
  local project=branch-loan-api-dev
  for name in loki alloy grafana; do out_of_reach "$name" "there is no stand-in for its image"; done
  export GRAFANA_ADMIN_PASSWORD_FILE=$work/grafana
  API_PORT=$(free_port 18020) DB_PORT=$(free_port 25440)
  export API_PORT DB_PORT
  openssl rand -hex 16 >"$work/grafana"
  docker tag "$image" branch-loan-api:dev
  check "development with Prometheus and Alertmanager: up --wait" observed up --no-build --wait --wait-timeout 180 api prometheus alertmanager ||
    observed logs --tail 20 prometheus alertmanager
  hardened "$project"
  check "Prometheus fetches the API's metrics" within 60 measured 'up{job="branch-loan-api"} == 1'
  check "and Alertmanager's" within 60 measured 'up{job="alertmanager"} == 1'
  graphql "http://127.0.0.1:$API_PORT" '{ loans(first: 1) { totalCount } }' >/dev/null
  check "a query is counted" within 60 measured 'count({__name__=~"graphql_.*|branch_loan_api_.*|http_.*", job="branch-loan-api"}) > 0'
  is "every rule is evaluated" ok "$(ask_prometheus rules | jq --raw-output '[.data.groups[].rules[].health] | unique - ["unknown"] | join(" ")')"
  is "Prometheus knows its Alertmanager" http://alertmanager:9093/api/v2/alerts \
    "$(ask_prometheus alertmanagers | jq --raw-output '.data.activeAlertmanagers[].url')"
  is "/metrics stays off the public port" 404 "$(status_of "http://127.0.0.1:$API_PORT/metrics")"
  is "no port but the API's, the database's and Grafana's is published" "" "$(containers "$project" | xargs docker inspect |
    jq --raw-output '.[] | select(.Config.Labels["com.docker.compose.service"] | IN("api", "db") | not) | .HostConfig.PortBindings // {} | keys[]')"
  observed down --volumes --timeout 20 >/dev/null 2>&1
  unset GRAFANA_ADMIN_PASSWORD_FILE API_PORT DB_PORT
}

observed() { docker compose --project-directory "$checkout" --file "$checkout/compose.dev.yml" --file "$checkout/compose.observability.yml" "$@"; }

ask_prometheus() { observed exec -T prometheus wget --quiet --output-document - "http://127.0.0.1:9090/api/v1/$1"; }

measured() { # measured EXPRESSION: it has a value
  [ "$(ask_prometheus "query?query=$(jq --raw-output --null-input --arg it "$1" '$it | @uri')" | jq '.data.result | length')" -gt 0 ]
}
