"""Each rule of compose.py sees what it is there for: the files as they are pass, and one change to them does not."""

import unittest

import compose

# (file, what is replaced, by what, what must be said)
CHANGES = [
    ("prod", "name: branch-loan-api-prod", 'version: "3.9"\nname: branch-loan-api-prod', "version is obsolete"),
    ("prod", "name: branch-loan-api-prod", "name: branch-loan-api-staging", "share a name"),
    ("prod", "read_only: true", "read_only: false", "read_only"),
    ("prod", "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "capabilities"),
    ("prod", "no-new-privileges:true", "no-new-privileges:false", "no-new-privileges"),
    ("prod", "max-size: 10m", "compress: 'true'", "not rotated"),
    ("prod", "tag: ", "env: ", "does not say whose"),
    ("prod", "cpus: \"2\", memory: 1g, pids: 200", "cpus: \"2\", memory: 1g", "no limit of pids"),
    ("prod", "restart: unless-stopped", "restart: always", "restart is always"),
    ("prod", 'restart: "no"', "restart: unless-stopped", "not no"),
    ("prod", "stop_grace_period: 60s", "shm_size: 1m", "no stop_grace_period"),
    ("prod", "stop_grace_period: 30s", "stop_grace_period: 20s", "is killed before"),
    ("dev", "stop_grace_period: 20s", "stop_grace_period: 15s", "is killed before"),
    ("prod", '["127.0.0.1:${API_PORT:-8000}:8000"]', '["${API_PORT:-8000}:8000"]', "127.0.0.1 only"),
    ("dev", '["127.0.0.1:${DB_PORT:-5432}:5432"]', '["${DB_PORT:-5432}:5432"]', "127.0.0.1 only"),
    ("prod", "shm_size: 256m", 'ports: ["127.0.0.1:5432:5432"]', "the database's port is published"),
    ("prod", "internal: true", "internal: false", "not internal"),
    ("prod", "networks: [backend]", "networks: [frontend, backend]", "backend alone"),
    ("prod", "networks: [frontend, backend]", "networks: [backend]", "not on frontend and backend"),
    ("prod", "shm_size: 256m", "container_name: db", "container_name"),
    ("prod", "shm_size: 256m", "privileged: true", "privileged"),
    ("prod", 'volumes: ["db_data:/var/lib/postgresql/data"]', "volumes: []", "not in a volume"),
    ("prod", "POSTGRES_PASSWORD_FILE: /run", "POSTGRES_PASSWORD: /run", "the password is in the environment"),
    ("prod", "DATABASE_URL_FILE: /run", "DATABASE_URL: /run", "the secret DATABASE_URL"),
    ("prod", "DATABASE_READ_URL_FILE: $", "DATABASE_READ_URL: $", "the secret DATABASE_READ_URL"),
    ("prod", "AUTH_MODE: jwt", "GUNICORN_WORKERS: 4", "no setting of the server"),
    ("prod", "image: ${IMAGE:?", "image: ${IMAGES:?", "not the one that IMAGE names"),
    ("prod", "pull_policy: missing", "stdin_open: false", "no pull_policy"),
    ("prod", "command: [migrate]", "command: [migrate]\n    build: .", "builds an image"),
    ("prod", "service_completed_successfully", "service_started", "does not wait for the migration"),
    ("prod", "${LOG_LEVEL:-}", "${LOGGING:-}", "not in the example"),
    ("prod", "${LOG_LEVEL:-}", "info", "and not used"),
    ("dev", "image: postgres:17", "image: postgres", "has no tag"),
    ("observability", "grafana/loki:3.5.3", "grafana/loki:latest", "floats"),
    ("observability", "${DOCKER_LOGS:-/var/lib/docker/containers}", "/var/run/docker.sock", "engine's socket"),
    ("observability", "  api:\n", '  api:\n    ports: ["127.0.0.1:9000:9000"]\n', "adds more than settings: ports"),
    ("observability", "ADMIN_PORT: ", "METRICS_PORT: ", "METRICS_PORT is no setting"),
    ("observability", "ADMIN_PORT: ", "PII_KEY: ", "the secret PII_KEY"),
    ("swarm", "failure_action: rollback", "failure_action: pause", "not rolled back"),
    ("swarm", "named by its digest", "such as branch-loan-api@sha256:…", "has a hyphen"),
    ("swarm", "order: start-first", "order: stop-first", "the old task stops"),
    ("swarm", "read_only: true", "read_only: false", "not confined"),
    ("swarm", ", pids: 200", "", "limit is missing"),
    ("swarm", "max-size: 10m", "env: x", "not rotated"),
    ("swarm", "stop_grace_period: 30s", "stop_grace_period: 20s", "killed before"),
    ("swarm", "external: true\n    name", "file: x\n    name", "not Swarm's"),
    ("swarm", "PII_KEY_FILE:", "PII_KEY:", "the secret PII_KEY"),
    ("swarm", "AUTH_MODE:", "WORKERS:", "no setting"),
    ("swarm", "endpoint_mode: dnsrr", "endpoint_mode: vip\n    ports: [\"8000:8000\"]\n    deploy:", "routing mesh"),
    ("swarm-read-replica", "    secrets:\n", "    ports: [\"8000:8000\"]\n    secrets:\n", "more than settings and secrets"),
    ("swarm-read-replica", "  api:\n", "  other:\n", "more than settings and secrets"),
    ("swarm-read-replica", "external: true\n    name", "file: x\n    name", "not Swarm's"),
    ("swarm-read-replica", "DATABASE_READ_URL_FILE:", "DATABASE_READ_URL:", "the secret DATABASE_READ_URL"),
    ("swarm-read-replica", "DATABASE_READ_MAX_LAG_MS:", "MAX_LAG:", "MAX_LAG is no setting"),
    ("observability", "services:\n", "name: monitoring\nservices:\n", "name of the stack"),
]


class Compose(unittest.TestCase):
    def test_the_files_as_they_are(self):
        self.assertEqual(compose.complaints(*compose.read()), [])

    def test_every_change_for_the_worse_is_seen(self):
        for kind, before, after, expected in CHANGES:
            with self.subTest(kind=kind, after=after):
                texts, examples, env_example = compose.read()
                self.assertIn(before, texts[kind])
                texts[kind] = texts[kind].replace(before, after)
                said = "\n".join(compose.complaints(texts, examples, env_example))
                self.assertIn(expected, said)


if __name__ == "__main__":
    unittest.main()
