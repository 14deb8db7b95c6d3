"""Logs for people or for a collector: ids at every level, never words of employees, never secrets.

Messages of our own code are written by us and hold ids only. Libraries write into theirs whatever they handle (a request's
body, an SQL parameter), so of them only the statement in their source that logs is shown, with nothing filled in. Of errors
the kind and the places in the code are shown, never the message.
"""

import json
import linecache
import logging
import os
import re
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, Literal, TextIO

import alembic

import bot
import storage.database
from bot.operations.faults import chain_of, is_ours, kind_of
from bot.services.watching import noted

# By the place of the code, not by the logger's name: libraries may be handed one of our loggers.
OURS = tuple(f"{Path(each.__file__ or '').parent}{os.sep}" for each in (bot, storage.database, alembic))
SECRETS = re.compile(
    r"xox[a-z](?:\.xox[a-z])?-[\w-]+|xapp-[\w-]+|(?<=://)[^/\s:@]*:[^/\s@]*(?=@)|(?i:bearer) \S+|(?<=ticket=)[^&\s]+"
)
ID = re.compile(r"[\w:./-]{1,120}")
FRAMES_SHOWN = 12
HIDDEN = "•••"


def set_up_logs(
    form: Literal["text", "json"], level: str, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """All loggers of the process write to standard error, one line each. `secrets` never appear, wherever they stand."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(form, secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    sys.excepthook = _log_the_end
    threading.excepthook = lambda thread: _log_the_end(thread.exc_type, thread.exc_value, thread.exc_traceback)


class Lines(logging.Formatter):
    """One line a record: `text` for people, `json` with one object a line for a collector."""

    def __init__(self, form: Literal["text", "json"], secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._json = form == "json"
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        fields = self._fields(record)
        line = json.dumps(fields, ensure_ascii=False) if self._json else _as_text(fields)
        return self._without_secrets(line)

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        fields |= {name: value for name, value in noted().items() if ID.fullmatch(str(value))}
        if record.exc_info and record.exc_info[1]:
            fields["error"] = kind_of(record.exc_info[1])
            fields["error_from"] = [place for error in chain_of(record.exc_info[1]) for place in _places(error)]
        return fields

    def _without_secrets(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        return SECRETS.sub(HIDDEN, line)


def _message(record: logging.LogRecord) -> str:
    if not record.pathname.startswith(OURS):
        return _statement(record)
    if isinstance(record.args, tuple):
        args = tuple(kind_of(each) if isinstance(each, BaseException) else each for each in record.args)
        return str(record.msg) % args if args else str(record.msg)
    return record.getMessage()


def _statement(record: logging.LogRecord) -> str:
    """The library's own line of code that logged this."""
    said = ""
    for number in range(record.lineno, record.lineno + 8):
        said += " " + linecache.getline(record.pathname, number).strip()
        if said.count("(") <= said.count(")"):
            break
    return f"{Path(record.pathname).name}:{record.lineno}:{said[:300]}"


def _places(error: BaseException) -> list[str]:
    """Our own lines, and the one where it happened."""
    frames = extract_tb(error.__traceback__)
    shown = [frame for frame in frames[:-1] if is_ours(frame.filename)][-FRAMES_SHOWN:] + frames[-1:]
    return [f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}" for frame in shown]


def _as_text(fields: dict[str, Any]) -> str:
    at, level, name, message = (fields.pop(key) for key in ("at", "level", "logger", "message"))
    places = fields.pop("error_from", [])
    more = "".join(f" {key}={value}" for key, value in fields.items())
    return f"{at} {level.upper():7} {name}: {message}{more}" + "".join(f"\n    {place}" for place in places)


def _log_the_end(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """An error that nobody handled: Python itself would print its message."""
    if error is None or isinstance(error, (KeyboardInterrupt, SystemExit)):
        return
    logging.getLogger("bot").critical("an error that nobody handled", exc_info=(kind, error, traceback))
