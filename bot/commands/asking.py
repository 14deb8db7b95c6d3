"""ask: one question, or a file of them, through the service layer."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlmodel import func, select

from bot.app import build_answering
from bot.config import Settings
from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.knowledge_base import load
from bot.services.answering import employee_of
from bot.services.replying import Answering, Reply
from bot.services.roster import import_roster
from storage.database import Sessions, make_sessions, migrate, open_database
from storage.models import Person


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ask = commands.add_parser("ask")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--batch", type=Path, metavar="FILE.jsonl")
    ask.add_argument("--as", dest="who", metavar="EMAIL", help="somebody of the roster, else of the sample roster")
    ask.add_argument("--language", choices=["en", "es"])
    ask.add_argument("--json", action="store_true")
    ask.set_defaults(run=run_ask)


class Finder:
    """Employees by e-mail address: from the roster in the database, else from the sample employer's roster."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, email: str) -> Employee:
        for sessions in (self._roster, self._sample):
            with sessions() as session:
                same = select(Person).where(func.lower(Person.email) == email.lower(), Person.status != "terminated")
                if person := session.exec(same).first():
                    return employee_of(person, session)
        sys.exit(f"Nobody with the address {email} is on the roster. Import one with: trellis roster import FILE.csv")

    @cached_property
    def _roster(self) -> Sessions:
        migrate(self._settings.database_url)
        return make_sessions(open_database(self._settings.database_url, read_only=True))

    @cached_property
    def _sample(self) -> Sessions:
        """A database that is gone when the program ends."""
        self._folder = TemporaryDirectory()
        url = f"sqlite:///{self._folder.name}/sample.db"
        migrate(url)
        sessions, roster = make_sessions(open_database(url)), self._settings.content_dir / "sample" / "roster.csv"
        import_roster(sessions, "T0SAMPLE", roster, load(self._settings.content_dir).roles, datetime.now(UTC))
        return sessions


def run_ask(arguments: argparse.Namespace, settings: Settings) -> int:
    if bool(arguments.question) == bool(arguments.batch):
        print("Give either a question or --batch FILE.jsonl.", file=sys.stderr)
        return 2
    answering, find = build_answering(settings), Finder(settings)
    today = datetime.now(UTC).date()
    if arguments.question:
        employee = find(arguments.who) if arguments.who else Employee()
        employee = replace(employee, language=arguments.language) if arguments.language else employee
        reply, _ = answering.reply(arguments.question, employee, Dialogue(), today)
        print(json.dumps(_as_row("", 1, reply), ensure_ascii=False) if arguments.json else reply.text)
        return 0
    for number, line in enumerate(arguments.batch.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            print(f"{arguments.batch}: line {number}: not readable as JSON: {error.msg}", file=sys.stderr)
            return 1
        for answered in _answers(row, answering, find, today):
            print(json.dumps(answered, ensure_ascii=False), flush=True)
    return 0


def _answers(row: dict[str, Any], answering: Answering, find: Finder, today: date) -> Iterator[dict[str, Any]]:
    """One row for each message of a line, in order; turns of a conversation share its dialogue."""
    if row.get("as"):
        employee = find(row["as"])
    else:  # of somebody unknown it is not known either that they manage nobody: nothing is kept back
        employee = Employee(language=row.get("language"), is_manager=row.get("persona") != "employee")
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
