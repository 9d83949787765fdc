"""What every Compose file must hold: restarts, limits, bounded logs, nothing writable or privileged, a private
database, environments that can run side by side, and settings that exist. Reads the files as they are written, with
anchors and merges resolved and variables left alone."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")
OVERLAYS = ("observability",)
SWARM = {"swarm": "deploy/swarm/stack.yml", "swarm-read-replica": "deploy/swarm/read-replica.yml"}
LOOPBACK = re.compile(r"^127\.0\.0\.1:")
SECRETS = ("DATABASE_URL", "DATABASE_READ_URL", "PII_KEY", "PII_KEYS_OLD", "AUTH_DEV_SECRET")
# ${NAME}, ${NAME:-default}, ${NAME:?why}, ${NAME:+then}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?([-?+])[^}]*)?\}")


def is_database(service):
    return "postgres" in service.get("image", "")


def is_api(service):
    return not is_database(service) and "APP_ENV" in service.get("environment", {})


def one_offs(services):
    """Services that others wait for to have ended."""
    return {
        name
        for service in services.values()
        for name, how in (service.get("depends_on") or {}).items()
        if how["condition"] == "service_completed_successfully"
    }


def hardening(name, service, once):
    """Complaints about one service on its own."""
    if service.get("read_only") is not True:
        yield f"{name}: read_only is not true"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield f"{name}: capabilities are not all dropped"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield f"{name}: no no-new-privileges"
    for forbidden in ("container_name", "privileged", "network_mode", "pid", "ipc", "devices", "links"):
        if forbidden in service:
            yield f"{name}: {forbidden} is set"
    if any("docker.sock" in str(volume) for volume in service.get("volumes", [])):
        yield f"{name}: the engine's socket is mounted"
    options = service.get("logging", {}).get("options", {})
    if not {"max-size", "max-file"} <= options.keys():
        yield f"{name}: its log is not rotated"
    if "tag" not in options:
        yield f"{name}: its log does not say whose it is (tag)"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    for limit in ("cpus", "memory", "pids"):
        if limit not in limits:
            yield f"{name}: no limit of {limit}"
    wanted = "no" if once else "unless-stopped"
    if service.get("restart") != wanted:
        yield f"{name}: restart is {service.get('restart')}, not {wanted}"
    if not once and "stop_grace_period" not in service:
        yield f"{name}: no stop_grace_period"
    for port in service.get("ports", []):
        if not LOOPBACK.match(str(port)):
            yield f"{name}: port {port} is not published on 127.0.0.1 only"
    if not service.get("networks"):
        yield f"{name}: is on the default network"
    image = service.get("image", "")
    if "build" not in service and "$" not in image and not re.search(r":[^/]+$", image):
        yield f"{name}: the image {image} has no tag"
    if re.search(r":latest$", image):
        yield f"{name}: the image floats"
    if "healthcheck" not in service and not is_api(service):
        yield f"{name}: no healthcheck"


def addition(name, service, settings):
    """Complaints about what an overlay adds to a service of the stack: settings, and nothing that changes who reaches it."""
    if set(service) - {"environment"}:
        yield f"{name}: adds more than settings: {', '.join(sorted(set(service) - {'environment'}))}"
    for variable in service.get("environment", {}):
        if variable not in settings:
            yield f"{name}: {variable} is no setting of the server"
        if variable in SECRETS:
            yield f"{name}: the secret {variable} is in the environment, not in a file"


def swarm(data, text, settings, shutdown_ms):
    """Complaints about the Swarm stack: what Swarm's own rollback and a quiet shutdown depend on."""
    # `docker stack deploy` takes what follows a hyphen for a default, wherever it is.
    for message in re.findall(r"\$\{[A-Z_]+:\?([^}]*-[^}]*)\}", text):
        yield f"a message has a hyphen, which makes a default of its end: {message}"
    api = data["services"]["api"]
    deploy = api["deploy"]
    if deploy["update_config"].get("failure_action") != "rollback":
        yield "an update that fails is not rolled back"
    if deploy["update_config"].get("order") != "start-first":
        yield "the old task stops before the new one is healthy"
    if deploy.get("endpoint_mode") != "dnsrr" and any(str(p) for p in api.get("ports", [])):
        yield "a port is published through the routing mesh"
    if api.get("read_only") is not True or api.get("cap_drop") != ["ALL"] or api.get("user") != "65532:65532":
        yield "the task is not confined"
    if not {"cpus", "memory", "pids"} <= deploy["resources"]["limits"].keys():
        yield "a limit is missing"
    if not {"max-size", "max-file"} <= api["logging"]["options"].keys():
        yield "its log is not rotated"
    if seconds(api["stop_grace_period"]) * 1000 <= shutdown_ms[0]:
        yield "it is killed before SHUTDOWN_DRAIN_MS and SHUTDOWN_TIMEOUT_MS are over"
    yield from swarm_secrets(data, settings)


def swarm_addition(data, settings):
    """Complaints about what is added to the Swarm stack: settings and secrets, and nothing that changes how it runs."""
    added = {key for service in data["services"].values() for key in service}
    if set(data["services"]) != {"api"} or added - {"environment", "secrets"}:
        yield f"adds more than settings and secrets to the API: {', '.join(sorted(added | set(data['services'])))}"
    else:
        yield from swarm_secrets(data, settings)


def swarm_secrets(data, settings):
    """Complaints about secrets that are not Swarm's, and about settings that do not exist."""
    if not all(secret.get("external") for secret in data["secrets"].values()):
        yield "a secret is not Swarm's"
    for variable in data["services"]["api"]["environment"]:
        if variable not in settings:
            yield f"{variable} is no setting of the server"
        if variable in SECRETS:
            yield f"the secret {variable} is in the environment, not in a file"


