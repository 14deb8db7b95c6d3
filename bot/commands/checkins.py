"""checkins: plan and send once, as the scheduler does every second; and the completion report."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import select

from bot.app import plan_checkins, send_checkins
from bot.config import Settings
from bot.knowledge_base import load
from bot.services.checkin_report import as_lines, report, write_csv
from bot.workspaces import content_of, open_workspaces
from storage.database import make_sessions, migrate, open_database
from storage.models import Person


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    checkins = commands.add_parser("checkins")
    actions = checkins.add_subparsers(required=True, metavar="action")
    planning = actions.add_parser("plan", help="give every check-in its day that is near enough, once")
    planning.set_defaults(run=run_plan)
    sending = actions.add_parser("send", help="put what is due into the outbox, once; `trellis deliver` brings it to Slack")
    sending.set_defaults(run=run_send)
    reporting = actions.add_parser("report", help="who had two check-ins in twelve months, by group")
    reporting.add_argument("--workspace", help="Slack team id; may be left out when there is only one")
    reporting.add_argument("--csv", type=Path, metavar="FILE.csv", help="write a table, too")
    reporting.set_defaults(run=run_report)


def run_plan(arguments: argparse.Namespace, settings: Settings) -> int:
    print(f"{sum(plan_checkins(desk) for desk in open_workspaces(settings).desks)} check-ins planned.")
    return 0


def run_send(arguments: argparse.Namespace, settings: Settings) -> int:
    put = 0
    for desk in open_workspaces(settings).desks:
        plan_checkins(desk)
        put += send_checkins(desk)
    print(f"{put} messages put into the outbox.")
    return 0


def run_report(arguments: argparse.Namespace, settings: Settings) -> int:
    migrate(settings.database_url)
    with make_sessions(open_database(settings.database_url, read_only=True))() as session:
        workspaces = session.exec(select(Person.workspace).distinct()).all()
        workspace = arguments.workspace or (workspaces[0] if len(workspaces) == 1 else "")
        if workspace not in workspaces:
            known = ", ".join(workspaces) or "none; import a roster first"
            print(f"Name the workspace with --workspace. There is: {known}.", file=sys.stderr)
            return 2
        found = report(session, load(content_of(settings, workspace)), workspace, datetime.now(UTC))
    print("\n".join(as_lines(found)))
    if arguments.csv:
        with arguments.csv.open("w", encoding="utf-8", newline="") as file:
            write_csv(found, file)
    return 0
