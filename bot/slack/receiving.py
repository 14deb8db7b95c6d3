"""The two ways in which Slack reaches the app: a socket that the app opens (Socket Mode), or HTTP at /slack/events."""

import asyncio
import hmac
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from fastapi import FastAPI, Request, Response
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.oauth import OAuthFlow
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

LARGEST_BODY = 1_000_000  # bytes; Slack's own payloads stay far below
BODY_SECONDS = 5.0  # in which a body must have come; Slack waits three for the answer
BODIES_AT_ONCE = 200  # that are being read
OLDEST = 300  # seconds
HANG_UP = {"Connection": "close"}
BOLTS_OWN_SETTINGS = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")

logger = logging.getLogger(__name__)


class Takes(Protocol):
    """A Bolt app, or what stands before several of them."""

    def dispatch(self, request: BoltRequest) -> BoltResponse: ...


class SocketReception:
    """Socket Mode. The client opens the connection anew by itself when it breaks."""

    def __init__(self, app: Takes, app_token: str) -> None:
        self._handler = SocketModeHandler(app, app_token)  # type: ignore[arg-type]

    def open(self) -> None:
        """May be called again after it failed. Raises SlackApiError, or what the network raises."""
        self._handler.client.connect_to_new_endpoint()

    @property
    def connected(self) -> bool:
        """Does the socket stand right now?"""
        return bool(self._handler.client.is_connected())

    def close(self) -> None:
        """No more comes in. What Slack sent and was not told about in time, it sends again to another process."""
        self._handler.close()


def serve_events(app: Takes, signing_secret: str, installing: OAuthFlow | None = None) -> FastAPI:
    """What Slack calls over HTTP. Nothing that comes is read before its signature is checked, and a stranger who sends slowly
    or much is refused; Bolt's work runs in a thread, so that no request waits for another.

    With `installing` also the pages on which the app is installed in a workspace.
    """
    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    places = asyncio.Semaphore(BODIES_AT_ONCE)

    @web.post("/slack/events")
    async def events(request: Request) -> Response:
        claimed = request.headers.get("content-length", "0")
        if claimed.isdecimal() and (len(claimed) > 9 or int(claimed) > LARGEST_BODY):
            return Response(status_code=413)
        if not is_recent(request.headers.get("x-slack-request-timestamp", ""), time.time()):
            return Response(status_code=401)
        if places.locked():
            return Response(status_code=503, headers=HANG_UP)  # Slack sends it again
        async with places:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _body_of(request)
            except TimeoutError:
                return Response(status_code=408, headers=HANG_UP)
            except ClientDisconnect:
                return Response(status_code=400)
        if body is None:
            return Response(status_code=413, headers=HANG_UP)
        if not is_signed(signing_secret, request.headers, body):
            return Response(status_code=401)
        return await run_in_threadpool(_dispatch, app, body, request.url.query, headers_of(request))

    if installing:
        for path, page in (("install", installing.handle_installation), ("oauth_redirect", installing.handle_callback)):
            web.get(f"/slack/{path}")(_page_of(page))
    return web


async def _body_of(request: Request) -> bytes | None:
    """None when there is more of it than Slack ever sends."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def is_recent(timestamp: str, now: float) -> bool:
    """Was it signed within five minutes of `now`, a Unix time?"""
    return timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12 and abs(now - int(timestamp)) <= OLDEST


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Slack's signature over the bytes as they came. Bolt checks it too, but reads the words first."""
    signed = b"v0:" + headers.get("x-slack-request-timestamp", "").encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, "sha256").hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode())


def _dispatch(app: Takes, body: bytes, query: str, headers: dict[str, list[str]]) -> Response:
    try:
        asked = BoltRequest(body=body.decode("utf-8", "replace"), query=query, headers=headers)
    except Exception:  # no JSON, or not what Slack makes of it
        return Response(status_code=400)
    return answer_with(app.dispatch(asked))


def _page_of(page: Callable[[BoltRequest], BoltResponse]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return answer_with(page(BoltRequest(body="", query=request.url.query, headers=headers_of(request))))

    return answer


def headers_of(request: Request) -> dict[str, list[str]]:
    return {name: request.headers.getlist(name) for name in request.headers}


def answer_with(response: BoltResponse) -> Response:
    """Bolt's answer as the web server's."""
    answer = Response(response.body, response.status)
    for name, values in response.headers.items():
        for value in values:
            answer.headers.append(name, value)
    return answer


@contextmanager
def without_bolts_own_settings() -> Iterator[None]:
    """Bolt reads SLACK_CLIENT_ID from the environment and then drops the bot token for an OAuth app of its own making."""
    hidden = {name: os.environ.pop(name) for name in BOLTS_OWN_SETTINGS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
