"""Reminders that belong to a plan: a step comes up, a group closes, did the support work? Each once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlmodel import Session, col, select

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.services import queues
from bot.services.about_me import reminders_of, told_by
from bot.services.plan_words import group_of, step_words
from bot.services.plans import language_of
from storage.database import Sessions
from storage.models import Goal, Interest, Person, PlanStep, SupportOffer

BATCH = 50
TOO_LATE_AFTER = timedelta(days=2)  # after an outage an old reminder is let go, not sent in a burst


@dataclass(frozen=True)
class Nudge:
    """A reminder ready to be drawn; `id` is that of the step, the interest or the support offer."""

    kind: Literal["step", "interest", "support"]
    id: int
    text: str
    language: Language


DrawNudge = Callable[[Nudge], dict[str, Any]]


def remind(sessions: Sessions, kb: KnowledgeBase, draw: DrawNudge, now: datetime) -> int:
    """Put what is due into the outbox and strike it off, in one transaction; returns how many reminders there are."""
    with sessions() as session:
        count = sum(_send(session, kb, draw, person, nudge, now) for person, nudge in _due(session, kb, now))
        session.commit()
        return count


def _due(session: Session, kb: KnowledgeBase, now: datetime) -> list[tuple[Person, Nudge]]:
    found: list[tuple[Person, Nudge]] = []
    steps = select(PlanStep).where(col(PlanStep.remind_at) <= now).order_by(col(PlanStep.remind_at)).limit(BATCH)
    for step in session.exec(steps).all():
        at, step.remind_at = step.remind_at, None
        person, goal = session.get(Person, step.person_id), session.get(Goal, step.goal_id)
        if at and person and goal and _may_reach(session, person, at, now) and step.state == "todo":
            language = language_of(person)
            when = show_date(kb, max(step.due, step.snoozed_until or step.due), language)
            text = kb.say("nudge_step", language, when=when, words=step_words(kb, step, goal, language))
            found.append((person, Nudge("step", step.id or 0, text, language)))
    interests = select(Interest).where(col(Interest.remind_at) <= now).order_by(col(Interest.remind_at)).limit(BATCH)
    for interest in session.exec(interests).all():
        at, interest.remind_at = interest.remind_at, None
        person, cohort = session.get(Person, interest.person_id), group_of(kb, f"{interest.program}:{interest.cohort}")[1]
        if at and person and cohort and _may_reach(session, person, at, now) and interest.stage == "interested":
            language = language_of(person)
            dates = {"starts": show_date(kb, cohort.starts, language), "apply_by": show_date(kb, cohort.apply_by, language)}
            text = kb.say("nudge_apply", language, program=kb.title(f"programs/{interest.program}", language), **dates)
            found.append((person, Nudge("interest", interest.id or 0, text, language)))
    offers = select(SupportOffer).where(col(SupportOffer.ask_at) <= now).order_by(col(SupportOffer.ask_at)).limit(BATCH)
    for offer in session.exec(offers).all():
        at, offer.ask_at = offer.ask_at, None
        person = session.get(Person, offer.person_id)
        if at and person and _may_reach(session, person, at, now) and not offer.outcome:
            language = language_of(person)
            text = kb.say("nudge_support", language, title=kb.title(f"supports/{offer.support}", language))
            found.append((person, Nudge("support", offer.id or 0, text, language)))
    return found


def _may_reach(session: Session, person: Person, at: datetime, now: datetime) -> bool:
    """Working, on Slack, wants reminders, and it is not too late."""
    here = person.status == "active" and person.on_slack and bool(person.slack_id)
    return here and now - at <= TOO_LATE_AFTER and reminders_of(told_by(session, person)) != "off"


def _send(session: Session, kb: KnowledgeBase, draw: DrawNudge, person: Person, nudge: Nudge, now: datetime) -> bool:
    key = f"nudge:{nudge.kind}:{nudge.id}:{now.date()}"
    item = queues.put(
        session, person.workspace, key, person.slack_id or "", draw(nudge), now, not_after=now + TOO_LATE_AFTER
    )
    return item is not None
