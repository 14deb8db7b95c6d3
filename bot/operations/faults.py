"""What may be told of an error: its kind, never its message, which may hold what somebody wrote."""

import os
import re
from collections.abc import Iterator

import psycopg

NO_CONNECTION = (  # what PostgreSQL's driver says, without a code, when a connection does not come about or breaks
    "Connection refused",
    "does not exist",
    "password authentication failed",
    "no password supplied",
    "timeout expired",
    "could not translate host name",
    "Name or service not known",
    "No route to host",
    "certificate verify failed",
    "too many clients",
    "remaining connection slots",
    "the database system is",
    "server closed the connection unexpectedly",
    "the connection is closed",
    "the connection is lost",
)
CODE = re.compile(r"[a-z_]{2,40}")  # Slack's error codes look like this; anything else is left out


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the latest first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        yield current
        seen.add(id(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def kind_of(error: BaseException) -> str:
    """`OperationalError: SQLITE_FULL`, `SlackApiError: invalid_auth`, `ConnectionRefusedError: Connection refused`.

    What follows the colon comes from a closed list: the system's, SQLite's, PostgreSQL's or Slack's codes, and what is wrong
    with a connection.
    """
    code = next((code for each in chain_of(error) if (code := _code(each))), "")
    return f"{type(error).__name__}: {code}" if code else type(error).__name__


def _code(error: BaseException) -> str:
    database = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if isinstance(database, str):
        return database
    if isinstance(error, psycopg.OperationalError):
        return next((known for known in NO_CONNECTION if known in str(error)), "")
    answer = getattr(error, "response", None)
    if hasattr(answer, "get") and (told := answer.get("error")):
        return told if CODE.fullmatch(str(told)) else ""
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and isinstance(number, int):
        return os.strerror(number)
    reason = getattr(error, "reason", None)  # urllib keeps the real error there
    return _code(reason) if isinstance(reason, OSError) else ""


def is_ours(filename: str) -> bool:
    """Is a place in the code Trellis's or Python's own, neither a package's nor made up by one (`<string>`)?"""
    return "site-packages" not in filename and not filename.startswith("<")


class BackupProblem(Exception):
    """A backup or a restore that can't be done, as a sentence for the operator."""
