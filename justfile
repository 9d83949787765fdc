# Habits. Every recipe is a plain command you can also type; `just` without a name lists them.

[private]
default:
    @just --list

# Format the code
fmt:
    cargo fmt --all

# Everything the compiler and clippy have to say, as errors
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# All tests; REQUIRE_POSTGRES=1 makes a missing PostgreSQL a failure
test *ARGS:
    cargo test --workspace {{ ARGS }}

# Kill servers and databases in the middle of their work: just crash --cycles 20 --kind postgres
crash *ARGS:
    cargo test --workspace --test crash -- {{ ARGS }}

# Ask a server for more than it can do, and measure what becomes of it: just overload --seconds 20
overload *ARGS:
    cargo test --workspace --test overload -- {{ ARGS }}

# Give the fuzz targets random inputs: just fuzz --seconds 60 --target documents
fuzz *ARGS:
    cargo test --workspace --test fuzz -- {{ ARGS }}

# Write schema.graphql from the code
schema:
    cargo build --quiet --bin branch-loan-api
    cargo run --quiet -- schema > schema.graphql

# Bring .env.example and the README's table of settings up to date
docs:
    UPDATE_DOCS=1 cargo test --lib config

# Fill the database with demonstration data: just demo --loans 100000 --seed 1
demo *ARGS:
    cargo run -- demo {{ ARGS }}

# Serve on http://localhost:8000
serve *ARGS:
    cargo run -- serve {{ ARGS }}

# Real clients against the real server: graphql-http's audits, Apollo, urql, a browser
clients:
    cargo build --bin branch-loan-api
    node tests/clients/run.mjs "${CARGO_TARGET_DIR:-target}/debug/branch-loan-api"

# Dashboards, alerts and traces against a real Prometheus and a real OTLP receiver
observability:
    cargo build --bin branch-loan-api
    tests/observability/run "${CARGO_TARGET_DIR:-target}/debug/branch-loan-api"

# What telemetry costs; needs wrk and a machine with nothing else to do: just overhead --rounds 11
overhead *ARGS:
    cargo build --release --bin branch-loan-api
    python3 tests/observability/overhead.py "${CARGO_TARGET_DIR:-target}/release/branch-loan-api" {{ ARGS }}

# How fast business days are closed: just bench --loans 200000 --chunk 1000,10000
bench *ARGS:
    cargo bench --bench end_of_day -- {{ ARGS }}

# Licences, advisories and sources of the dependencies
deny:
    cargo deny --locked check

# A certificate for HTTPS on this machine, in certs/ (never committed), unless there is a good one; needs mkcert
certs:
    deploy/dev/certs

# Workflows, image, Compose files, chart, scripts, documents: just check helm compose
check *NAMES:
    ci/lint {{ NAMES }}

# Image, Compose stacks, deployment script and Swarm stack for real, as root: just container --profile release image
container *ARGS:
    ci/container {{ ARGS }}

# Everything CI checks
ci:
    bash .ci/run
