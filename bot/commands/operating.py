"""backup, restore, doctor: what an operator does beside `run`."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.config import Settings
from bot.operations.backup import back_up, restore
from bot.operations.faults import BackupProblem


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = commands.add_parser("backup", help="backup FILE: the whole database, while Trellis runs")
    backup.add_argument("file", type=Path)
    backup.set_defaults(run=run_backup)
    back = commands.add_parser("restore", help="restore FILE: a backup in the place of the database; stop Trellis first")
    back.add_argument("file", type=Path)
    back.add_argument("--yes", action="store_true", help="replace what the database holds")
    back.set_defaults(run=run_restore)


def run_backup(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        held = back_up(settings.database_url, arguments.file)
    except BackupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    size = arguments.file.stat().st_size / 1e6
    print(f"{arguments.file}: {held}; {size:.1f} MB. It holds what people wrote: keep it as safe as the database.")
    return 0


def run_restore(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        held = restore(settings.database_url, arguments.file, datetime.now(UTC), overwrite=arguments.yes)
    except BackupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(
        f"Restored: {held}. Messages that may have gone out since the backup are looked for in Slack before they are sent."
    )
    return 0
