"""What telemetry costs: the same queries to servers that differ in nothing else, in turn, many rounds. Needs wrk.

    tests/observability/overhead.py target/release/branch-loan-api --rounds 11 --seconds 1

Prints requests per second and the server's processor time per request as shares of those of the server that tells
nothing. --baseline names another binary for that one, to compare with a build that counts nothing. With two or more
processors the servers run on the first, and wrk and the receivers on the others."""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

from support import Api, ask

CONNECTIONS = 32
LOANS = 2000

BY_ID = "query ($id: ID!) { loan(by: { id: $id }) { id number status principal { amount currency } } }"
PAGE = """query { loans(first: 20) { pageInfo { hasNextPage endCursor }
  nodes { id number status principal { amount currency } borrower { number } branch { code } } } }"""

QUIET = {"LOG_LEVEL": "off", "LOG_FORMAT": "json", "ADMIN_PORT": ""}
USUAL = {"LOG_FORMAT": "json"}

SOME = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}

# Nothing is refused here, and the sealer of several servers over one file has nothing to do.
UNBOUND = {"READS_IN_FLIGHT": "64", "AUDIT_SEAL_INTERVAL_MS": "60000"} | dict.fromkeys(
    ("RATE_PER_SECOND", "RATE_BURST", "ADDRESS_RATE_PER_SECOND", "ADDRESS_RATE_BURST"), "1000000"
)

LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[%s]==]
function done(summary) local e = summary.errors
  io.write(string.format("refused %%d\\n", e.connect + e.read + e.write + e.status + e.timeout)) end
"""


class Sink(http.server.BaseHTTPRequestHandler):
    """An OTLP receiver that reads what it is sent and counts it."""

    protocol_version = "HTTP/1.1"
    received = 0

    def do_POST(self):
        Sink.received += len(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def sink():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def processor_time(pid):
    """Seconds, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(api, body, seconds, folder):
    """Requests per second, and the server's processor microseconds for each."""
    script = folder / "load.lua"
    script.write_text(LUA % body)
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    command += ["--script", str(script), f"http://127.0.0.1:{api.port}/graphql"]
    before, started = processor_time(api.pid), time.monotonic()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used, took = processor_time(api.pid) - before, time.monotonic() - started
    done, refused = int(re.search(r"(\d+) requests in", told)[1]), int(re.search(r"refused (\d+)", told)[1])
    if refused:
        raise RuntimeError(f"{refused} requests were refused")
    return done / took, used * 1e6 / done


def spread(values):
    return f"{min(values):.3f} – {statistics.median(values):.3f} – {max(values):.3f}"


def settings(endpoint):
    """The servers that are compared; the first is what the others are shares of."""
    traced = USUAL | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    return {
        "nothing": QUIET,
        "metrics, log": USUAL,
        "metrics, log, traces of one in ten": traced | SOME,
        "metrics, log, traces of all (the default)": traced,
    }


def start(stack, folder, name, binary, changes):
    api = Api(binary, folder, f"server{name}")
    api.settings |= UNBOUND | {"DATABASE_URL": f"sqlite://{folder / 'shared.db'}?mode=rwc"}
    api.settings |= changes
    api.pid = stack.enter_context(api.serving()).pid
    return api


def pair(first, other, body, seconds, folder):
    """The first server, the other twice, the first again: what changes meanwhile is as much for as against."""
    order = (first, other, other, first)
    before, one, two, after = (load(api, body, seconds, folder) for api in order)
    # Prometheus comes by.
    if other.settings.get("ADMIN_PORT"):
        ask(other.admin, "/metrics")
    return [(before[n] + after[n]) / 2 for n in (0, 1)], [(one[n] + two[n]) / 2 for n in (0, 1)]


def measure(servers, bodies, rounds, seconds, folder):
    """Of each query and server the shares of the first server's figures, one a round; and those figures."""
    first, *others = servers
    shares = {(query, name): [] for query in bodies for name in others}
    figures = {query: [] for query in bodies}
    for _ in range(rounds):
        for (query, name), seen in shares.items():
            base, other = pair(servers[first], servers[name], bodies[query], seconds, folder)
            figures[query].append(base)
            seen.append((other[0] / base[0], other[1] / base[1]))
    return shares, figures


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("binary", type=pathlib.Path)
    arguments.add_argument("--baseline", type=pathlib.Path)
    arguments.add_argument("--rounds", type=int, default=11)
    arguments.add_argument("--seconds", type=int, default=1)
    arguments.add_argument("--only", nargs="*", help="servers by their names, beside the first")
    given = arguments.parse_args()
    binary = given.binary.resolve()
    processors = sorted(os.sched_getaffinity(0))
    ours, others = {processors[0]}, set(processors[1:]) or {processors[0]}
    os.sched_setaffinity(0, others)
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = pathlib.Path(scratch)
        endpoint = stack.enter_context(sink())
        # Who is started inherits where.
        os.sched_setaffinity(0, ours)
        servers = {}
        for number, (name, changes) in enumerate(settings(endpoint).items()):
            if number and given.only and name not in given.only:
                continue
            program = (given.baseline or binary).resolve() if number == 0 else binary
            if number == 0:
                first = Api(program, folder, "shared")
                first.prepare(LOANS)
            servers[name] = start(stack, folder, number, program, changes)
        os.sched_setaffinity(0, others)
        one = next(iter(servers.values()))
        loan = one.data("{ loans(first: 1) { nodes { id } } }")["loans"]["nodes"][0]["id"]
        bodies = {
            "by id": json.dumps({"query": BY_ID, "variables": {"id": loan}}),
            "page of 20": json.dumps({"query": PAGE}),
        }
        for body in bodies.values():
            for api in servers.values():
                load(api, body, 1, folder)
        shares, figures = measure(servers, bodies, given.rounds, given.seconds, folder)
    for query in bodies:
        rates, costs = zip(*figures[query])
        print(f"\n{query}: {statistics.median(rates):.0f} requests/s, {statistics.median(costs):.0f} µs each, without telemetry")
        print("| server | requests/s | processor time per request |\n| --- | --- | --- |")
        for name in list(servers)[1:]:
            rates, costs = zip(*shares[query, name])
            print(f"| {name} | {spread(rates)} | {spread(costs)} |")
    print(f"\n{Sink.received / 1e6:.1f} MB of traces received")


if __name__ == "__main__":
    main()
