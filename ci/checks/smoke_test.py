"""deploy/smoke passes a server that behaves, and fails each that does not, against a stand-in on the loopback address."""

import http.server
import os
import pathlib
import subprocess
import threading
import unittest

SMOKE = pathlib.Path(__file__).resolve().parents[2] / "deploy/smoke"
GOOD = {"/health": (200, '{"status":"ok"}'), "/readyz": (200, ""), "/graphql": (401, "")}


class Answers(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, body = self.server.answers[self.path]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def smoke(**changes):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.answers = {**GOOD, **{f"/{path}": answer for path, answer in changes.items()}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        environment = {**os.environ, "SMOKE_RETRIES": "0", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run([SMOKE, url], capture_output=True, text=True, env=environment, check=False)
        return done.returncode, done.stdout
    finally:
        server.shutdown()
        server.server_close()


class Smoke(unittest.TestCase):
    def test_a_server_that_behaves(self):
        code, said = smoke()
        self.assertEqual((code, said.count("ok ")), (0, 4), said)

    def test_a_server_that_does_not(self):
        for changes in (
            {"health": (200, "hello")},
            {"readyz": (503, "")},
            {"graphql": (200, '{"data":{}}')},
            {"graphql": (500, "")},
        ):
            with self.subTest(changes):
                code, said = smoke(**changes)
                self.assertEqual(code, 1)
                self.assertIn("FAIL", said)


if __name__ == "__main__":
    unittest.main()
