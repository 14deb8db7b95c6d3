"""roster and person: who is there, and what is known of somebody."""

import argparse
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bot.config import Settings
from bot.knowledge_base import load
from bot.operations.doctor_slack import team_of
from bot.services.roster import Outcome, ReportLine, RosterImport, known_to, people_by_workspace, write_report
from bot.services.roster_folder import take_files
from bot.workspaces import content_of, place_of
from storage.database import make_sessions, migrate, open_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    roster = commands.add_parser("roster")
    roster.add_argument("action", choices=["import", "watch"], help="a file, or a folder of nightly files until Ctrl-C")
    roster.add_argument("file", type=Path, nargs="?", help="may be left out where the workspaces file names it")
    roster.add_argument("--workspace", required=True, help="Slack team id, e.g. T0123ABCD")
    roster.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
    roster.add_argument(
        "--yes",
        action="store_true",
        help="also when very many people would leave, very much can't be read, or the workspace is not ours",
    )
    roster.add_argument(
        "--report", type=Path, metavar="FILE.csv", help="write a line for every person: new, changed, same, left"
    )
    roster.set_defaults(run=run_roster)


def run_roster(arguments: argparse.Namespace, settings: Settings) -> int:
    place = place_of(settings, arguments.workspace)
    if settings.workspaces_file and place is None:
        print(f"{settings.workspaces_file} has no entry for {arguments.workspace}.", file=sys.stderr)
        return 2
    arguments.file = arguments.file or (place.roster if place else None)
    if arguments.file is None:
        print("Name the roster's file.", file=sys.stderr)
        return 2
    arguments.workspace = place.id if place else arguments.workspace
    if not arguments.yes and (problem := problem_with_workspace(settings, arguments.workspace)):
        print(problem, file=sys.stderr)
        return 2
    return watch_folder(arguments, settings) if arguments.action == "watch" else import_file(arguments, settings)


def problem_with_workspace(settings: Settings, workspace: str) -> str:
    """Why these people would be nobody's, as a sentence; "" when nothing speaks against the id. A file of workspaces has
    been asked before."""
    if settings.workspaces_file:
        return ""
    if (team := team_of(settings)) and team != workspace:
        return f"SLACK_BOT_TOKEN belongs to {team}, not to {workspace}: nobody would be served. If you mean it: --yes"
    migrate(settings.database_url)
    with make_sessions(open_database(settings.database_url))() as session:
        others = people_by_workspace(session)
    if others and workspace not in others and not team:
        held = ", ".join(f"{number} people of {other}" for other, number in others.items())
        return f"The database holds {held}, and nobody of {workspace}. If the id is right: --yes"
    return ""


def watch_folder(arguments: argparse.Namespace, settings: Settings) -> int:
    """Once a minute; what a file did stands in a report beside it. A refused file never stops the next one."""
    if not arguments.file.is_dir():
        print(f"There is no folder {arguments.file}.", file=sys.stderr)
        return 2
    migrate(settings.database_url)
    sessions, kb = make_sessions(open_database(settings.database_url)), load(content_of(settings, arguments.workspace))

    def import_one(file: Path, report_line: ReportLine) -> Outcome:
        work = RosterImport(sessions, arguments.workspace, kb.roster, known_to(kb), datetime.now(UTC))
        return work.run(file, dry_run=arguments.dry_run, yes=arguments.yes, report_line=report_line)

    while True:
        for file, outcome in take_files(arguments.file, import_one, datetime.now(UTC)):
            did = f"{outcome.saved} people saved, {outcome.counts['left']} left"
            print(f"{file}: {outcome.refused or did}", flush=True)
        time.sleep(60)


def import_file(arguments: argparse.Namespace, settings: Settings) -> int:
    if not arguments.file.is_file():
        print(f"There is no file {arguments.file}.", file=sys.stderr)
        return 2
    migrate(settings.database_url)
    sessions, kb = make_sessions(open_database(settings.database_url)), load(content_of(settings, arguments.workspace))
    work = RosterImport(sessions, arguments.workspace, kb.roster, known_to(kb), datetime.now(UTC))
    size = arguments.file.stat().st_size
    with ExitStack() as stack:
        bar = stack.enter_context(tqdm(total=size, unit="B", unit_scale=True, disable=None, leave=False))
        options: dict[str, Any] = {"dry_run": arguments.dry_run, "yes": arguments.yes, "progress": bar.update}
        if arguments.report:
            file = stack.enter_context(arguments.report.open("w", encoding="utf-8", newline=""))
            options["report_line"] = write_report(file)
        outcome = work.run(arguments.file, **options)
    for problem in outcome.problems:
        print(f"{problem.level}: {problem}")
    if outcome.more_problems:
        print(f"… and {outcome.more_problems} more.")
    if outcome.ignored:
        print(f"Not read and not stored: {', '.join(outcome.ignored)}")
    if outcome.refused:
        print(f"{arguments.file.name}: {outcome.refused}.", file=sys.stderr)
        return 1
    would = "would be" if arguments.dry_run else "were"
    counts = outcome.counts
    print(
        f"{outcome.saved} people {would} saved: {counts['new']} new, {counts['changed']} changed, {counts['back']} back, "
        f"{counts['same']} as before. {counts['left']} left. {counts['dropped lines']} lines left out."
    )
    if lost := counts["unreadable cells"]:
        print(f"{lost} cells could not be read (see above): there people keep what was stored of them before.")
    return 0
