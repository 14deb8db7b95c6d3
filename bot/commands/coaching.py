"""reviews, person, retention: what coaches found becomes content tests; people's privacy rights; what is old is erased."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import col, func, select

from bot.config import Settings
from bot.knowledge_base import load
from bot.services.audit import full_name, record
from bot.services.privacy_rights import Erased, erase_old, erase_person, export_person
from bot.services.reviewing import as_proposals, open_reviews, with_content_tests
from bot.services.stepping_in import CantDo, policy_of
from bot.workspaces import contents_of
from storage.database import Sessions, make_sessions, migrate, open_database
from storage.models import Person

FILE = "reviews.yaml"
BY_COMMAND = "asked for on the operator's command line"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    reviews = commands.add_parser("reviews")
    reviews.add_argument("action", choices=["export"])
    reviews.add_argument("--out", type=Path, metavar="DIR", help="where reviews.yaml goes; content/tests unless told")
    reviews.add_argument("--workspace", default="", help="which one's, where WORKSPACES_FILE names several")
    reviews.set_defaults(run=run_reviews)
    person = commands.add_parser("person")
    person.add_argument("action", choices=["export", "erase"])
    person.add_argument("email")
    person.add_argument("--workspace", help="Slack team id, needed when the address is in several")
    person.add_argument("--yes", action="store_true", help="erase without asking")
    person.set_defaults(run=run_person)
    retention = commands.add_parser("retention")
    retention.set_defaults(run=run_retention)


def run_reviews(arguments: argparse.Namespace, settings: Settings) -> int:
    """Adds to the file what is not in it yet, so that tests of closed reviews stay; prints what owners should look at."""
    contents = contents_of(settings)
    if arguments.workspace not in (*contents, ""):
        print(f"There is no workspace {arguments.workspace} in WORKSPACES_FILE.", file=sys.stderr)
        return 2
    if len(contents) > 1 and not arguments.workspace:
        print(f"Whose reviews? Say which: --workspace {', '.join(contents)}", file=sys.stderr)
        return 2
    workspace = arguments.workspace or next(iter(contents))
    kb, folder = load(contents[workspace]), arguments.out or contents[workspace] / "tests"
    with _sessions(settings, workspace)() as session:
        reviews = open_reviews(session)
    path = folder / FILE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = with_content_tests(before, reviews)
    if after != before:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(after, encoding="utf-8")
    print(as_proposals(reviews, kb) or "No review is open.")
    print(
        f"{len(reviews)} open reviews; {path} {'has new tests' if after != before else 'needs nothing new'}.",
        file=sys.stderr,
    )
    return 0


def run_person(arguments: argparse.Namespace, settings: Settings) -> int:
    sessions, now = _sessions(settings), datetime.now(UTC)
    with sessions() as session:
        same = select(Person).where(func.lower(Person.email) == arguments.email.strip().lower())
        if arguments.workspace:
            same = same.where(Person.workspace == arguments.workspace)
        found = session.exec(same.order_by(col(Person.id))).all()
        if len(found) != 1:
            print(_not_one(arguments.email, [person.workspace for person in found]), file=sys.stderr)
            return 1
        person = found[0]
        if arguments.action == "export":
            print(export_person(session, load(settings.content_dir), person, "es" if person.language == "es" else "en", now))
            record(session, None, "exported", now, workspace=person.workspace, subject_id=person.id, reason=BY_COMMAND)
            session.commit()
            return 0
        if not arguments.yes and not _confirmed(full_name(person)):
            print("Nothing was erased.", file=sys.stderr)
            return 1
        try:
            erased = erase_person(session, person, None, now, BY_COMMAND)
        except CantDo as why:
            print(why, file=sys.stderr)
            return 1
        session.commit()
    days = policy_of(load(settings.content_dir)).backups_kept_days
    print(f"Erased {_counted(erased)}. Counts without names stay. Backups may hold the words for {days} more days.")
    return 0


def run_retention(arguments: argparse.Namespace, settings: Settings) -> int:
    """By each employer's own policy."""
    for workspace, content in contents_of(settings).items():
        policy = policy_of(load(content))
        erased = erase_old(_sessions(settings, workspace), policy, datetime.now(UTC))
        whose = f"{workspace}: " if workspace else ""
        print(f"{whose}Older than {policy.keep_months} months: erased {_counted(erased)}.")
    return 0


def _sessions(settings: Settings, workspace: str = "") -> Sessions:
    migrate(settings.database_url)
    return make_sessions(open_database(settings.database_url), workspace)


def _not_one(email: str, workspaces: list[str]) -> str:
    if not workspaces:
        return f"Nobody on the roster has the address {email}."
    return f"{email} is on the roster of {', '.join(workspaces)}. Say which one: --workspace {workspaces[0]}"


def _confirmed(name: str) -> bool:
    try:
        return input(f"Everything {name} said goes for good. Type the full name to go on: ").strip().lower() == name.lower()
    except EOFError:
        return False


def _counted(erased: Erased) -> str:
    counts = ", ".join(f"{number} × {table.replace('_', ' ')}" for table, number in sorted(erased.rows.items()))
    return f"{erased.all} entries ({counts})" if counts else "nothing"
