# shellcheck shell=bash disable=SC2034,SC2154 # variables of ci/container and of its other parts
# What is in the image, what it says of itself, and how its one program starts, is asked for its health, and stops.

confined=(--read-only --cap-drop ALL --security-opt no-new-privileges)

part_image() {
  image_config
  image_contents
  image_context
  image_scan
  image_refusals
  image_life
}

image_config() {
  is "its user is 65532" 65532:65532 "$(docker image inspect --format '{{.Config.User}}' "$image")"
  is "a stop is SIGTERM" SIGTERM "$(docker image inspect --format '{{.Config.StopSignal}}' "$image")"
  is "its labels name the revision" "$revision" "$(label revision)"
  is "and the version" tested "$(label version)"
  is "and the license" Apache-2.0 "$(label licenses)"
  has "it is production unless told otherwise" APP_ENV=production "$(docker image inspect --format '{{.Config.Env}}' "$image")"
  has "its health check is the program's own" /usr/local/bin/branch-loan-api "$(docker image inspect --format '{{.Config.Healthcheck.Test}}' "$image")"
  image_size
  refused "it has no shell" "no such file" timeout 30 docker run --rm --entrypoint /bin/sh "$image" -c true
  check "its program runs confined" docker run --rm "${confined[@]}" "$image" --version
}

# What is pulled, and what it takes on a disk. Other builds than the published one are larger.
image_size() {
  local manifest pulled stored
  if [ "$profile" != dist ] || [ -n "$binary" ]; then
    out_of_reach "its size" "only the build with the profile dist has a limit"
    return
  fi
  [ -n "$registry" ] || { skip "its size" "there is no registry to be had"; return; }
  check "it can be pushed" push "$image"
  manifest=$(curl --silent --header 'accept: application/vnd.docker.distribution.manifest.v2+json' \
    "http://$registry/v2/branch-loan-api/manifests/${image##*:}")
  pulled=$(jq '[.layers[].size] | add' <<<"$manifest")
  stored=$(docker image inspect --format '{{.Size}}' "$image")
  check "pulled, it is below 40 MB: $((pulled / 1000000)) MB" test "$pulled" -gt 0 -a "$pulled" -lt 40000000
  check "stored, it is below 80 MB: $((stored / 1000000)) MB" test "$stored" -lt 80000000
}

label() { docker image inspect --format "{{index .Config.Labels \"org.opencontainers.image.$1\"}}" "$image"; }

# list IMAGE: every file in it
list() {
  local container
  container=$(docker create --entrypoint /none "$1") && docker export "$container" | tar --list | sort
  docker rm "$container" >/dev/null
}

image_contents() {
  list "$runtime_image" >"$work/base"
  list "$image" >"$work/ours"
  is "beyond its base it has the program, the license, and the folder to work in" \
    "app/ usr/local/bin/branch-loan-api usr/share/doc/branch-loan-api/ usr/share/doc/branch-loan-api/LICENSE" \
    "$(comm -13 "$work/base" "$work/ours" | xargs)"
  is "and lacks nothing of its base" "" "$(comm -23 "$work/base" "$work/ours")"
  docker save "$image" | tar --extract --directory "$(mkdir -p "$work/saved" && echo "$work/saved")"
  local layer
  find "$work/saved" -type f -size +1k | while read -r layer; do tar --list --file "$layer" 2>/dev/null; done >"$work/layered"
  check "its layers can be looked into" grep --quiet 'usr/local/bin/branch-loan-api$' "$work/layered"
  is "no layer ever had a key, settings or source" "" \
    "$(grep -E '(^|/)(\.env|\.git|Cargo\.(toml|lock)|[^/]*\.(rs|key|db)$|key\.pem)|^(\./)?src/' "$work/layered")"
  is "and no layer has a private key in a file" "" "$(find "$work/saved" -type f -size +1k -exec sh -c \
    'tar --extract --to-stdout --file "$1" --exclude usr/local/bin --exclude "usr/lib*" 2>/dev/null' _ {} \; | grep -a -E -e '-----BEGIN [A-Z ]*PRIVATE KEY')"
  is "its history names no secret" "" "$(docker history --no-trunc --format '{{.CreatedBy}}' "$image" | grep -iE 'password|secret|token|_key')"
  rm -rf "$work/saved"
}

