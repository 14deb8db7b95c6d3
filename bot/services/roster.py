"""Import the people file: every line checked, good lines saved, bad ones named."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from sqlmodel import Session, select

from bot.domain.problems import Problem
from storage.database import Sessions
from storage.models import Person


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Blank = BeforeValidator(_none_if_blank)


class RosterRow(BaseModel):
    """The columns that are kept; every other column of the file is ignored and never stored."""

    employee_id: str = Field(min_length=1)
    first_name: str = Field(min_length=1)
    last_name: str = ""
    email: Annotated[str | None, Blank] = None
    role: Annotated[str | None, Blank] = None
    job_title: str = ""
    site: Annotated[str | None, Blank] = None
    unit: str = ""
    hours_per_week: Annotated[float | None, Blank, Field(ge=0, le=80)] = None
    shift: Annotated[Literal["days", "evenings", "nights", "rotating"] | None, Blank] = None
    hired_on: Annotated[date | None, Blank] = None
    language: Annotated[Literal["en", "es"] | None, Blank] = None
    zone: Annotated[str | None, Blank] = None
    access: Literal["", "coach", "lead", "content-owner", "hr"] = ""
    status: Literal["active", "leave", "terminated"] = "active"
    manager_id: Annotated[str | None, Blank] = None


def import_roster(
    sessions: Sessions, workspace: str, file: Path, roles: Iterable[str], now: datetime, *, dry_run: bool = False
) -> tuple[int, list[Problem]]:
    """(people saved, problems by line). Importing the same file again changes nothing."""
    problems: list[Problem] = []
    rows: dict[str, RosterRow] = {}
    known_roles = set(roles)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, values in enumerate(csv.DictReader(lines), 2):
            try:
                row = RosterRow.model_validate({key: value for key, value in values.items() if value is not None})
            except ValidationError as error:
                problems += [
                    Problem(file.name, f"line {number}", f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}")
                    for each in error.errors()
                ]
                continue
            if row.employee_id in rows:
                problems.append(Problem(file.name, f"line {number}", f"employee id {row.employee_id} stands twice"))
                continue
            if row.role and row.role not in known_roles:
                problems.append(Problem(file.name, f"line {number}", f"“{row.role}” is not a role in content/", "warning"))
                row.role = None
            rows[row.employee_id] = row
    with sessions() as session:
        people = {person.employee_id: person for person in session.exec(select(Person).where(Person.workspace == workspace))}
        for row in rows.values():
            people[row.employee_id] = _save(session, workspace, people.get(row.employee_id), row, now)
        session.flush()
        for row in rows.values():
            manager = people.get(row.manager_id or "")
            if row.manager_id and manager is None:
                problems.append(
                    Problem(file.name, row.employee_id, f"manager {row.manager_id} is not in the file", "warning")
                )
            people[row.employee_id].manager_id = manager.id if manager and manager.employee_id != row.employee_id else None
        session.rollback() if dry_run else session.commit()
    return len(rows), problems


def _save(session: Session, workspace: str, person: Person | None, row: RosterRow, now: datetime) -> Person:
    person = person or Person(
        workspace=workspace, employee_id=row.employee_id, first_name=row.first_name, created_at=now, updated_at=now
    )
    for name, value in row.model_dump(exclude={"employee_id", "manager_id"}).items():
        if value is None and name in ("language", "zone"):
            continue  # the person may have told us since
        setattr(person, name, value)
    session.add(person)
    return person
