"""demo, run, db, and the scheduled jobs, once each."""

import argparse
import os
import sys
from collections.abc import Collection
from importlib.util import find_spec

from slack_sdk.errors import SlackApiError

from bot.app import deliver
from bot.config import Settings, is_weak
from bot.demo import ASKS_ONCE, ask_once, run_demo
from bot.running import PARTS, NotReachable, run
from bot.services.delivery import SlackStruggles
from bot.services.inbox import sweep
from bot.workspaces import open_workspaces
from storage.database import migrate


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--no-open", action="store_true", help="don't open a browser")
    demo.add_argument("--once", metavar="QUESTION", help="ask one question through the whole path, print the reply, exit")
    demo.add_argument("--as", dest="who", default=ASKS_ONCE, metavar="EMAIL", help="who asks with --once")
    demo.set_defaults(run=run_demonstration)
    serve = commands.add_parser("run")
    only = "this part alone: slack, deliver, checkins or console; several times, or with commas. All of them unless told"
    serve.add_argument("--only", action="append", default=[], metavar="PART", help=only)
    serve.add_argument("--engine", choices=["own", "procrastinate"], default="own", help="what rings for the recurring jobs")
    serve.set_defaults(run=run_serve, serves=True)
    database = commands.add_parser("db")
    database.add_argument("action", choices=["upgrade"])
    database.set_defaults(run=run_database)
    commands.add_parser("deliver").set_defaults(run=deliver_once)
    commands.add_parser("sweep").set_defaults(run=sweep_once)


def run_demonstration(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.once:
        print(ask_once(settings, arguments.who, arguments.once))
    else:
        run_demo(settings, arguments.port, open_browser=not arguments.no_open)
    return 0


def run_serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 after an orderly stop, 1 when the start failed, 2 when settings or arguments are wrong."""
    named = [part.strip() for only in arguments.only for part in only.split(",") if part.strip()]
    parts = tuple(part for part in PARTS if part in named or not named)
    if problem := problem_with(settings, parts, named) or problem_with_engine(settings, arguments.engine):
        print(problem, file=sys.stderr)
        return 2
    try:
        finished = run(settings, parts, arguments.engine)
    except (NotReachable, SlackApiError, OSError) as error:
        print(start_problem(error), file=sys.stderr)
        return 1
    if not finished:
        print("Stopped; what was still in hand stands in the database, the next process takes it up.", file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)  # a thread that waits for Slack would hold the process for up to half a minute
    return 0


def problem_with(settings: Settings, parts: Collection[str], named: Collection[str]) -> str:
    """What is wrong with the settings for these parts, as a sentence; "" when nothing is."""
    if unknown := [part for part in named if part not in PARTS]:
        return f"--only {unknown[0]}: there is no such part. The parts are {', '.join(PARTS)}."
    if settings.workspaces_file:
        if problem := _problem_with_several(settings, parts):
            return problem
    elif not settings.slack_bot_token:
        return "Set SLACK_BOT_TOKEN (Slack app → OAuth & Permissions → Bot User OAuth Token); see .env.example."
    if "slack" in parts and not (settings.slack_app_token or settings.slack_signing_secret):
        return "Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP events); see .env.example."
    if "console" in named and not (settings.slack_client_id and settings.slack_client_secret):
        return "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (Slack app → Basic Information): coaches sign in with Slack."
    if "console" in parts and settings.console_secret and is_weak(settings.console_secret):
        return (
            "CONSOLE_SECRET is too easy to guess: who guesses it signs in as anybody. Set it to 32 or more random "
            "characters (openssl rand -hex 32), or leave it empty: then a new one is made at each start."
        )
    return ""


def problem_with_engine(settings: Settings, engine: str) -> str:
    """What keeps this engine from ringing, as a sentence; "" when nothing does."""
    if engine == "own":
        return ""
    if not settings.database_url.startswith("postgresql"):
        return "--engine procrastinate needs PostgreSQL: set DATABASE_URL (docs/postgresql.md)."
    if find_spec("procrastinate") is None:
        return "--engine procrastinate: install Trellis with the extra, pip install 'trellis[procrastinate]'."
    return ""


def _problem_with_several(settings: Settings, parts: Collection[str]) -> str:
    if settings.slack_bot_token:
        return (
            "WORKSPACES_FILE and SLACK_BOT_TOKEN exclude one another: with several workspaces each has a token of its own."
        )
    if not (settings.slack_client_id and settings.slack_client_secret):
        return "With WORKSPACES_FILE set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (Slack app → Basic Information)."
    if "slack" in parts and not settings.slack_app_token and not settings.public_url:
        return "Set PUBLIC_URL: the address at which browsers reach /slack/install; see docs/workspaces.md."
    return ""


def start_problem(error: Exception) -> str:
    """Why Trellis did not start, and what to do."""
    if isinstance(error, SlackApiError):
        why = error.response.get("error", error.response.status_code)
        return f"Slack refuses the token: {why}. Compare SLACK_BOT_TOKEN and SLACK_APP_TOKEN with your Slack app."
    if isinstance(error, PermissionError) and error.filename:
        return f"Trellis could not start: {error}. Give the user that runs it the right to use that."
    if isinstance(error, OSError):
        return f"Trellis could not start: {error}. Is the port (PORT, CONSOLE_PORT) in use?"
    return str(error)


def run_database(arguments: argparse.Namespace, settings: Settings) -> int:
    migrate(settings.database_url)
    print("The database is up to date.")
    return 0


def deliver_once(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        print(f"{sum(deliver(desk) for desk in open_workspaces(settings).desks)} messages sent.")
    except SlackStruggles as why:
        print(f"Slack does not answer as it should: {why}. Try again in a minute; nothing is lost.", file=sys.stderr)
        return 1
    return 0


def sweep_once(arguments: argparse.Namespace, settings: Settings) -> int:
    print(f"{sum(sweep(desk) for desk in open_workspaces(settings).desks)} conversations picked up.")
    return 0
