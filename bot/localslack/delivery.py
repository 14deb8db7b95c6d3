"""Brings what happens to the app: over Socket Mode when a socket is open, else signed over HTTP. Retries as Slack does."""

import hashlib
import hmac
import json
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlencode

import httpx

from bot.localslack.workspace import Json, Workspace

logger = logging.getLogger(__name__)

Kind = Literal["events_api", "interactive", "slash_commands"]
PATIENCE = 3.0  # seconds until Slack gives up on an answer
RETRIES_AFTER = (timedelta(), timedelta(minutes=1), timedelta(minutes=5))
MOST_SOCKETS = 10


@dataclass(frozen=True)
class Answer:
    """What the app answered: `taken` when in time and well, `body` what it said (JSON, or text under "text")."""

    taken: bool
    body: Json
    retry: bool = True


@dataclass
class Socket:
    """One open Socket Mode connection. `send` may be called from any thread."""

    send: Callable[[Json], None]
    close: Callable[[], None]


class Delivery:
    """`request_url` is where HTTP deliveries go; None until the app has told one."""

    def __init__(self, workspace: Workspace, signing_secret: str, request_url: str | None) -> None:
        self.workspace, self.signing_secret, self.request_url = workspace, signing_secret, request_url
        self.sockets: list[Socket] = []
        self.duplicate_next = 0  # so many of the next events arrive twice
        self.log: list[tuple[Kind, Json]] = []
        self._waiting: dict[str, Future[Json]] = {}
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="localslack delivery")
        self._http = httpx.Client(timeout=PATIENCE, trust_env=False)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    @property
    def idle(self) -> bool:
        """Nothing is waiting for the app's acknowledgement."""
        return not self._waiting

    # --- events: told in the background, repeated until taken ---

    def tell(self, event: Json) -> None:
        """Deliver an event that the manifest subscribes to; others are dropped, as Slack does."""
        kind = event["type"]
        wanted = f"message.{event.get('channel_type')}" if kind == "message" else kind
        if wanted not in self.workspace.events:
            return
        wrapper = self._wrapped(event)
        copies = 1
        if self.duplicate_next:
            self.duplicate_next, copies = self.duplicate_next - 1, 2
        for _ in range(copies):
            self._later(self._tell, wrapper, 0, "")

    def _tell(self, wrapper: Json, attempt: int, reason: str) -> None:
        answer = self.ask("events_api", wrapper, attempt, reason)
        if answer.taken or not answer.retry or attempt >= len(RETRIES_AFTER):
            return
        again = lambda: self._later(self._tell, wrapper, attempt + 1, "http_error")  # noqa: E731
        if RETRIES_AFTER[attempt]:
            self.workspace.clock.later(RETRIES_AFTER[attempt], again)
        else:
            again()

    def _later(self, do: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._pool.submit(do, *arguments)
        except RuntimeError:
            logger.debug("stopped: nothing is delivered any more")

    def _wrapped(self, event: Json) -> Json:
        workspace = self.workspace
        authorization = {
            "enterprise_id": None,
            "team_id": workspace.team_id,
            "user_id": workspace.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": "local",
            "team_id": workspace.team_id,
            "context_team_id": workspace.team_id,
            "api_app_id": workspace.app_id,
            "event": {"event_ts": workspace.clock.ts(), **event},
            "type": "event_callback",
            "event_id": workspace.new_id("Ev"),
            "event_time": int(workspace.clock.now().timestamp()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
        }

    # --- interactions and commands: the person waits for the answer ---

    def ask(self, kind: Kind, payload: Json, attempt: int = 0, reason: str = "") -> Answer:
        """Deliver and wait for the app's answer, at most three seconds."""
        self.log.append((kind, payload))
        with self._lock:
            socket = random.choice(self.sockets) if self.sockets else None
        if socket:
            return self._over_socket(socket, kind, payload, attempt, reason)
        if self.request_url:
            return self._over_http(kind, payload, attempt, reason)
        return Answer(False, {})

    def _over_socket(self, socket: Socket, kind: Kind, payload: Json, attempt: int, reason: str) -> Answer:
        envelope_id = self.workspace.new_id("envelope-")
        waiting: Future[Json] = Future()
        self._waiting[envelope_id] = waiting
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            socket.send(envelope)
            return Answer(True, waiting.result(PATIENCE))
        except (NoAnswer, OSError, RuntimeError):  # too late, or the connection broke while we were sending
            return Answer(False, {})
        finally:
            self._waiting.pop(envelope_id, None)
            self.workspace.changed()

    def acknowledge(self, envelope: Json) -> None:
        """The app's answer to an envelope, come over any socket."""
        waiting = self._waiting.get(envelope.get("envelope_id", ""))
        if waiting and not waiting.done():
            waiting.set_result(envelope.get("payload") or {})

    def _over_http(self, kind: Kind, payload: Json, attempt: int, reason: str) -> Answer:
        if kind == "events_api":
            content, content_type = json.dumps(payload), "application/json"
        elif kind == "interactive":
            content, content_type = urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"
        else:
            content, content_type = urlencode(payload), "application/x-www-form-urlencoded"
        headers = {"Content-Type": content_type, **self.signature(content)}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        try:
            response = self._http.post(self.request_url or "", content=content.encode(), headers=headers)
        except httpx.HTTPError:
            return Answer(False, {})
        body: Json = {"text": response.text} if response.text else {}
        if response.headers.get("content-type", "").startswith("application/json") and response.text:
            body = response.json()
        return Answer(response.is_success, body, retry=response.headers.get("x-slack-no-retry") != "1")

    def signature(self, content: str) -> dict[str, str]:
        """v0: HMAC-SHA256 over version, time and body. The time is the real one: the app's own clock checks it."""
        sent = str(int(time.time()))
        digest = hmac.new(self.signing_secret.encode(), f"v0:{sent}:{content}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": sent, "X-Slack-Signature": f"v0={digest}"}
