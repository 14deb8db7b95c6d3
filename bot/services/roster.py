"""Import the people file of HR: every line checked, good lines saved, bad ones named. Importing it again changes nothing.

The file is read once, line by line, into a scratch file on disk: nothing is written before the whole of it is known to be
sensible, and memory does not grow with its length (only managers are kept in memory, to find circles).
"""

import csv
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from sqlalchemy import insert, update
from sqlmodel import Session, col, func, select

from bot.domain.problems import Problem
from bot.domain.roster import Columns, Known, RosterRow, RosterRules, circles, columns_of, plain, read_line
from bot.domain.spreadsheets import cell
from bot.knowledge_base import KnowledgeBase
from bot.services.checkins import LOOK_AT_ONCE
from bot.services.plans import take_back_shared
from storage.database import Sessions
from storage.models import OutboxItem, Person

CHUNK = 2000
PROBLEMS_KEPT = 500  # more are only counted
KEPT_WHEN_EMPTY = ("language", "zone", "in_role_since")  # the person, or Slack, may have told us since
SCRATCH = (
    "CREATE TABLE line (employee_id TEXT PRIMARY KEY, number INT, status TEXT, hired TEXT, email TEXT, manager TEXT, "
    "kept TEXT, unreadable TEXT) WITHOUT ROWID",
    "CREATE TABLE left_out (number INT, employee_id TEXT, sentence TEXT)",
    "CREATE INDEX left_out_of ON left_out (employee_id)",
)
NAMED = "SELECT employee_id, status FROM line UNION ALL SELECT employee_id, 'active' FROM left_out"  # in the file, readable or not
RANK = {"active": 2, "leave": 1, "terminated": 0}


@dataclass(frozen=True)
class Row:
    """A line that is saved. `unreadable`: the fields that it says nothing about."""

    line: int
    of: RosterRow
    unreadable: frozenset[str]


@dataclass
class Outcome:
    """What an import did, or would do. `refused`: why nothing was written."""

    counts: Counter[str] = field(default_factory=Counter)  # new, changed, same, back, left, dropped lines, unreadable cells
    problems: list[Problem] = field(default_factory=list)
    more_problems: int = 0
    ignored: tuple[str, ...] = ()
    refused: str = ""

    @property
    def saved(self) -> int:
        return self.counts["new"] + self.counts["changed"] + self.counts["same"] + self.counts["back"]

    def tell(self, problem: Problem) -> None:
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)
        else:
            self.more_problems += 1


Progress = Callable[[int], object]  # is told how many bytes or people were worked through
ReportLine = Callable[[int, str, str], object]  # line, employee id, what became of it


def import_roster(
    sessions: Sessions, workspace: str, file: Path, roles: Iterable[str], now: datetime, *, dry_run: bool = False
) -> tuple[int, list[Problem]]:
    """(people saved, problems by line), for a file with Trellis' own column names."""
    known = Known({}, {}, frozenset(roles))
    outcome = RosterImport(sessions, workspace, RosterRules(), known, now).run(file, dry_run=dry_run)
    refused = [Problem(file.name, "", outcome.refused)] if outcome.refused else []
    return outcome.saved, outcome.problems + refused


def known_to(kb: KnowledgeBase) -> Known:
    """Job titles and site names as the content has them."""
    titles: dict[str, str] = {}
    for slug, role in kb.roles.items():
        names = (slug, role.title.en, role.title.es, *(name for names in role.lay_titles.values() for name in names))
        for name in names:
            titles.setdefault(plain(name), slug)
    for ambiguous in kb.ambiguous_titles:
        titles.pop(plain(ambiguous), None)
    for slug, names in kb.roster.titles.items():
        titles |= {plain(name): slug for name in names}
    sites = {plain(name): site.id for site in kb.sites.values() for name in (site.id, site.name)}
    return Known(titles, sites, frozenset(kb.roles))


def people_by_workspace(session: Session) -> dict[str, int]:
    """How many work here, by workspace; who has left does not count."""
    here = select(Person.workspace, func.count()).where(Person.status != "terminated").group_by(Person.workspace)
    return dict(session.exec(here.order_by(Person.workspace)).all())


