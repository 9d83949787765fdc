"""Runs everything against the given binary. Ends with a count; what failed is above it, and the logs stay where it says."""

import pathlib
import shutil
import sys
import tempfile
import traceback

import expressions
import traces
import traffic
from prometheus import Alertmanager, Prometheus, told
from support import Api, Report, receiver, until

# Nobody is at Loki's address here, which is what these two are for.
OF_LOKI = {("TargetDown", "loki"), ("LogsMissing", "")}
OF_TRAFFIC = {(f"BranchLoanApi{name}", "branch-loan-api") for name in ("Failing", "Shedding", "Defect")}
GONE = {("BranchLoanApiGone", "branch-loan-api")}


def scraped(prometheus, api):
    """Waits until Prometheus knows of every request, and says whether it counts as many as were sent."""
    counted = "sum(http_server_request_duration_seconds_count{http_route=\"/graphql\"})"
    return until("Prometheus has seen all requests", lambda: prometheus.value(counted) == api.requests)


def at_work(report, api, prometheus):
    until("the server is watched", lambda: prometheus.value('up{job="branch-loan-api"}') == 1)
    until("the books were looked at", lambda: prometheus.value("branch_loan_ledger_checked_timestamp_seconds"))
    # Two rounds, each seen by Prometheus: what appears for the first time has no rate.
    traffic.usual(api, "first")
    api.post(traffic.APPLY, traffic.application("on its own"))
    report.check("as many requests are counted as were sent", scraped(prometheus, api))
    until("the days are closed", lambda: prometheus.value("branch_loan_end_of_day_days_behind") == 0)
    until("Loki is missed", lambda: OF_LOKI <= prometheus.firing())
    firing = prometheus.firing()
    report.check("a server that is well raises no alert", firing == OF_LOKI, str(firing - OF_LOKI))
    traffic.usual(api, "second")
    # One by itself, too: a rate of 503 there is only once Prometheus has seen the first.
    traffic.locked(api, "turned away first", 1)
    report.check("so is the first that is turned away", scraped(prometheus, api))
    traffic.locked(api, "turned away", traffic.TURNED_AWAY - 1)
    traffic.broken(api)
    report.check("and again", scraped(prometheus, api))
    replays = prometheus.value("branch_loan_idempotency_replays_total")
    report.check("the two replays are counted", replays == 2, str(replays))
    sheds = prometheus.value('branch_loan_overload_sheds_total{budget="writes"}')
    report.check("what was turned away is counted", sheds == traffic.TURNED_AWAY, str(sheds))


def alerts(report, prometheus, bodies, expected):
    expected = expected | OF_LOKI
    try:
        until("exactly these alerts fire", lambda: prometheus.firing() == expected)
        until("the receiver is told", lambda: {name for name, _ in expected} <= told(bodies))
    except TimeoutError as error:
        return report.check("alerts", False, f"{error}: {prometheus.firing()}, told {told(bodies)}, expected {expected}")
    report.check(f"fire and reach the receiver: {', '.join(sorted(name for name, _ in expected))}", True)


def metrics(report, binary, folder):
    api = Api(binary, folder, **traffic.SETTINGS)
    api.prepare(50)
    with receiver() as (port, bodies):
        alertmanager = Alertmanager(folder, port)
        prometheus = Prometheus(folder, api.admin, alertmanager)
        with alertmanager.serving(), prometheus.serving():
            with api.serving():
                at_work(report, api, prometheus)
                asked_for = expressions.check_dashboards(report, prometheus)
                asked_for |= expressions.check_rules(report, prometheus)
                expressions.check_exceptions(report, asked_for)
                alerts(report, prometheus, bodies, OF_TRAFFIC)
            until("the server is missed", lambda: GONE <= prometheus.firing())
            until("the receiver is told", lambda: "BranchLoanApiGone" in told(bodies))
            report.check("a server that is gone is told of", True)
            with api.serving():
                until("the server is back", lambda: not GONE & prometheus.firing())
                report.check("and one that is back is none", True)


def main(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="branch-loan-api-observability-"))
    report = Report()
    for part in (metrics, traces.check):
        try:
            part(report, binary, folder)
        except Exception:
            traceback.print_exc()
            report.check(part.__module__ if part is not metrics else "metrics", False, "it did not come to its end")
    if report.failed == 0:
        shutil.rmtree(folder)
    else:
        print(f"The logs are in {folder}")
    print(f"observability: {report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
