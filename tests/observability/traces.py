"""Traces reach a receiver that is not ours, over HTTP and over HTTPS with a private authority, and carry nothing that a
client wrote. rotel takes them as any collector does and sends them on to where they can be looked at."""

import contextlib
import importlib.util
import pathlib
import secrets
import socket
import ssl
import subprocess
import threading

from support import Api, ask, free_port, receiver, running, until
from traffic import APPLY, application


def certificate(folder):
    """A private authority and its certificate for `localhost`."""
    leaf = folder / "leaf.cnf"
    leaf.write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    for line in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test -keyout ca.key -out ca.pem",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout leaf.key -out leaf.csr",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile leaf.cnf -out leaf.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return folder / "ca.pem", folder / "leaf.pem", folder / "leaf.key"


@contextlib.contextmanager
def terminator(port, chain, key):
    """Ends TLS in front of a port that has none, as rotel's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def carry(connection):
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as inside:
            with socket.create_connection(("127.0.0.1", port)) as outside:
                back = threading.Thread(target=copy, args=(outside, inside))
                back.start()
                copy(inside, outside)
                back.join()

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=carry, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextlib.contextmanager
def rotel(folder):
    """The receiver: its port, and what it sent on."""
    with receiver() as (sink, kept):
        port = free_port()
        command = [
            pathlib.Path(importlib.util.find_spec("rotel").origin).with_name("rotel-agent"), "start", f"--otlp-http-endpoint=127.0.0.1:{port}", f"--otlp-grpc-endpoint=127.0.0.1:{free_port()}",
            "--exporter=otlp", "--otlp-exporter-protocol=http", f"--otlp-exporter-endpoint=http://127.0.0.1:{sink}",
        ]
        with running("rotel", command, folder):
            until("rotel listens", lambda: ask(port, "/v1/traces")[0])
            yield port, kept


def check(report, binary, folder):
    authority, chain, key = certificate(folder)
    with rotel(folder) as (port, kept), terminator(port, chain, key) as secure:
        trusting = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority)}
        for name, endpoint, settings in (
            ("http", f"http://127.0.0.1:{port}", {}),
            ("https", f"https://localhost:{secure}", trusting),
        ):
            traced(report, Api(binary, folder, name, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **settings), kept)
        stranger = Api(binary, folder, "stranger", OTEL_EXPORTER_OTLP_ENDPOINT=f"https://localhost:{secure}")
        untrusted(report, stranger, kept)


def traced(report, api, kept):
    trace, canary = secrets.token_hex(16), f"canary-{secrets.token_hex(4)}"
    api.prepare(0)
    with api.serving():
        api.data(APPLY, application(canary, "1234.56"), traceparent=f"00-{trace}-{secrets.token_hex(8)}-01")
    # A server that has stopped has sent everything.
    raw = bytes.fromhex(trace)
    sent = until("the trace arrives", lambda: b"".join(body for body in list(kept) if raw in body))
    report.check(f"over {api.name}: the request's span is in the caller's trace", b"POST /graphql" in sent)
    report.check(f"over {api.name}: so are the operation and its statements", b"applyForLoan" in sent and b"INSERT" in sent)
    leaked = [word for word in (canary, "1234.56", "borrower_01", "userErrors") if word.encode() in sent]
    report.check(f"over {api.name}: nothing of the query and its variables is in it", not leaked, str(leaked))


def untrusted(report, api, kept):
    trace = secrets.token_hex(16)
    api.prepare(0)
    with api.serving():
        api.data("{ __typename }", traceparent=f"00-{trace}-{secrets.token_hex(8)}-01")
    log = (api.folder / f"{api.name}.log").read_text()
    report.check("over https without the authority: the server says that traces are lost", "traces are lost" in log)
    report.check("and tells the receiver nothing", not any(bytes.fromhex(trace) in body for body in kept))
