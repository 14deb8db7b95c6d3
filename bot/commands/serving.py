"""demo, run, db, and the scheduled jobs, once each."""

import argparse
import sys

from bot.app import build_answering, build_desk, run
from bot.config import Settings
from bot.demo import ASKS_ONCE, ask_once, run_demo
from bot.services.delivery import deliver_due
from bot.services.inbox import sweep
from storage.database import migrate


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="the whole product on this machine, with a Slack of its own")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--no-open", action="store_true", help="don't open a browser")
    demo.add_argument("--once", metavar="QUESTION", help="ask one question through the whole path, print the reply, exit")
    demo.add_argument("--as", dest="who", default=ASKS_ONCE, metavar="EMAIL", help="who asks with --once")
    demo.set_defaults(run=run_demonstration)
    serve = commands.add_parser("run", help="serve Slack: Socket Mode with SLACK_APP_TOKEN, else HTTP at /slack/events")
    serve.set_defaults(run=run_serve)
    database = commands.add_parser("db", help="db upgrade: brings the database up to date")
    database.add_argument("action", choices=["upgrade"])
    database.set_defaults(run=run_database)
    for name, job, help_text in (
        ("deliver", deliver_once, "send what is due in the outbox, once"),
        ("sweep", sweep_once, "answer what a crash left behind in the inbox, once"),
    ):
        commands.add_parser(name, help=help_text).set_defaults(run=job)


def run_demonstration(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.once:
        print(ask_once(settings, arguments.who, arguments.once))
    else:
        run_demo(settings, arguments.port, open_browser=not arguments.no_open)
    return 0


def run_serve(arguments: argparse.Namespace, settings: Settings) -> int:
    if not settings.slack_bot_token or not (settings.slack_app_token or settings.slack_signing_secret):
        print("Set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET); see .env.example.", file=sys.stderr)
        return 2
    run(settings)
    return 0


def run_database(arguments: argparse.Namespace, settings: Settings) -> int:
    migrate(settings.database_url)
    print("The database is up to date.")
    return 0


def deliver_once(arguments: argparse.Namespace, settings: Settings) -> int:
    desk = build_desk(settings, build_answering(settings))
    print(f"{deliver_due(desk.sessions, desk.sender, desk.clock)} messages sent.")
    return 0


def sweep_once(arguments: argparse.Namespace, settings: Settings) -> int:
    print(f"{sweep(build_desk(settings, build_answering(settings)))} conversations picked up.")
    return 0
