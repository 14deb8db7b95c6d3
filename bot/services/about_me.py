"""What employees tell about themselves: kept apart from the roster, shown to them, corrected by them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, delete, select

from bot.domain.people import Employee
from bot.domain.privacy import redact
from storage.models import Person, Told

LISTS = ("credential", "not-credential", "language", "experience")


@dataclass(frozen=True)
class AboutMe:
    """The whole form as the employee sent it; None or empty where they left it so."""

    education: str | None = None
    credentials: frozenset[str] = frozenset()
    not_held: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    experience: frozenset[str] = frozenset()
    experience_words: str = ""
    workdays: tuple[str, ...] = ()
    weekend_from: date | None = None
    tuition_used: float | None = None  # of the current year, dollars


_TOLD_BY = select(Told).where(Told.person_id == bindparam("person")).order_by(col(Told.id))


def told_by(session: Session, person: Person) -> Sequence[Told]:
    return session.exec(_TOLD_BY, params={"person": person.id}).all()


def with_told(employee: Employee, told: Iterable[Told]) -> Employee:
    """The roster's employee together with what they told us."""
    values: dict[str, dict[str, str]] = {}
    for each in told:
        values.setdefault(each.kind, {})[each.value] = each.detail
    workdays = next(iter(values.get("workdays", {})), None)
    weekend = next(iter(values.get("weekend-from", {})), None)
    return replace(
        employee,
        education=next(iter(values.get("education", {})), employee.education),
        credentials=employee.credentials | frozenset(values.get("credential", {})),
        not_held=employee.not_held | frozenset(values.get("not-credential", {})),
        languages=employee.languages | frozenset(values.get("language", {})),
        experience=employee.experience | frozenset(values.get("experience", {})),
        workdays=frozenset(workdays.split(",")) if workdays is not None else employee.workdays,
        weekend_from=date.fromisoformat(weekend) if weekend else employee.weekend_from,
        tuition_used={int(year): float(dollars) for year, dollars in values.get("tuition-used", {}).items()},
    )


def tell(session: Session, person: Person, about: AboutMe, today: date, now: datetime) -> None:
    """The form replaces what was told before. Free words are redacted first."""
    rows: list[tuple[str, str, str]] = []
    if about.education:
        rows.append(("education", about.education, ""))
    rows += [("credential", each, "") for each in sorted(about.credentials)]
    rows += [("not-credential", each, "") for each in sorted(about.not_held)]
    rows += [("language", each, "") for each in sorted(about.languages)]
    words = redact(about.experience_words)
    rows += [("experience", each, "") for each in sorted(about.experience)]
    if words:
        rows.append(("experience-words", "", words))
    if about.workdays:
        rows.append(("workdays", ",".join(about.workdays), ""))
    if about.weekend_from:
        rows.append(("weekend-from", about.weekend_from.isoformat(), ""))
    if about.tuition_used is not None:
        rows.append(("tuition-used", str(today.year), f"{about.tuition_used:g}"))
    replaced = ("education", *LISTS, "experience-words", "workdays", "weekend-from", "tuition-used")
    session.exec(delete(Told).where(col(Told.person_id) == person.id, col(Told.kind).in_(replaced)))
    for kind, value, detail in rows:
        session.add(
            Told(workspace=person.workspace, person_id=person.id or 0, kind=kind, value=value, detail=detail, at=now)
        )


def experience_words(told: Iterable[Told]) -> str:
    """What the employee wrote about their experience, redacted."""
    return next((each.detail for each in told if each.kind == "experience-words"), "")


def reminders_of(told: Iterable[Told]) -> str:
    """When the employee wants to be reminded: before (a few days before a date) or off."""
    return next((each.value for each in told if each.kind == "reminders"), "before")


def set_reminders(session: Session, person: Person, value: str, now: datetime) -> None:
    session.exec(delete(Told).where(col(Told.person_id) == person.id, col(Told.kind) == "reminders"))
    session.add(Told(workspace=person.workspace, person_id=person.id or 0, kind="reminders", value=value, at=now))
