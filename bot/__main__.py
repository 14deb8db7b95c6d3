"""The `trellis` command: thin, one function a subcommand."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bot.app import build_answering
from bot.config import Settings
from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.domain.problems import ContentError, Problem
from bot.knowledge_base.base import read
from bot.knowledge_base.checking import check
from bot.services.answering import Answering, Reply
from bot.services.content_checks import run_content_tests
from storage.database import migrate


def main() -> None:
    arguments = _parser().parse_args()
    try:
        sys.exit(arguments.run(arguments, Settings()))
    except ContentError as error:
        print("The content can't be used yet:", *error.problems, sep="\n  ", file=sys.stderr)
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trellis", description="A career coach in Slack for frontline hospital staff.")
    commands = parser.add_subparsers(required=True, metavar="command")
    ask = commands.add_parser("ask", help="answer one question, or a file of them; nothing is stored")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--batch", type=Path, metavar="FILE.jsonl")
    ask.add_argument("--language", choices=["en", "es"])
    ask.add_argument("--json", action="store_true")
    ask.set_defaults(run=run_ask)
    content = commands.add_parser("content", help="content check: validates all content and runs its tests")
    content.add_argument("action", choices=["check"])
    content.add_argument("--json", action="store_true")
    content.set_defaults(run=run_content)
    database = commands.add_parser("db", help="db upgrade: brings the database up to date")
    database.add_argument("action", choices=["upgrade"])
    database.set_defaults(run=run_database)
    return parser


def run_ask(arguments: argparse.Namespace, settings: Settings) -> int:
    if bool(arguments.question) == bool(arguments.batch):
        print("Give either a question or --batch FILE.jsonl.", file=sys.stderr)
        return 2
    answering = build_answering(settings)
    today = datetime.now(UTC).date()
    if arguments.question:
        employee = Employee(language=arguments.language)
        reply, _ = answering.reply(arguments.question, employee, Dialogue(), today)
        print(json.dumps(_as_row("", 1, reply), ensure_ascii=False) if arguments.json else reply.text)
        return 0
    for number, line in enumerate(arguments.batch.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            print(f"{arguments.batch}: line {number}: not readable as JSON: {error.msg}", file=sys.stderr)
            return 1
        for answered in _answers(row, answering, today):
            print(json.dumps(answered, ensure_ascii=False), flush=True)
    return 0


def _answers(row: dict[str, Any], answering: Answering, today: date) -> Iterator[dict[str, Any]]:
    """One row for each message of a line, in order; turns of a conversation share its dialogue."""
    employee = Employee(language=row.get("language"), is_manager=row.get("persona") == "manager")
    dialogue, now = Dialogue(), datetime.now(UTC)
    for turn, message in enumerate(row.get("turns") or [row], 1):
        reply, after = answering.reply(message["text"], employee, Dialogue.recall(dialogue.keep(now), now), today)
        dialogue = after
        yield _as_row(row.get("id", ""), turn, reply)


def _as_row(name: str, turn: int, reply: Reply) -> dict[str, Any]:
    decision = reply.decision
    return {
        "id": name,
        "turn": turn,
        "outcome": decision.outcome,
        "cards": list(decision.cards),
        "confidence": round(decision.confidence, 4),
        "language": decision.language,
        "roles": {"from": decision.roles.from_, "to": decision.roles.to},
        "text": reply.text,
    }


def run_content(arguments: argparse.Namespace, settings: Settings) -> int:
    """Every problem at once; warnings don't fail the check."""
    today = datetime.now(UTC).date()
    kb, problems = read(settings.content_dir)
    if kb is not None:
        problems = problems + check(kb, today)
    if kb is not None and not _errors(problems):
        problems += run_content_tests(settings.content_dir, build_answering(settings), today)
    if arguments.json:
        print(json.dumps([asdict(problem) for problem in sorted(problems)], ensure_ascii=False, indent=1))
    else:
        for problem in sorted(problems, key=lambda problem: (problem.level, problem)):
            print(f"{problem.level}: {problem}")
        print(f"{len(_errors(problems))} errors, {len(problems) - len(_errors(problems))} warnings.")
    return 1 if _errors(problems) else 0


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.level == "error"]


def run_database(arguments: argparse.Namespace, settings: Settings) -> int:
    migrate(settings.database_url)
    print("The database is up to date.")
    return 0


if __name__ == "__main__":
    main()
