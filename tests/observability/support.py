"""What the checks share: programs in the background, requests, waiting with a deadline, and the count of what held."""

import contextlib
import gzip
import http.client
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60

# Settings of the shell that this is called from must not reach the server.
BARE = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}


class Report:
    """A line for each thing that was looked at."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, what, holds, why=""):
        if holds:
            self.passed += 1
            print(f"ok    {what}")
        else:
            self.failed += 1
            print(f"FAIL  {what}{': ' if why else ''}{why}")

    def skip(self, what, count, why):
        self.skipped += count
        print(f"SKIP  {what}: {count}, {why}")


def until(what, look):
    """What `look` finds as soon as it is anything. Servers may be away meanwhile."""
    end = time.monotonic() + PATIENCE
    found = None
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            found = look()
            if found:
                return found
        time.sleep(0.05)
    raise TimeoutError(f"it never happened that {what}; at last it was {found!r}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def ask(port, path, body=None, headers=None, method=None):
    """The status and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        method = method or ("GET" if body is None else "POST")
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def query_string(**parameters):
    return urllib.parse.urlencode(parameters)


@contextlib.contextmanager
def running(name, command, folder, environment=None):
    """A program in the background; it is stopped by its process, and its output is kept in the folder."""
    with open(folder / f"{name}.log", "ab") as output:
        child = subprocess.Popen(
            command, cwd=folder, env=BARE | (environment or {}), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def receiver():
    """An HTTP server that keeps the bodies it is sent: its port, and what came so far."""
    kept = []

    class Keep(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, kept
    finally:
        server.shutdown()
        server.server_close()


class Api:
    """The server under test: a file of its own with demonstration data, and its two ports."""

    def __init__(self, binary, folder, name="api", **settings):
        self.binary, self.folder, self.name = binary, folder, name
        self.database = folder / f"{name}.db"
        self.port, self.admin = free_port(), free_port()
        self.requests = 0
        self.settings = {
            "DATABASE_URL": f"sqlite://{self.database}?mode=rwc",
            "API_PORT": str(self.port),
            "ADMIN_PORT": str(self.admin),
        } | settings

    def prepare(self, loans):
        command = [self.binary, "demo", "--loans", str(loans)]
        subprocess.run(command, cwd=self.folder, env=BARE | self.settings, check=True, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def serving(self):
        with running(self.name, [self.binary, "serve"], self.folder, self.settings) as child:
            until("the server is ready", lambda: child.poll() is None and ask(self.port, "/readyz")[0] == 200)
            yield child

    def post(self, query, variables=None, **headers):
        """The status and the answer of one GraphQL request."""
        self.requests += 1
        body = json.dumps({"query": query, "variables": variables or {}})
        status, text = ask(self.port, "/graphql", body, {"content-type": "application/json"} | headers)
        return status, json.loads(text)

    def data(self, query, variables=None, **headers):
        status, answer = self.post(query, variables, **headers)
        if status != 200 or "errors" in answer:
            raise RuntimeError(f"{query} was answered {status}: {answer}")
        return answer["data"]

    def sample(self, line):
        """The value that /metrics has for a series, written as there; none while there is no such line."""
        for text in ask(self.admin, "/metrics")[1].splitlines():
            if text.startswith(line + " "):
                return float(text.rsplit(" ", 1)[1])
        return None