class RosterImport:
    def __init__(self, sessions: Sessions, workspace: str, rules: RosterRules, known: Known, now: datetime) -> None:
        self.sessions, self.workspace, self.rules, self.known, self.now = sessions, workspace, rules, known, now
        self.outcome = Outcome()
        self.filled: Counter[str] = Counter()  # cells of a column that hold something
        self.malformed: Counter[str] = Counter()  # and those of them that can't be read

    def run(
        self,
        file: Path,
        *,
        dry_run: bool = False,
        yes: bool = False,
        progress: Progress = lambda bytes_read: None,
        report_line: ReportLine = lambda line, employee_id, what: None,
    ) -> Outcome:
        """`yes`: also when very many people would leave, or very much can't be read. `report_line` hears of every person."""
        with TemporaryDirectory() as folder:
            scratch = sqlite3.connect(Path(folder) / "roster.db")
            try:
                for table in SCRATCH:
                    scratch.execute(table)
                columns = self._stage(scratch, file, progress)
                if columns is None:
                    return self.outcome
                self._check_emails(scratch, file)
                self._check_managers(scratch, file)
                self._check_readable(yes=yes)
                self._check_drop(scratch, yes=yes)
                if not self.outcome.refused:
                    self._save_all(scratch, columns, report_line, write=not dry_run)
            finally:
                scratch.close()
        return self.outcome

    # --- reading -------------------------------------------------------------------------------------------------

    def _stage(self, scratch: sqlite3.Connection, file: Path, progress: Progress) -> Columns | None:
        """Every usable line into the scratch file; None when the file has no usable header."""
        with _open(file) as lines:
            reader = csv.reader(lines, delimiter=_delimiter(lines))
            header = next(reader, [])
            if not any(name.strip() for name in header):
                self.outcome.refused = "the file is empty, or its first line is; the columns' names belong there"
                return None
            columns = columns_of(header, self.rules)
            self.outcome.ignored = columns.ignored
            names = {"first_name", "full_name"} & set(columns.fields)
            if "employee_id" not in columns.fields or not names:
                missing = "an employee id" if names else "a name"
                self.outcome.refused = (
                    f"no column looks like {missing}. The file has: {', '.join(header)[:300]}. "
                    "Add the column's name to content/roster_columns.yaml"
                )
                return None
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    self._stage_line(scratch, file, reader.line_num, cells, len(header), columns)
                progress(sum(map(len, cells)) + len(cells))
        scratch.commit()
        return columns

    def _stage_line(
        self, scratch: sqlite3.Connection, file: Path, number: int, cells: list[str], width: int, columns: Columns
    ) -> None:
        place = f"line {number}"
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            sentences = [f"has {len(cells)} cells where the header has {width}; is a quote missing?"]
            self._leave_out(scratch, file, number, _employee_id(cells, columns), sentences)
            return
        reading = read_line(cells, columns, self.rules, self.known, self.now.date())
        self.filled.update(reading.filled)
        self.malformed.update(reading.malformed)
        row = reading.row
        if row is None:
            self._leave_out(scratch, file, number, _employee_id(cells, columns), reading.told)
            return
        for sentence in reading.told:
            self.outcome.tell(Problem(file.name, place, sentence, "warning"))
        known = scratch.execute(
            "SELECT number, status, hired FROM line WHERE employee_id = ?", (row.employee_id,)
        ).fetchone()
        hired = row.hired_on.isoformat() if row.hired_on else ""
        if known:
            newer = (RANK[row.status], hired) > (RANK[known[1]], known[2])
            kept, left = (number, known[0]) if newer else (known[0], number)
            sentence = f"employee id {row.employee_id} stands twice; line {kept} is kept (working there, latest start), line {left} is not"
            self.outcome.tell(Problem(file.name, place, sentence, "warning"))
            self.outcome.counts["dropped lines"] += 1
            if not newer:
                return
        values = (
            row.employee_id,
            number,
            row.status,
            hired,
            (row.email or "").lower(),
            row.manager_id,
            row.model_dump_json(),
            " ".join(sorted(reading.unreadable)),
        )
        scratch.execute("INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def _leave_out(
        self, scratch: sqlite3.Connection, file: Path, number: int, employee_id: str, sentences: list[str]
    ) -> None:
        """The line is not used. Whose it is stays as they are: they do stand in the file."""
        for sentence in sentences:
            self.outcome.counts["dropped lines"] += 1
            self.outcome.tell(Problem(file.name, f"line {number}", sentence))
            scratch.execute("INSERT INTO left_out VALUES (?, ?, ?)", (number, employee_id, sentence))

    # --- checking the whole --------------------------------------------------------------------------------------

    def _check_emails(self, scratch: sqlite3.Connection, file: Path) -> None:
        """An address belongs to one person: who has it twice would be taken for somebody else in Slack."""
        scratch.execute("CREATE INDEX by_email ON line (email)")
        twice = "SELECT email FROM line WHERE email <> '' AND status <> 'terminated' GROUP BY email HAVING count(*) > 1"
        for (email,) in scratch.execute(twice).fetchall():
            found = scratch.execute(
                "SELECT employee_id, number FROM line WHERE email = ? ORDER BY number", (email,)
            ).fetchall()
            places = ", ".join(str(number) for _, number in found)
            sentence = f"lines {places} have the same e-mail address; it is left out of all of them until HR has mended it"
            self.outcome.tell(Problem(file.name, f"line {found[0][1]}", sentence, "warning"))
            scratch.execute("UPDATE line SET kept = json_set(kept, '$.email', NULL) WHERE email = ?", (email,))

    def _check_managers(self, scratch: sqlite3.Connection, file: Path) -> None:
        """Managers who are not in the file, have left, or are their own manager by some way round, are left out."""
        scratch.execute("CREATE INDEX by_manager ON line (manager)")
        gone = (
            "SELECT line.number, line.employee_id, line.manager, boss.status FROM line LEFT JOIN line AS boss "
            "ON boss.employee_id = line.manager WHERE line.manager IS NOT NULL AND line.status <> 'terminated' "
            "AND (boss.employee_id IS NULL OR boss.status = 'terminated') "
            "AND line.manager NOT IN (SELECT employee_id FROM left_out)"
        )
        lost = scratch.execute(gone).fetchall()
        for number, _, manager, status in lost:
            why = "has left" if status else "is not in the file"
            self.outcome.tell(Problem(file.name, f"line {number}", f"manager {manager} {why}", "warning"))
        chain = (
            "SELECT line.employee_id, line.manager FROM line WHERE line.manager IS NOT NULL "
            "AND EXISTS (SELECT 1 FROM line AS below WHERE below.manager = line.employee_id)"
        )
        turning = sorted(circles(dict(scratch.execute(chain))))
        for employee_id in turning:
            (number,) = scratch.execute("SELECT number FROM line WHERE employee_id = ?", (employee_id,)).fetchone()
            sentence = (
                f"the managers above {employee_id} run in a circle ({', '.join(turning)[:100]}); this manager is left out"
            )
            self.outcome.tell(Problem(file.name, f"line {number}", sentence, "warning"))
        out = [(employee_id,) for _, employee_id, _, _ in lost] + [(employee_id,) for employee_id in turning]
        scratch.executemany("UPDATE line SET manager = NULL WHERE employee_id = ?", out)
        scratch.commit()

    def _check_readable(self, *, yes: bool) -> None:
        """A form that nobody knows, in a whole column, is a matter for HR and whoever keeps the content: not for silence."""
        for name, number in sorted(self.malformed.items()):
            filled, percent = self.filled[name], self.rules.largest_unreadable_percent
            if not yes and number > max(self.rules.small_drop, filled * percent / 100):
                self.outcome.refused = (
                    f"{name} can't be read in {number} of {filled} lines, more than {percent:g} %. Nothing was written. "
                    "Has the export changed? Mend it, or add the format to content/roster_columns.yaml; "
                    "with --yes people keep what was stored of them"
                )
                return

    def _check_drop(self, scratch: sqlite3.Connection, *, yes: bool) -> None:
        """Half a file must not end half of the staff's employment."""
        with self.sessions() as session:
            here = select(func.count()).select_from(Person)
            here = here.where(Person.workspace == self.workspace, Person.status != "terminated")
            before = session.exec(here).one()
            staying = sum(
                scratch.execute(
                    f"SELECT count(DISTINCT employee_id) FROM ({NAMED}) WHERE status <> 'terminated' "
                    f"AND employee_id IN ({','.join('?' * len(ids))})",
                    ids,
                ).fetchone()[0]
                for ids in self._pages_of_ids(session)
            )
        leaving = before - staying
        self.outcome.counts["left"] = leaving
        if (
            not yes
            and not self.outcome.refused
            and leaving > max(self.rules.small_drop, before * self.rules.largest_drop_percent / 100)
        ):
            self.outcome.refused = (
                f"{leaving} of {before} people would be marked as having left, more than {self.rules.largest_drop_percent:g} %. "
                "Nothing was written. Is the file complete? If so, say it with --yes"
            )

    def _pages_of_ids(self, session: Session) -> Iterator[list[str]]:
        """The employee ids of everybody who works here, in pages."""
        last = 0
        while True:
            page = select(Person.id, Person.employee_id).where(Person.workspace == self.workspace, col(Person.id) > last)
            page = page.where(Person.status != "terminated").order_by(col(Person.id)).limit(CHUNK)
            found = session.exec(page).all()
            if not found:
                return
            yield [employee_id for _, employee_id in found]
            last = found[-1][0] or 0

    # --- saving --------------------------------------------------------------------------------------------------

    def _save_all(self, scratch: sqlite3.Connection, columns: Columns, report_line: ReportLine, *, write: bool) -> None:
        """Each chunk in a transaction of its own: a crash loses nothing, the next import goes on."""
        read = set(columns.fields) | {"first_name", "last_name"}
        read |= {"hours_per_week"} if "fte" in read else set()
        read |= {"role"} if "job_title" in read else set()
        read |= {"hired_on"} if "rehired_on" in read else set()
        read |= {"status"} if "ended_on" in read else set()
        cursor = scratch.execute("SELECT number, kept, unreadable FROM line ORDER BY employee_id")
        while chunk := cursor.fetchmany(CHUNK):
            rows = [
                Row(number, RosterRow.model_validate_json(kept), frozenset(lost.split())) for number, kept, lost in chunk
            ]
            with self.sessions() as session:
                self._save(session, rows, read, report_line, scratch)
                session.commit() if write else session.rollback()
        for number, employee_id, sentence in scratch.execute("SELECT number, employee_id, sentence FROM left_out"):
            report_line(number, employee_id, f"left out: {sentence}")
        if not write:
            return
        with self.sessions() as session:
            for ids in list(self._pages_of_ids(session)):
                here = f"SELECT employee_id FROM ({NAMED}) WHERE employee_id IN ({','.join('?' * len(ids))})"
                gone = set(ids) - {each for (each,) in scratch.execute(here, ids)}
                self._end(session, gone, report_line)
            session.commit()
        if "manager_id" in columns.fields:
            self._set_managers(scratch)

    def _save(
        self, session: Session, rows: list[Row], read: set[str], report_line: ReportLine, scratch: sqlite3.Connection
    ) -> None:
        ids = [row.of.employee_id for row in rows]
        same = select(Person).where(Person.workspace == self.workspace, col(Person.employee_id).in_(ids))
        people = {person.employee_id: person for person in session.exec(same)}
        new: list[dict[str, Any]] = []
        gone: list[str] = []
        for row in rows:
            employee_id, unreadable = row.of.employee_id, set(row.unreadable)
            self.outcome.counts["unreadable cells"] += len(unreadable)
            values = row.of.model_dump(exclude={"employee_id", "manager_id"})
            person = people.get(employee_id)
            if person is None:
                self._count(report_line, row.line, employee_id, "new", _details((), unreadable, "left empty"))
                new.append(values | self._of_new(row.of))
                continue
            if "email" in unreadable and _is_anothers(scratch, person.email):
                unreadable.discard("email")  # the file gives it to somebody else: who shares an address is nobody's double
            back = person.status == "terminated" and row.of.status != "terminated" and "status" not in unreadable
            values = {name: value for name, value in values.items() if name in read or (back and name == "status")}
            changed = {
                name: value
                for name, value in values.items()
                if getattr(person, name) != value
                and name not in unreadable
                and (value is not None or name not in KEPT_WHEN_EMPTY)
            }
            self._change(person, changed)
            what = "back" if back else "changed" if changed else "same"
            self._count(report_line, row.line, employee_id, what, _details(changed, unreadable, "stays as it was"))
            if changed.get("status") == "terminated":
                gone.append(employee_id)
        if new:
            session.connection().execute(insert(Person), new)
        session.flush()
        self._silence(session, [people[each] for each in gone])

    def _of_new(self, row: RosterRow) -> dict[str, Any]:
        look = LOOK_AT_ONCE if row.status != "terminated" else None
        moments = {"created_at": self.now, "updated_at": self.now}
        return {"workspace": self.workspace, "employee_id": row.employee_id, "plan_checkin_on": look, **moments}

    def _change(self, person: Person, changed: Mapping[str, Any]) -> None:
        if "email" in changed and (person.email or "").lower() != (changed["email"] or "").lower():
            person.slack_id = None  # found again by the new address
        for name, value in changed.items():
            setattr(person, name, value)
        if changed:
            person.updated_at = self.now
        if {"access", "status"} & set(changed):
            person.sessions_ended += 1  # what somebody may do has changed: they sign in again
        if {"status", "hired_on", "shift", "zone", "site"} & set(changed):
            person.plan_checkin_on = LOOK_AT_ONCE

    def _count(self, report_line: ReportLine, number: int, employee_id: str, what: str, details: str = "") -> None:
        self.outcome.counts[what] += 1
        report_line(number, employee_id, f"{what}: {details}" if details else what)

    def _end(self, session: Session, employee_ids: Iterable[str], report_line: ReportLine) -> None:
        """Who is not in the file any more has left."""
        ended = select(Person).where(Person.workspace == self.workspace, col(Person.employee_id).in_(set(employee_ids)))
        people = session.exec(ended).all()
        for person in people:
            self._change(person, {"status": "terminated"})
            report_line(0, person.employee_id, "left: not in the file")
        self._silence(session, people)

    def _silence(self, session: Session, people: Iterable[Person]) -> None:
        """Nothing more is sent to who has left, at once."""
        channels = [person.slack_id for person in people if person.slack_id]
        waiting = update(OutboxItem).where(
            col(OutboxItem.workspace) == self.workspace,
            col(OutboxItem.channel).in_(channels),
            col(OutboxItem.state) == "ready",
        )
        if channels:
            session.connection().execute(waiting.values(state="expired", due_at=None))

    def _set_managers(self, scratch: sqlite3.Connection) -> None:
        """When everybody is there: who reports to whom. Who has another manager now shares nothing with them yet."""
        cursor = scratch.execute("SELECT employee_id, manager FROM line ORDER BY employee_id")
        while chunk := cursor.fetchmany(CHUNK):
            with self.sessions() as session:
                wanted = {employee_id for pair in chunk for employee_id in pair if employee_id}
                known = select(Person.employee_id, Person.id, Person.manager_id).where(Person.workspace == self.workspace)
                found: dict[str, tuple[int, int | None]] = {}
                for ids in _pages(sorted(wanted)):
                    for employee_id, number, manager in session.exec(known.where(col(Person.employee_id).in_(ids))):
                        found[employee_id] = (number or 0, manager)
                moved = [
                    {"id": found[employee_id][0], "manager_id": number, "plan_checkin_on": LOOK_AT_ONCE}
                    for employee_id, manager in chunk
                    if employee_id in found
                    and (number := found[manager][0] if manager and manager in found else None) != found[employee_id][1]
                ]
                if moved:
                    session.execute(update(Person), moved)
                    take_back_shared(session, [each["id"] for each in moved])
                session.commit()


