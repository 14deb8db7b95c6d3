"""The two ways in which Slack reaches the app: a socket that the app opens (Socket Mode), or HTTP at /slack/events."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from fastapi import FastAPI, Request, Response
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.oauth import OAuthFlow
from starlette.concurrency import run_in_threadpool

LARGEST_BODY = 1_000_000  # bytes; Slack's own payloads stay far below
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


def serve_events(app: Takes, installing: OAuthFlow | None = None) -> FastAPI:
    """What Slack calls over HTTP. Bolt checks the signature; its work runs in a thread, so that no request waits for another.

    With `installing` also the pages on which the app is installed in a workspace.
    """
    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @web.post("/slack/events")
    async def events(request: Request) -> Response:
        if not request.headers.get("x-slack-request-timestamp", "").isdecimal():
            return Response(status_code=401)  # Bolt's check would fail on it, as if the fault were ours
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY:
                return Response(status_code=413)
        try:
            asked = BoltRequest(body=body.decode("utf-8", "replace"), query=request.url.query, headers=headers_of(request))
        except Exception:  # no JSON, or not what Slack makes of it; Bolt reads it before it checks the signature
            return Response(status_code=400)
        return answer_with(await run_in_threadpool(app.dispatch, asked))

    if installing:
        for path, page in (("install", installing.handle_installation), ("oauth_redirect", installing.handle_callback)):
            web.get(f"/slack/{path}")(_page_of(page))
    return web


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