# What the builder is sent, with files about that have no business there.
image_context() {
  local copy=$work/context sent
  mkdir -p "$copy" && cp -a "$checkout/." "$copy/" && mkdir -p "$copy/certs" "$copy/.git" "$copy/target/dist"
  touch "$copy"/{.env,.env.prod,certs/key.pem,.git/config,branch-loan-api.db,target/dist/branch-loan-api}
  sent=$(printf 'FROM scratch\nCOPY . /\n' | docker build --quiet --file - --output type=tar,dest=- "$copy" 2>/dev/null | tar --list | sed '/\/$/d')
  has "the builder is sent the sources" src/main.rs "$sent"
  is "and nothing but them" "" \
    "$(grep -vE '^(Cargo\.(toml|lock)|\.cargo/config\.toml|build\.rs|LICENSE|src/.*|(lending|migration)/(Cargo\.toml|src/.*)|graphiql/dist/.*)$' <<<"$sent")"
  rm -rf "$copy"
}

# With the Trivy that ci/lint installs; known vulnerabilities are the pipeline's, they are looked up online.
image_scan() {
  local trivy
  trivy="$(dirname "$cache")/lint-$(sha256sum "$root/ci/tools/lint.txt" | cut -c1-16)/bin/trivy"
  [ -x "$trivy" ] || { skip "Trivy finds no secret in it" "ci/lint, which installs Trivy, has not run here"; return; }
  docker save --output "$work/image.tar" "$image"
  check "Trivy finds no secret in it" "$trivy" image --input "$work/image.tar" --quiet --scanners secret --image-config-scanners secret,misconfig \
    --skip-check-update --skip-version-check --offline-scan --cache-dir "$(dirname "$cache")/trivy" --exit-code 1
  rm -f "$work/image.tar"
}

# Production needs each of these, and says which one it misses.
image_refusals() {
  local given=(
    "DATABASE_URL=postgres://api:$(openssl rand -hex 16)@db/loans" "PII_KEY=$(openssl rand -base64 32)"
    AUTH_ISSUER=https://id.example.com AUTH_AUDIENCE=loans AUTH_JWKS_URL=https://id.example.com/keys
  )
  local missing pair arguments
  for missing in DATABASE_URL PII_KEY AUTH_ISSUER AUTH_AUDIENCE AUTH_JWKS_URL; do
    arguments=()
    for pair in "${given[@]}"; do [[ $pair == "$missing="* ]] || arguments+=(--env "$pair"); done
    refused "production does not start without $missing" "$missing" timeout 30 docker run --rm "${arguments[@]}" "$image"
  done
}

image_life() {
  local name=branch-loan-api-life
  docker run --detach --name "$name" "${confined[@]}" --tmpfs /app:uid=65532,gid=65532 --env APP_ENV=development "$image" >/dev/null
  check "it becomes healthy" within 60 health_is "$name" healthy
  is "as 65532, whatever the image is based on" 65532 "$(docker top "$name" -o pid,uid | awk 'END {print $2}')"
  docker stop --time 30 "$name" >/dev/null
  is "SIGTERM ends it with 0" 0 "$(docker inspect --format '{{.State.ExitCode}}' "$name")"
  docker rm --force "$name" >/dev/null
  # The same check at a quicker pace, of a process that is there and does not answer.
  docker run --detach --name "$name" --health-interval 1s "${confined[@]}" --tmpfs /app:uid=65532,gid=65532 --env APP_ENV=development \
    "$image" >/dev/null
  within 60 health_is "$name" healthy
  docker kill --signal STOP "$name" >/dev/null
  check "stopped in its tracks, it becomes unhealthy" within 60 health_is "$name" unhealthy
  docker kill --signal CONT "$name" >/dev/null
  check "let go, it becomes healthy again" within 60 health_is "$name" healthy
  docker rm --force "$name" >/dev/null
}

health_is() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = "$2" ]; }
