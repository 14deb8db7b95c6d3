"""Small HTTP servers for tests: a Bolt app on its own port, and a listener that answers as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from slack_bolt import App, BoltRequest


@dataclass
class Served:
    url: str
    stop: Callable[[], None]


def serve(app: App) -> Served:
    """The app's own HTTP handling (signature check included) on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name: [value] for name, value in self.headers.items()}
            response = app.dispatch(BoltRequest(body=body, headers=headers))
            self.send_response(response.status)
            for name, value in response.first_headers_without_set_cookie().items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body.encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return Served(f"http://127.0.0.1:{server.server_port}/slack/events", stop)


@contextmanager
def listening(answer: Callable[[str, Any, bytes], int]) -> Iterator[str]:
    """A listener whose status for each request `answer(path, headers, body)` decides."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(answer(self.path, self.headers, body))
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def wait_for(look: Callable[[], Any], timeout: float = 5.0) -> None:
    """Until `look` is true; TimeoutError after `timeout` seconds."""
    until = time.monotonic() + timeout
    while not look():
        if time.monotonic() > until:
            raise TimeoutError("it did not happen")
        time.sleep(0.005)