def seconds(text):
    return int(str(text).removesuffix("s"))


def stack(name, data, environment, shutdown_ms, settings):
    """Complaints about the whole of one environment."""
    services, networks = data["services"], data.get("networks") or {}
    if data.get("name") != f"branch-loan-api-{environment}":
        yield f"name is {data.get('name')}, not branch-loan-api-{environment}"
    databases = [key for key, service in services.items() if is_database(service)]
    apis = [key for key, service in services.items() if is_api(service)]
    if not databases or "api" not in apis:
        yield "no database or no api"
    for key in databases:
        service = services[key]
        if service.get("ports") and environment != "dev":
            yield f"{key}: the database's port is published"
        if list(service.get("networks", [])) != ["backend"]:
            yield f"{key}: the database is not on the network backend alone"
        if environment != "dev" and not (networks.get("backend") or {}).get("internal"):
            yield "the network backend is not internal"
        if environment != "dev" and "POSTGRES_PASSWORD" in service.get("environment", {}):
            yield f"{key}: the password is in the environment, not in a file"
        if not any(str(volume).startswith("db_data:") for volume in service.get("volumes", [])):
            yield f"{key}: its data are not in a volume"
    for key in apis:
        service = services[key]
        if environment != "dev":
            if "build" in service:
                yield f"{key}: builds an image instead of running one that was tested"
            if not service.get("image", "").startswith("${IMAGE:?"):
                yield f"{key}: the image is not the one that IMAGE names"
            if "pull_policy" not in service:
                yield f"{key}: no pull_policy"
        for variable in service.get("environment", {}):
            if variable not in settings:
                yield f"{key}: {variable} is no setting of the server"
            if environment != "dev" and variable in SECRETS:
                yield f"{key}: the secret {variable} is in the environment, not in a file"
    api = services.get("api", {})
    if set(api.get("networks", [])) != {"frontend", "backend"}:
        yield "api: is not on frontend and backend"
    if seconds(api.get("stop_grace_period", "0s")) * 1000 <= shutdown_ms[environment == "dev"]:
        yield "api: is killed before SHUTDOWN_DRAIN_MS and SHUTDOWN_TIMEOUT_MS are over"
    if environment != "dev" and not one_offs(services):
        yield "api: does not wait for the migration"


def example(text, example_text):
    """Complaints about the settings example that belongs to a Compose file."""
    documented = set(re.findall(r"^#?([A-Z_]+)=", example_text, re.MULTILINE))
    used = VARIABLE.findall(text)
    for variable in sorted({name for name, _ in used} - documented):
        yield f"{variable} is not in the example of settings"
    for variable in sorted(documented - {name for name, _ in used}):
        yield f"{variable} is in the example of settings and not used"


def known_settings(env_example):
    return set(re.findall(r"^#([A-Z0-9_]+)=", env_example, re.MULTILINE))


def shutdown_milliseconds(env_example):
    """(outside development, in development): drain and time limit together, by the documented defaults."""
    drains = re.search(r"Default: (\d+) in development, (\d+)\s*#?\s*otherwise\.\s#SHUTDOWN_DRAIN_MS=", env_example)
    limit = int(re.search(r"^#SHUTDOWN_TIMEOUT_MS=(\d+)", env_example, re.MULTILINE)[1])
    return int(drains[2]) + limit, int(drains[1]) + limit


def complaints(texts, examples, env_example):
    """All of them: `texts` maps dev, staging, prod, the overlays and Swarm's to their files' contents."""
    settings, shutdown = known_settings(env_example), shutdown_milliseconds(env_example)
    names, found = set(), []
    for kind, text in texts.items():
        data = yaml.safe_load(text)
        if kind in SWARM:
            of_swarm = swarm(data, text, settings, shutdown) if kind == "swarm" else swarm_addition(data, settings)
            found += [f"{SWARM[kind]}: {line}" for line in of_swarm]
            continue
        said = []
        if "version" in data:
            said.append("version is obsolete")
        once = one_offs(data["services"])
        for name, service in data["services"].items():
            if kind in OVERLAYS and "image" not in service:
                said += addition(name, service, settings)
            else:
                said += hardening(name, service, name in once)
        if kind in ENVIRONMENTS:
            said += stack(kind, data, kind, shutdown, settings)
            said += example(text, examples[kind])
            names.add(data.get("name"))
        elif "name" in data:
            said.append("an overlay has the name of the stack it is added to")
        found += [f"compose.{kind}.yml: {line}" for line in said]
    if len(names) < len(ENVIRONMENTS):
        found.append("two environments share a name, so they cannot run side by side")
    return found


def read():
    files = {kind: (ROOT / f"compose.{kind}.yml").read_text() for kind in ENVIRONMENTS + OVERLAYS}
    strays = {path.name for path in ROOT.glob("*compose*.y*ml")} - {f"compose.{kind}.yml" for kind in files}
    strays |= {str(path.relative_to(ROOT)) for path in ROOT.glob("deploy/swarm/*.y*ml")} - set(SWARM.values())
    if strays:
        sys.exit(f"no rule says what {', '.join(sorted(strays))} must hold")
    files |= {kind: (ROOT / path).read_text() for kind, path in SWARM.items()}
    examples = {kind: (ROOT / f".env.{kind}.example").read_text() for kind in ENVIRONMENTS}
    return files, examples, (ROOT / ".env.example").read_text()


if __name__ == "__main__":
    said = complaints(*read())
    print("\n".join(said))
    sys.exit(bool(said))
