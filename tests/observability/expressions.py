"""Every expression that the dashboards and the rules ask, against what a server at work has told."""

import json
import math
import re
import time

from prometheus import OBSERVABILITY, dashboards

# What Grafana puts in for its variables.
VARIABLES = {"$job": "branch-loan-api", "$__rate_interval": "1m", "$__interval": "15s"}

# Selectors and expressions that find nothing while all is well, with why.
NO_REPLICA = "the server runs on SQLite, which has no replica, and there is no series without one"
EMPTY_WHEN_ALL_IS_WELL: dict[str, str] = {
    'sum by (database) (rate(branch_loan_replica_queries_total{job=~"branch-loan-api"}[1m]))': NO_REPLICA,
    'sum(rate(branch_loan_replica_fallbacks_total{job=~"branch-loan-api"}[1m]))': NO_REPLICA,
    'branch_loan_replica_lag_seconds{job=~"branch-loan-api"} < 1e9': NO_REPLICA,
    'branch_loan_replica_in_use{job=~"branch-loan-api"}': NO_REPLICA,
    "branch_loan_replica_in_use": NO_REPLICA,
}

WORDS = {"and", "or", "unless", "bool"}


def asked(value, source=None):
    """The expressions in a dashboard with the kind of their data source."""
    if isinstance(value, dict):
        source = value["datasource"].get("type", source) if isinstance(value.get("datasource"), dict) else source
        if isinstance(value.get("expr"), str):
            yield source, value["expr"]
        if isinstance(value.get("definition"), str):
            yield source, value["definition"]
        for inner in value.values():
            yield from asked(inner, source)
    elif isinstance(value, list):
        for inner in value:
            yield from asked(inner, source)


def filled_in(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def selectors(expression):
    """What an expression looks for: names of metrics with their matchers."""
    plain = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", expression)
    for name, matchers in re.findall(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(\{[^}]*\})?", plain):
        if name not in WORDS:
            yield name + matchers


def problem_with(prometheus, expression):
    """What is wrong with asking for it now, and over the last minute."""
    label = re.fullmatch(r"label_values\((.+), (\w+)\)", expression)
    if label:
        answer = prometheus.api(f"label/{label[2]}/values", **{"match[]": label[1]})
        return answer.get("error") or (None if answer["data"] else "it finds nothing")
    now = time.time()
    for path, times in (("query", {"time": now}), ("query_range", {"start": now - 60, "end": now, "step": 1})):
        answer = prometheus.api(path, query=expression, **times)
        if answer["status"] != "success":
            return answer["error"]
        if answer.get("warnings"):
            return str(answer["warnings"])
        values = [value for series in answer["data"]["result"] for value in series.get("values", [series.get("value")])]
        if expression not in EMPTY_WHEN_ALL_IS_WELL and all(math.isnan(float(number)) for _, number in values):
            return f"it finds nothing by {path}"
    return None


def check_dashboards(report, prometheus):
    """Ends with the expressions that were asked."""
    unasked, all_of_them = 0, set()
    for path in dashboards():
        for source, expression in asked(json.loads(path.read_text())):
            if source == "loki":
                unasked += 1
                continue
            expression = filled_in(expression)
            all_of_them.add(expression)
            problem = "it has a variable that is not known here" if "$" in expression else problem_with(prometheus, expression)
            report.check(f"{path.name}: {expression}", problem is None, problem)
    report.skip("expressions of dashboards over the log", unasked, "there is no Loki here")
    return all_of_them


def check_rules(report, prometheus):
    """A rule finds nothing while all is well; what it looks for must be there all the same. Ends with the selectors."""
    groups = prometheus.api("rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    report.check("Prometheus has the rules", len(rules) > 10)
    of_loki, all_of_them = 0, set()
    for rule in rules:
        answer = prometheus.api("query", query=rule["query"])
        report.check(f"{rule['name']} can be asked", answer["status"] == "success" and not answer.get("warnings"), str(answer))
        for selector in sorted(set(selectors(rule["query"]))):
            if selector.startswith("loki_"):
                of_loki += 1
                continue
            all_of_them.add(selector)
            # The range that it is asked over is behind its braces and of no matter here.
            found = prometheus.value(f"count({selector})")
            report.check(f"{rule['name']} finds {selector}", bool(found) or selector in EMPTY_WHEN_ALL_IS_WELL, "nothing")
    logged = (OBSERVABILITY / "loki/rules/fake/api.yml").read_text().count("- alert:")
    report.skip("selectors of rules over Loki's own metrics", of_loki, "there is no Loki here")
    report.skip("rules over the log", logged, "there is no Loki here")
    return all_of_them


def check_exceptions(report, asked_for):
    """An exception that nobody needs any more would excuse the next mistake."""
    unused = sorted(EMPTY_WHEN_ALL_IS_WELL.keys() - asked_for)
    report.check("whatever may be empty is asked for", not unused, str(unused))
