"""What the rendered chart must hold beyond what kubernetes-validate and checkov check: the settings are the server's, a
pod is not killed before the server has stopped, rollbacks do not migrate, every pod is confined."""

import pathlib
import sys

import compose
import yaml


def pods(document):
    """The pod templates in a document, with the kind and name they belong to."""
    spec = document.get("spec", {})
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if "template" in spec:
        yield f"{document['kind']} {document['metadata']['name']}", spec["template"]["spec"]


def pod(name, spec, settings):
    """Complaints about one pod."""
    if spec.get("automountServiceAccountToken") is not False or spec.get("enableServiceLinks") is not False:
        yield f"{name}: knows more of the cluster than it needs"
    for container in spec["containers"]:
        context = container.get("securityContext", {})
        confined = (
            context.get("runAsUser") == 65532
            and context.get("runAsNonRoot") is True
            and context.get("readOnlyRootFilesystem") is True
            and context.get("allowPrivilegeEscalation") is False
            and context.get("capabilities") == {"drop": ["ALL"]}
            and context.get("seccompProfile") == {"type": "RuntimeDefault"}
        )
        if not confined:
            yield f"{name}: {container['name']} is not confined"
        if "@sha256:" not in container["image"]:
            yield f"{name}: the image is not named by its digest"
        if set(container.get("resources", {}).get("limits", {})) != {"cpu", "memory"}:
            yield f"{name}: {container['name']} has no limits"
        for variable in container.get("env", []):
            if variable["name"] not in settings:
                yield f"{name}: {variable['name']} is no setting of the server"
            if variable["name"] in compose.SECRETS:
                yield f"{name}: the secret {variable['name']} is in the environment, not in a file"


def deployment(name, spec):
    """Complaints about how the server starts and stops."""
    env = {variable["name"]: variable["value"] for variable in spec["containers"][0]["env"]}
    stopping = int(env["SHUTDOWN_DRAIN_MS"]) + int(env["SHUTDOWN_TIMEOUT_MS"])
    if spec["terminationGracePeriodSeconds"] * 1000 <= stopping:
        yield f"{name}: is killed before SHUTDOWN_DRAIN_MS and SHUTDOWN_TIMEOUT_MS are over"
    paths = {kind: spec["containers"][0][kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    if paths != {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}:
        yield f"{name}: the probes ask {paths}"


def metrics(documents):
    """Complaints about the way to /metrics: by a Service and a rule of their own, and not by the public ones."""
    by_kind = {}
    for document in documents:
        by_kind.setdefault(document["kind"], []).append(document)
    for ingress in by_kind.get("Ingress", []):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                if path["backend"]["service"]["port"] != {"name": "http"}:
                    yield f"the ingress leads to {path['backend']['service']['port']}"
    for service in by_kind.get("Service", []):
        ports = {port["name"] for port in service["spec"]["ports"]}
        if "http" in ports and len(ports) > 1:
            yield f"{service['metadata']['name']} has other ports beside the public one: {', '.join(sorted(ports))}"
    for policy in by_kind.get("NetworkPolicy", []):
        for rule in policy["spec"]["ingress"]:
            if not rule.get("from"):
                yield f"{policy['metadata']['name']} lets anybody in"
            if len(rule["ports"]) > 1:
                yield f"{policy['metadata']['name']} has one rule for several ports"
    admin = [service for service in by_kind.get("Service", []) if {port["name"] for port in service["spec"]["ports"]} == {"admin"}]
    for monitor in by_kind.get("ServiceMonitor", []):
        if [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] != ["admin"]:
            yield "the ServiceMonitor asks another port than the admin port"
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        if not any(wanted <= service["metadata"]["labels"].items() for service in admin):
            yield "the ServiceMonitor finds no Service with the admin port"


def ways_out(documents):
    """Complaints about the ways out of the pods: one more than names, database and issuer's keys where there is a replica."""
    names = {variable["name"] for document in documents for _, spec in pods(document) for variable in spec["containers"][0]["env"]}
    expected = 4 if "DATABASE_READ_URL_FILE" in names else 3
    for policy in documents:
        if policy["kind"] == "NetworkPolicy" and len(policy["spec"]["egress"]) != expected:
            yield f"{policy['metadata']['name']} has {len(policy['spec']['egress'])} ways out, not {expected}"


def complaints(documents, settings):
    kinds = {document["kind"] for document in documents}
    for kind in ("Deployment", "Service", "ServiceAccount", "NetworkPolicy", "Job", "CronJob"):
        if kind not in kinds:
            yield f"there is no {kind}"
    yield from metrics(documents)
    yield from ways_out(documents)
    for document in documents:
        if document["metadata"].get("namespace") is None:
            yield f"{document['kind']} {document['metadata']['name']}: is in no namespace"
        hooks = document["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        if document["kind"] == "Job" and hooks != "pre-install,pre-upgrade":
            yield f"the migration runs at {hooks or 'no hook'}"
        for name, spec in pods(document):
            yield from pod(name, spec, settings)
            if document["kind"] == "Deployment":
                yield from deployment(name, spec)


def read(path):
    return [document for document in yaml.safe_load_all(pathlib.Path(path).read_text()) if document]


def known_settings():
    return compose.known_settings((compose.ROOT / ".env.example").read_text())


if __name__ == "__main__":
    said = [f"{path}: {line}" for path in sys.argv[1:] for line in complaints(read(path), known_settings())]
    print("\n".join(said))
    sys.exit(bool(said))
