"""The Web API: who calls, may they, with what; then the method. Strict where Slack is strict."""

import importlib
import json
import pkgutil
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.localslack import methods
from bot.localslack.methods.registry import METHODS
from bot.localslack.workspace import Json, SlackError, Workspace

for module in pkgutil.iter_modules(methods.__path__):
    importlib.import_module(f"{methods.__name__}.{module.name}")

# Strings that some clients send as JSON inside a form.
NESTED = ("blocks", "attachments", "view", "metadata", "prompts", "files", "chunks", "loading_messages")
CALLS_KEPT = 2000


@dataclass(frozen=True)
class Call:
    """One call of the app, for the journal."""

    at: datetime
    method: str
    arguments: Json
    status: int
    answer: Json


@dataclass
class Fault:
    """How the next calls go wrong: `ratelimited` (429), `error` (500 before anything happened), `error_after`
    (500 although it happened), `hang` (the answer comes after 15 s), `drop` (the connection breaks after it happened)."""

    kind: str
    method: str = "chat.postMessage"
    times: int = 1


@dataclass
class Journal:
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self, method: str) -> str:
        with self._lock:
            for fault in self.faults:
                if fault.method in (method, "*") and fault.times > 0:
                    fault.times -= 1
                    return fault.kind
        return ""


class WebApi:
    """Answers method calls. `bot_token` and `app_token` are the only tokens it knows."""

    def __init__(self, workspace: Workspace, bot_token: str, app_token: str) -> None:
        self.workspace, self.bot_token, self.app_token = workspace, bot_token, app_token
        self.journal = Journal()
        self.limits: dict[str, int] = {}  # method → calls a minute; empty: no limits
        self._recent: dict[str, deque[datetime]] = {}

    def call(self, name: str, token: str, arguments: Json) -> tuple[int, Json, dict[str, str]]:
        """(HTTP status, body, headers). A status of 0 means: break the connection; -1: answer late."""
        now = self.workspace.clock.now()
        headers = {"x-oauth-scopes": ",".join(sorted(self.workspace.scopes))}
        fault = self.journal.next_fault(name)
        if fault == "ratelimited" or self._too_fast(name, now):
            return self._keep(
                now, name, arguments, 429, {"ok": False, "error": "ratelimited"}, headers | {"Retry-After": "1"}
            )
        if fault == "error":
            return self._keep(now, name, arguments, 500, {"ok": False, "error": "internal_error"}, headers)
        try:
            with self.workspace.lock:
                body: Json = {"ok": True, **self._run(name, token, arguments)}
        except SlackError as error:
            body = error.body()
        status = {"error_after": 500, "drop": 0, "hang": -1}.get(fault, 200)
        if status == 500:
            body = {"ok": False, "error": "internal_error"}
        return self._keep(now, name, arguments, status, body, headers)

    def _run(self, name: str, token: str, arguments: Json) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        if method.token != "none":
            if not token:
                raise SlackError("not_authed")
            if token not in (self.bot_token, self.app_token):
                raise SlackError("invalid_auth")
            if (token == self.app_token) != (method.token == "app"):
                raise SlackError("not_allowed_token_type")
            if method.scopes and not self.workspace.scopes & set(method.scopes):
                provided = ",".join(sorted(self.workspace.scopes))
                raise SlackError("missing_scope", needed=method.scopes[0], provided=provided)
        return method.run(self.workspace, arguments)

    def _too_fast(self, name: str, now: datetime) -> bool:
        if name not in self.limits:
            return False
        recent = self._recent.setdefault(name, deque())
        while recent and now - recent[0] > timedelta(minutes=1):
            recent.popleft()
        recent.append(now)
        return len(recent) > self.limits[name]

    def _keep(
        self, at: datetime, name: str, arguments: Json, status: int, body: Json, headers: dict[str, str]
    ) -> tuple[int, Json, dict[str, str]]:
        self.journal.calls.append(Call(at, name, arguments, status, body))
        self.workspace.changed()
        return status, body, headers


def read_arguments(pairs: Iterable[tuple[str, Any]], body: Any) -> Json:
    """Arguments from query string and form (pairs) and a JSON body, with nested JSON strings read."""
    arguments: Json = dict(pairs)
    if isinstance(body, dict):
        arguments |= body
    for name in NESTED:
        if isinstance(arguments.get(name), str):
            try:
                arguments[name] = json.loads(arguments[name])
            except ValueError:
                raise SlackError("invalid_arguments", [f"{name} is not JSON"]) from None
    return arguments


__all__ = ["Call", "Fault", "Journal", "WebApi", "read_arguments"]
