"""Prometheus and Alertmanager with the project's configuration, in which only addresses and times are others: everything
is looked at each second, and an alert that has to hold for a while fires after one."""

import contextlib
import json
import pathlib
import re
import shutil

from support import ROOT, ask, free_port, query_string, running, until

OBSERVABILITY = ROOT / "deploy/observability"


def replaced(text, *pairs):
    """Each must be there, or a check would go on without it when the file changes."""
    for old, new in pairs:
        if old not in text:
            raise RuntimeError(f"{old!r} is not in the configuration any more")
        text = text.replace(old, new)
    return text


class Prometheus:
    def __init__(self, folder, api_admin_port, alertmanager):
        self.folder, self.port = folder, free_port()
        self.home = folder / "prometheus"
        shutil.copytree(OBSERVABILITY / "prometheus", self.home)
        configuration = self.home / "prometheus.yml"
        text = replaced(
            configuration.read_text(),
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
            ("scrape_timeout: 10s", "scrape_timeout: 1s"),
            ("localhost:9090", f"127.0.0.1:{self.port}"),
            ("api:9000", f"127.0.0.1:{api_admin_port}"),
            ("alertmanager:9093", f"127.0.0.1:{alertmanager.port}"),
            # Nobody is there.
            ("loki:3100", f"127.0.0.1:{free_port()}"),
        )
        configuration.write_text(text)
        for path in (self.home / "rules").glob("*.yml"):
            path.write_text(re.sub(r"(?m)^( +for: )\S+$", r"\g<1>1s", path.read_text()))

    @contextlib.contextmanager
    def serving(self):
        command = [
            "prometheus", f"--config.file={self.home / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
        ]
        with running("prometheus", command, self.folder):
            until("Prometheus is ready", lambda: ask(self.port, "/-/ready")[0] == 200)
            yield

    def api(self, path, **parameters):
        """The answer of its API, errors and warnings among it."""
        return json.loads(ask(self.port, f"/api/v1/{path}?{query_string(**parameters)}")[1])

    def value(self, expression):
        """The one value of an expression; none while there is none."""
        answer = self.api("query", query=expression)
        if answer["status"] != "success":
            raise RuntimeError(answer["error"])
        found = answer["data"]["result"]
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def firing(self):
        """The alerts that fire, each as its name and, where it says one, its job."""
        alerts = self.api("alerts")["data"]["alerts"]
        return {(a["labels"]["alertname"], a["labels"].get("job", "")) for a in alerts if a["state"] == "firing"}


class Alertmanager:
    def __init__(self, folder, receiver_port):
        self.folder, self.port = folder, free_port()
        text = replaced(
            (OBSERVABILITY / "alertmanager/alertmanager.yml").read_text(),
            ("group_wait: 30s", "group_wait: 1s"),
            ("group_interval: 5m", "group_interval: 1s"),
            ("- name: nobody", f"- name: nobody\n    webhook_configs: [{{url: 'http://127.0.0.1:{receiver_port}/'}}]"),
        )
        self.configuration = folder / "alertmanager.yml"
        self.configuration.write_text(text)

    @contextlib.contextmanager
    def serving(self):
        command = [
            "prometheus-alertmanager", f"--config.file={self.configuration}",
            f"--storage.path={self.folder / 'alertmanager'}", f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        with running("alertmanager", command, self.folder):
            until("Alertmanager is ready", lambda: ask(self.port, "/-/ready")[0] == 200)
            yield


def told(bodies):
    """The names of the alerts that the receiver was told of as firing."""
    messages = [json.loads(body) for body in list(bodies)]
    alerts = [alert for message in messages for alert in message["alerts"]]
    return {alert["labels"]["alertname"] for alert in alerts if alert["status"] == "firing"}


def dashboards() -> list[pathlib.Path]:
    return sorted((OBSERVABILITY / "grafana/dashboards").glob("*.json"))
