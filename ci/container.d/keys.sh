# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# An identity provider made of openssl: a key, its key set, tokens signed with it, and its own authority.

issuer=https://issuer.test/realms/loans
audience=branch-loan-api

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

make_keys() {
  mkdir -p "$work/keys"
  openssl genpkey -algorithm ed25519 -out "$work/keys/signing.pem" || return 1
  printf '{"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "one", "x": "%s"}]}\n' \
    "$(openssl pkey -in "$work/keys/signing.pem" -pubout -outform DER | tail -c 32 | base64url)" >"$work/keys/jwks.json"
}

# token [ROLE] [AUDIENCE]
token() {
  local head body now
  now=$(date +%s)
  head=$(printf '{"alg":"EdDSA","typ":"JWT","kid":"one"}' | base64url)
  body=$(printf '{"iss":"%s","aud":"%s","sub":"tester","iat":%d,"exp":%d,"roles":["%s"],"branches":["*"]}' \
    "$issuer" "${2:-$audience}" "$now" $((now + 3600)) "${1:-ADMIN}" | base64url)
  printf '%s.%s' "$head" "$body" >"$work/keys/to-sign"
  printf '%s.%s.%s' "$head" "$body" "$(openssl pkeyutl -sign -rawin -inkey "$work/keys/signing.pem" -in "$work/keys/to-sign" | base64url)"
}

# A certificate for issuer.test and the authority that signed it.
make_issuer_certificate() {
  (cd "$work/keys" &&
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=test authority' \
      -addext basicConstraints=critical,CA:TRUE -keyout authority.key -out authority.pem &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=issuer.test -keyout issuer.key -out issuer.csr &&
    openssl x509 -req -in issuer.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
      -extfile <(printf 'subjectAltName=DNS:issuer.test\nbasicConstraints=CA:FALSE') -out issuer.pem &&
    chmod 0644 ./*) 2>/dev/null
}

# --- asking the API

# graphql URL QUERY [CURL ARGUMENT…]
graphql() {
  local url=$1 query=$2
  shift 2
  curl --silent --max-time 10 --header 'content-type: application/json' --data "$(jq --null-input --arg query "$query" '{$query}')" \
    "$@" "$url/graphql"
}

as() { printf 'authorization: Bearer %s' "$(token "$@")"; }

status_of() { curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "$@"; }
