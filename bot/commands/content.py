"""content check: for the authors of content."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime

from bot.app import build_answering
from bot.config import Settings
from bot.domain.problems import errors_in
from bot.knowledge_base.base import read
from bot.knowledge_base.checking import check
from bot.services.content_checks import run_content_tests


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    content = commands.add_parser("content")
    content.add_argument("action", choices=["check"])
    content.add_argument("--json", action="store_true")
    content.set_defaults(run=run_content)


def run_content(arguments: argparse.Namespace, settings: Settings) -> int:
    """Every problem at once; warnings don't fail the check."""
    today = datetime.now(UTC).date()
    kb, problems = read(settings.content_dir)
    if kb is not None:
        problems = problems + check(kb, today)
    if kb is not None and not errors_in(problems):
        problems += run_content_tests(settings.content_dir, build_answering(settings), today)
    if arguments.json:
        print(json.dumps([asdict(problem) for problem in sorted(problems)], ensure_ascii=False, indent=1))
    else:
        for problem in sorted(problems, key=lambda problem: (problem.level, problem)):
            print(f"{problem.level}: {problem}")
        print(f"{len(errors_in(problems))} errors, {len(problems) - len(errors_in(problems))} warnings.")
    return 1 if errors_in(problems) else 0
