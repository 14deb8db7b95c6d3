"""backup, restore, doctor: what an operator does beside `run`."""

import argparse
import json
import logging
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.config import Settings
from bot.domain.problems import WorkspacesFileError
from bot.operations.backup import back_up, back_up_to, restore, restore_from
from bot.operations.doctor import examine
from bot.operations.faults import BackupProblem
from bot.slack.installing import Installations
from bot.version import VERSION
from bot.workspaces import read_places
from storage.database import open_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = commands.add_parser("backup")
    backup.add_argument("file", type=Path, help="a new file; - is standard output")
    backup.set_defaults(run=run_backup)
    back = commands.add_parser("restore")
    back.add_argument("file", type=Path, help="a backup; - is standard input")
    back.add_argument("--yes", action="store_true", help="replace what the database holds")
    back.set_defaults(run=run_restore)
    doctor = commands.add_parser("doctor")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=run_doctor)


def run_backup(arguments: argparse.Namespace, settings: Settings) -> int:
    streamed = str(arguments.file) == "-"
    if streamed and sys.stdout.isatty():
        print("A backup is nothing to look at: trellis backup - > FILE", file=sys.stderr)
        return 2
    try:
        if streamed:
            held = back_up_to(settings.database_url, sys.stdout.buffer)
            print(f"{held}. It holds what people wrote: keep it as safe as the database.", file=sys.stderr)
            return 0
        held = back_up(settings.database_url, arguments.file)
    except BackupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    size = arguments.file.stat().st_size / 1e6
    print(
        f"{arguments.file}: {held}; {size:.1f} MB. Made by Trellis {VERSION}. It holds what people wrote: keep it as safe as the database."
    )
    return 0


def run_restore(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        if str(arguments.file) == "-":
            held = restore_from(settings.database_url, sys.stdin.buffer, datetime.now(UTC), overwrite=arguments.yes)
        else:
            held = restore(settings.database_url, arguments.file, datetime.now(UTC), overwrite=arguments.yes)
    except BackupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(
        f"Restored: {held}. Messages that may have gone out since the backup are looked for in Slack before they are sent."
    )
    return 0


def run_doctor(arguments: argparse.Namespace, settings: Settings) -> int:
    """1 when something is wrong; warnings are for thinking about."""
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)  # the findings say it, in words
    try:
        tokens, contents = what_is_served(settings)
    except WorkspacesFileError as problem:
        print(f"wrong    workspaces file: {problem}")
        return 1
    findings = examine(settings, tokens, contents, Path("manifest.json"), datetime.now(UTC))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(
                f"{finding.level:8} {finding.about}: {finding.says}"
                + (f"\n         → {finding.mend}" if finding.mend else "")
            )
    return 1 if any(finding.level == "wrong" for finding in findings) else 0


def what_is_served(settings: Settings) -> tuple[dict[str, str], list[Path]]:
    """The tokens by workspace and the folders of content. Raises WorkspacesFileError."""
    if not settings.workspaces_file:
        return {"": settings.slack_bot_token}, [settings.content_dir]
    places = read_places(Path(settings.workspaces_file))
    engine = open_database(settings.database_url)
    try:
        installed = Installations(engine, settings.slack_client_id)
        bots = {place.id: _installed(installed, place.id, place.enterprise or "") for place in places}
    finally:
        engine.dispose()
    return bots, sorted({place.content for place in places})


def _installed(installed: Installations, workspace: str, enterprise: str) -> str:
    """The token; "" when there is none, also because the database is away, which is a finding of its own."""
    try:
        team, organisation = ("", workspace) if workspace.startswith("E") else (workspace, enterprise)
        bot = installed.bot_of(team, organisation)
    except SQLAlchemyError:
        return ""
    return (bot.bot_token or "") if bot else ""