def _employee_id(cells: list[str], columns: Columns) -> str:
    place = columns.fields["employee_id"]
    return cells[place].strip() if place < len(cells) else ""


def _is_anothers(scratch: sqlite3.Connection, email: str | None) -> bool:
    """Does the file give this address to somebody? (The person it belonged to has none in the file that can be read.)"""
    found = scratch.execute("SELECT 1 FROM line WHERE email = ? AND email <> '' LIMIT 1", ((email or "").lower(),))
    return found.fetchone() is not None


def _details(changed: Iterable[str], unreadable: Iterable[str], then: str) -> str:
    """For the report: names of fields, never values."""
    lost = ", ".join(sorted(unreadable))
    parts = [", ".join(sorted(changed)), f"can't be read and {then}: {lost}" if lost else ""]
    return "; ".join(part for part in parts if part)


def _pages(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _open(file: Path) -> TextIO:
    """As text, whatever program saved it: UTF-8 with or without a mark, UTF-16, or an old Windows code page."""
    with file.open("rb") as raw:
        start = raw.read(4)
        encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        raw.seek(0)
        if encoding == "utf-8-sig":
            try:
                while block := raw.readline(1 << 16):
                    block.decode("utf-8")
            except UnicodeDecodeError:
                encoding = "cp1252"
    return file.open(encoding=encoding, errors="replace", newline="")


def _delimiter(lines: TextIO) -> str:
    """What parts the header's names: a comma, a semicolon, a tab or a bar."""
    start = lines.tell()
    header = lines.readline()
    lines.seek(start)
    return max(",;\t|", key=header.count)


def write_report(file: TextIO) -> ReportLine:
    """A report with a line for every person: the names of what changed, never the values."""
    lines = csv.writer(file)
    lines.writerow(["line", "employee id", "what"])
    return lambda line, employee_id, what: lines.writerow([line or "", cell(employee_id), cell(what)])
