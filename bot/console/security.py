"""What every answer of the console carries, and how often one may knock at the door."""

import threading
from collections import deque
from datetime import datetime, timedelta

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
NOT_KEPT = "no-store"  # conversations must not stay in a shared computer's cache
STRICT_TRANSPORT = "max-age=31536000"
LARGEST_FORM = 256 * 1024  # bytes


class SecurityHeaders:
    """Adds the headers to every answer, and refuses bodies that no form of ours can have."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self.app, self.https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = NOT_KEPT
                if self.https:
                    headers["Strict-Transport-Security"] = STRICT_TRANSPORT
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        has_body = scope["method"] not in ("GET", "HEAD")
        if has_body and (
            not length.isdigit() or int(length) > LARGEST_FORM or b"transfer-encoding" in dict(scope["headers"])
        ):
            await PlainTextResponse("This form is too large.", 413)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)


class RateLimit:
    """At most `most` failures in a minute by one address or person, in this process. Whoever only looks in is not counted."""

    def __init__(self, most: int) -> None:
        self._most, self._failures, self._lock = most, dict[str, deque[datetime]](), threading.Lock()

    def exceeded(self, who: str, now: datetime) -> bool:
        with self._lock:
            lately = [at for at in self._failures.get(who, ()) if now - at <= timedelta(minutes=1)]
            return len(lately) >= self._most

    def failed(self, who: str, now: datetime) -> None:
        with self._lock:
            for known in [known for known, failures in self._failures.items() if now - failures[-1] > timedelta(minutes=1)]:
                del self._failures[known]
            self._failures.setdefault(who, deque(maxlen=self._most)).append(now)
