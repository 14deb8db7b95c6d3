"""`trellis doctor`: is everything as it should be, and if not, what to do. It asks and looks, and changes nothing."""

import json
import os
import platform
import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bot.config import Settings, is_weak
from bot.domain.problems import errors_in
from bot.knowledge_base.base import read
from bot.knowledge_base.checking import check
from bot.operations.doctor_database import examine_database
from bot.operations.doctor_settings import examine_settings
from bot.operations.doctor_slack import examine_slack, team_of
from bot.operations.findings import Finding, ok, warning, wrong
from bot.operations.settings_faults import problem_with_encoders
from bot.version import VERSION

ROLES = ("coach", "lead", "content-owner", "hr")


def examine(
    settings: Settings, tokens: Mapping[str, str], contents: Sequence[Path], manifest: Path, now: datetime
) -> list[Finding]:
    """All findings, in the order in which one would mend them. `tokens` by workspace, "" for the only one."""
    served = {workspace or team_of(settings) for workspace in tokens} - {""}
    return [
        _python(),
        *examine_settings(settings, Path(".env"), os.environ),
        *_channel(settings),
        *examine_slack(settings, tokens, _scopes_of(manifest), now),
        *examine_database(settings.database_url, served, now),
        *(finding for folder in contents for finding in _content(folder, now)),
        *_encoders(settings),
        _model(settings.model_dir),
        *_console(settings),
        *_ports(settings),
    ]


def _python() -> Finding:
    """An older one than Trellis needs does not come as far as this."""
    return ok("python", f"Trellis {VERSION}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}.")


def _channel(settings: Settings) -> Iterator[Finding]:
    if settings.workspaces_file:
        return
    if not settings.coach_channel:
        mend = "Set COACH_CHANNEL to the id (C…) of their channel and invite the app there."
        yield warning("coaches' channel", "Coaches get no card in Slack when somebody asks for a person.", mend)
    elif not settings.coach_channel.startswith(("C", "G")):
        mend = "Take the id from the channel's details in Slack: it begins with C."
        yield wrong("coaches' channel", f"COACH_CHANNEL={settings.coach_channel} is no channel id.", mend)


def _scopes_of(manifest: Path) -> list[str] | None:
    try:
        return list(json.loads(manifest.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"])
    except (OSError, ValueError, KeyError):
        return None


def _content(folder: Path, now: datetime) -> Iterator[Finding]:
    about, look = f"content in {folder}", "trellis content check tells file and place of each."
    if not folder.is_dir():
        yield wrong(about, f"There is no folder {folder}.", "Mend CONTENT_DIR, or run the doctor in Trellis's folder.")
        return
    kb, problems = read(folder)
    if kb is not None:
        problems = problems + check(kb, now.date())
    if errors := errors_in(problems):
        yield wrong(about, f"{len(errors)} errors; Trellis does not start with them.", look)
    elif kb is not None:
        yield ok(about, f"Revision {kb.revision}, no errors.")
        if expired := [fact.id for fact in kb.facts.values() if fact.review_by < now.date()]:
            mend = "Its owner confirms it in content/facts; until then answers leave the figure out."
            yield warning(about, f"Past their review date: {', '.join(sorted(expired))}.", mend)


def _encoders(settings: Settings) -> Iterator[Finding]:
    if problem := problem_with_encoders(settings.encoders):
        yield wrong("encoders", problem, "Leave ENCODERS out unless you mean to choose.")


def _model(folder: Path) -> Finding:
    kept = sorted(folder.glob("matcher-*.npz"))
    there = next((each for each in (folder, *folder.absolute().parents) if each.exists()), Path("/"))
    if not os.access(there, os.W_OK):
        mend = "Give the user that runs Trellis the right to write there, or choose another MODEL_DIR."
        return warning("matcher", f"{folder} can't be written to: each start learns anew, in a minute or two.", mend)
    if not kept:
        return ok("matcher", f"Not learnt yet: the first start does it, in a minute or two, and keeps it in {folder}.")
    return ok("matcher", f"Kept in {folder}.")


def _console(settings: Settings) -> list[Finding]:
    if not settings.slack_client_id:
        mend = "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET if coaches are to use it."
        return [warning("console", "Not served.", mend)]
    return list(_console_faults(settings)) or [ok("console", f"Served at {settings.console_url}.")]


def _console_faults(settings: Settings) -> Iterator[Finding]:
    if not settings.slack_client_secret:
        mend = "Copy it from Basic Information → App Credentials."
        yield wrong("console", "SLACK_CLIENT_SECRET is missing: nobody can sign in.", mend)
    address = urlsplit(settings.console_url)
    if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1"):
        mend = "Put a web server with TLS before it, and its https address into CONSOLE_URL."
        yield wrong("console", f"{settings.console_url} is not encrypted.", mend)
    mend = "Set it to 32 or more random characters: openssl rand -hex 32"
    if not settings.console_secret:
        sentence = "CONSOLE_SECRET is missing: everybody signs in again after each start, and pseudonyms change."
        yield warning("console", sentence, mend)
    elif is_weak(settings.console_secret):
        sentence = "CONSOLE_SECRET is too easy to guess: who guesses it signs in as anybody. Trellis does not start with it."
        yield wrong("console", sentence, mend)
    known = (*ROLES, "none")
    entries = [entry.strip() for entry in settings.console_access.split(",") if entry.strip()]
    if odd := [entry for entry in entries if "@" not in entry or entry.rpartition("=")[2].strip() not in known]:
        mend = f"Write address=role; roles: {', '.join(known)}."
        yield wrong("console", f"CONSOLE_ACCESS can't be read at: {', '.join(odd)}.", mend)


def _ports(settings: Settings) -> Iterator[Finding]:
    """Each port that `run` would open: free, or Trellis's own already."""
    about, port = "operations port", settings.operations_port
    host = "127.0.0.1" if settings.operations_host in ("0.0.0.0", "") else settings.operations_host
    taken = port and _why_taken(settings.operations_host, port)
    runs = bool(taken) and _is_trellis(f"http://{host}:{port}/healthz")
    if not port:
        yield warning(about, "OPERATIONS_PORT is 0: no probes and no metrics.", "Set it, and let your monitoring look.")
    elif not taken:
        yield ok(about, f"{host}:{port} is free; no Trellis runs with these settings here now.")
    elif runs:
        yield ok(about, f"Trellis runs and answers at {host}:{port}.")
    else:
        yield wrong(about, f"{host}:{port} can't be opened ({taken}).", "Choose another OPERATIONS_PORT.")
    if not runs:
        yield from _served_ports(settings)


def _served_ports(settings: Settings) -> Iterator[Finding]:
    """Without these `run` does not start."""
    served = []
    if settings.slack_signing_secret and not settings.slack_app_token:
        served.append(("PORT", "0.0.0.0", settings.port))
    if settings.slack_client_id:
        served.append(("CONSOLE_PORT", settings.console_host, settings.console_port))
    for name, host, port in served:
        if taken := port and _why_taken(host, port):
            mend = f"End the other program, or choose another {name}. A Trellis without probes may be it."
            yield wrong(name, f"{host}:{port} can't be opened ({taken}).", mend)


def _why_taken(host: str, port: int) -> str:
    """Why nothing can be served there; "" when it can."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return os.strerror(error.errno) if error.errno and error.errno > 0 else "no such address"
    return ""


def _is_trellis(url: str) -> bool:
    try:
        return "checks" in httpx.get(url, timeout=3, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return False
