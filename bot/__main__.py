"""The `trellis` command: thin, one function a subcommand."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bot.app import build_answering, build_desk, run
from bot.config import Settings
from bot.demo import ASKS_ONCE, ask_once, run_demo
from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.domain.problems import ContentError, Problem
from bot.knowledge_base import load
from bot.knowledge_base.base import read
from bot.knowledge_base.checking import check
from bot.services.answering import Answering, Reply
from bot.services.content_checks import run_content_tests
from bot.services.delivery import deliver_due
from bot.services.inbox import sweep
from bot.services.roster import import_roster
from storage.database import make_sessions, migrate, open_database


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
    demo = commands.add_parser("demo", help="the whole product on this machine, with a Slack of its own")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--no-open", action="store_true", help="don't open a browser")
    demo.add_argument("--once", metavar="QUESTION", help="ask one question through the whole path, print the reply, exit")
    demo.add_argument("--as", dest="who", default=ASKS_ONCE, metavar="EMAIL", help="who asks with --once")
    demo.set_defaults(run=run_demonstration)
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
    serve = commands.add_parser("run", help="serve Slack: Socket Mode with SLACK_APP_TOKEN, else HTTP at /slack/events")
    serve.set_defaults(run=run_serve)
    roster = commands.add_parser("roster", help="roster import FILE.csv: people, with a report a line")
    roster.add_argument("action", choices=["import"])
    roster.add_argument("file", type=Path)
    roster.add_argument("--workspace", required=True, help="Slack team id, e.g. T0123ABCD")
    roster.add_argument("--dry-run", action="store_true")
    roster.set_defaults(run=run_roster)
    for name, job, help_text in (
        ("deliver", deliver_once, "send what is due in the outbox, once"),
        ("sweep", sweep_once, "answer what a crash left behind in the inbox, once"),
    ):
        commands.add_parser(name, help=help_text).set_defaults(run=job)
    return parser


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


def deliver_once(arguments: argparse.Namespace, settings: Settings) -> int:
    desk = build_desk(settings, build_answering(settings))
    print(f"{deliver_due(desk.sessions, desk.sender, desk.clock)} messages sent.")
    return 0


def sweep_once(arguments: argparse.Namespace, settings: Settings) -> int:
    print(f"{sweep(build_desk(settings, build_answering(settings)))} conversations picked up.")
    return 0


def run_roster(arguments: argparse.Namespace, settings: Settings) -> int:
    migrate(settings.database_url)
    sessions = make_sessions(open_database(settings.database_url))
    roles = load(settings.content_dir).roles
    now = datetime.now(UTC)
    saved, problems = import_roster(sessions, arguments.workspace, arguments.file, roles, now, dry_run=arguments.dry_run)
    for problem in problems:
        print(f"{problem.level}: {problem}")
    print(f"{saved} people {'would be' if arguments.dry_run else 'were'} saved, {len(_errors(problems))} lines left out.")
    return 0


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
