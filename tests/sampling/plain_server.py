"""A chat server that answers every request with 200, and honours nothing that is optional."""

import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sampling.raw_server import DONE, event


class _Answers(http.server.BaseHTTPRequestHandler):
    numbers = itertools.count()

    def do_GET(self) -> None:
        self._send("application/json", b"{}")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = f"Answer number {next(self.numbers)}."
        if asked.get("stream"):
            self._send("text/event-stream", event(text) + event("", finish="stop") + DONE)
            return
        choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
        self._send("application/json", json.dumps({"choices": [choice]}).encode())

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextmanager
def serving_plainly() -> Iterator[str]:
    """The base URL of its API."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
