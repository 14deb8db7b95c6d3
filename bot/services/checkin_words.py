"""What people read about a check-in: when it is, and the text of each message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.cards import Language
from bot.domain.schedule import WEEKDAYS
from bot.knowledge_base import KnowledgeBase
from bot.services.checkin_rules import zone_of
from bot.services.class_hours import clock, show_day
from bot.services.plans import language_of
from storage.models import Checkin, Person


@dataclass(frozen=True)
class Notice:
    """A message about one check-in, ready to be drawn; `kind` decides which buttons it has. `ref` is the id they carry:
    the check-in's, or the promise's where the kind is "promise". `times`: moments to choose from, as (words, ISO in UTC)."""

    kind: str
    ref: int
    text: str
    language: Language
    to_manager: bool = False
    times: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DigestLine:
    """One person in the manager's weekly message or in the team view. `state` is all a manager learns of where it stands."""

    checkin_id: int
    state: str  # due, booked, ask, waiting, overdue, held, paused
    text: str


@dataclass(frozen=True)
class Digest:
    """The manager's weekly message."""

    title: str
    lines: tuple[DigestLine, ...]
    more: str
    language: Language


Draw = Callable[[Notice | Digest], dict[str, Any]]


def full_day(kb: KnowledgeBase, day: date, language: Language) -> str:
    """ "Thu, March 4"."""
    weekday = kb.say(f"weekday_{WEEKDAYS[day.weekday()]}", language)
    return f"{weekday}, {show_day(kb, day, language)}"


def show_moment(kb: KnowledgeBase, moment: datetime, zone: str, language: Language) -> str:
    """ "Thu, March 4, 3:30 pm", in the reader's zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{full_day(kb, local.date(), language)}, {clock(local.time())}"


def when_words(kb: KnowledgeBase, checkin: Checkin, reader: Person) -> str:
    """The agreed time, or about which day."""
    language = language_of(reader)
    if checkin.slot_at:
        return show_moment(kb, checkin.slot_at, zone_of(kb, reader), language)
    return kb.say("checkin_around", language, day=full_day(kb, checkin.planned_on, language))


def notice(kb: KnowledgeBase, kind: str, checkin: Checkin, to: Person, other: Person | None, **values: Any) -> Notice:
    """The message of this kind to `to`; `other` is the other side."""
    language = language_of(to)
    text = kb.say(
        f"checkin_{kind}",
        language,
        first_name=to.first_name,
        other=other.first_name if other else kb.say("checkin_your_manager", language),
        when=when_words(kb, checkin, to),
        minutes=kb.checkins.minutes,
        **values,
    )
    return Notice(kind, checkin.id or 0, text, language, to_manager=to.id == checkin.manager_id)


def time_choices(kb: KnowledgeBase, moments: Sequence[datetime], reader: Person) -> tuple[tuple[str, str], ...]:
    """Moments as (words in the reader's zone and language, ISO in UTC)."""
    zone, language = zone_of(kb, reader), language_of(reader)
    return tuple((show_moment(kb, at, zone, language), at.astimezone(UTC).isoformat()) for at in moments)
