"""A request to the manager about class time: drafted for the employee, sent only when they confirm it, word for word."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.domain.cards import Language
from bot.domain.people import Employee
from bot.domain.privacy import redact
from bot.domain.programs import Cohort, Program
from bot.domain.schedule import fit, pattern_of
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.services import queues
from bot.services.class_hours import DATES_SHOWN, sessions_words, show_day
from bot.services.plans import language_of
from storage.models import ClassRequest, OutboxItem, Person


def draft(
    kb: KnowledgeBase, person: Person, manager: Person | None, employee: Employee, program: Program, cohort: Cohort
) -> str:
    """In the manager's language: program, class times, the shifts in the way. Nothing else of the employee."""
    language = language_of(manager) if manager else language_of(person)
    found = fit(cohort, pattern_of(kb.shifts, employee))
    certain = found.kind == "clashes"
    own_time = kb.say("request_own_time", language)
    return kb.say(
        "request_draft",
        language,
        manager=manager.first_name if manager else "",
        name=person.first_name,
        program=program.title.in_(language),
        when=sessions_words(kb, cohort.sessions, language) if cohort.sessions else own_time,
        starts=show_date(kb, cohort.starts, language),
        ends=show_date(kb, cohort.ends, language),
        dates=", ".join(show_day(kb, day, language) for day in found.dates[:DATES_SHOWN]) if certain else "",
        more=max(0, len(found.dates) - DATES_SHOWN) if certain else 0,
        days=", ".join(kb.say(f"weekday_{day}", language) for day in found.weekdays),
        paid=program.paid_time == "all",
    )


DrawRequest = Callable[[str, str, Language], dict[str, Any]]  # (name, words, the manager's language) → payload


def send_request(
    session: Session,
    draw: DrawRequest,
    person: Person,
    manager: Person,
    program: Program,
    cohort: Cohort,
    text: str,
    now: datetime,
) -> OutboxItem | None:
    """In the caller's transaction: kept, and put into the outbox for the manager. None when one went out today already."""
    words = redact(text)
    payload = draw(f"{person.first_name} {person.last_name}".strip(), words, language_of(manager))
    key = f"class-request:{person.id}:{cohort.id}:{now.date()}"
    item = queues.put(session, person.workspace, key, manager.slack_id or "", payload, now)
    if item:
        session.add(
            ClassRequest(
                workspace=person.workspace,
                person_id=person.id or 0,
                manager_id=manager.id or 0,
                program=program.slug,
                cohort=cohort.id,
                text=words,
                sent_at=now,
            )
        )
    return item
