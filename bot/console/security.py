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
    """At most `most` knocks in a minute from one address, in this process."""

    def __init__(self, most: int) -> None:
        self._most, self._knocks, self._lock = most, dict[str, deque[datetime]](), threading.Lock()

    def allows(self, address: str, now: datetime) -> bool:
        with self._lock:
            for known in [known for known, knocks in self._knocks.items() if now - knocks[-1] > timedelta(minutes=1)]:
                del self._knocks[known]
            knocks = self._knocks.setdefault(address, deque())
            while knocks and now - knocks[0] > timedelta(minutes=1):
                knocks.popleft()
            if len(knocks) >= self._most:
                return False
            knocks.append(now)
            return True
