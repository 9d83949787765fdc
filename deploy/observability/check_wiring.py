"""Holds the parts of the monitoring together: data sources that dashboards ask for are provisioned, addresses are
services of compose.observability.yml, and what is mounted there exists."""

import json
import pathlib
import re
import sys

import yaml

here = pathlib.Path(__file__).parent
root = here.parent.parent
stack = yaml.safe_load((root / "compose.observability.yml").read_text())
complaints = []

sources = yaml.safe_load((here / "grafana/provisioning/datasources/sources.yml").read_text())["datasources"]
known = {source["uid"] for source in sources}
dashboards = sorted((here / "grafana/dashboards").glob("*.json"))
if not dashboards:
    complaints.append("there is no dashboard")
for dashboard in dashboards:
    text = dashboard.read_text()
    asked = set(re.findall(r'"uid": "([^"]+)"', text)) - {json.loads(text)["uid"]}
    # One that whoever looks at the dashboard chooses is a variable.
    asked = {uid for uid in asked if not uid.startswith("$")}
    complaints += [f"{dashboard.name} asks for the data source {uid}, which is not provisioned" for uid in asked - known]

texts = [here / name for name in ("prometheus/prometheus.yml", "loki/loki.yml", "alloy/config.alloy")]
texts += sorted(here.glob("grafana/provisioning/*/*.yml"))
for path in texts:
    for name in re.findall(r"\b([a-z]+):(?:9090|9093|3100)\b", path.read_text()):
        if name not in stack["services"] and name != "localhost":
            complaints.append(f"{path.name} speaks to {name}, which is no service of compose.observability.yml")

for name, service in stack["services"].items():
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./") and not (root / source).exists():
            complaints.append(f"{name} mounts {source}, which does not exist")

# The API is fetched from at the port that the overlay opens.
settings = stack["services"]["api"]["environment"]
jobs = yaml.safe_load((here / "prometheus/prometheus.yml").read_text())["scrape_configs"]
targets = [group["targets"] for job in jobs if job["job_name"] == "branch-loan-api" for group in job["static_configs"]]
if targets != [[f"api:{settings['ADMIN_PORT']}"]] or settings["ADMIN_HOST"] != "0.0.0.0":
    complaints.append(f"Prometheus asks {targets}, and the API is at port {settings['ADMIN_PORT']} of {settings['ADMIN_HOST']}")
if "frontend" not in stack["services"]["prometheus"]["networks"]:
    complaints.append("Prometheus is not on the API's network")

# The ruler reads Loki's rules; none is read from a folder that is not the tenant's.
for path in sorted((here / "loki/rules").rglob("*.yml")):
    if path.parent.name != "fake":
        complaints.append(f"{path} is not in the folder of the only tenant, fake")
    for group in yaml.safe_load(path.read_text())["groups"]:
        for rule in group["rules"]:
            missing = {"alert", "expr", "labels", "annotations"} - rule.keys()
            if missing:
                complaints.append(f"a rule of {path.name} lacks {', '.join(sorted(missing))}")

print("\n".join(complaints))
sys.exit(bool(complaints))
