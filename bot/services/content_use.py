"""How often each card was used, and what employees thought of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, func, select

from bot.domain.cards import Office
from bot.knowledge_base import KnowledgeBase
from storage.models import Exchange, Feedback

USED_IN = timedelta(days=90)
SOON = timedelta(days=30)


@dataclass(frozen=True)
class Use:
    """In the last 90 days."""

    answers: int = 0
    up: int = 0
    down: int = 0


@dataclass(frozen=True)
class Entry:
    """A line of the content page."""

    card: str
    title: str
    owner: str
    reviewed: date
    review_by: date
    use: Use
    due: str  # "overdue", "soon" or ""


def use_by_card(session: Session, workspace: str, now: datetime) -> dict[str, Use]:
    """By the card that was answered first."""
    first = col(Exchange.cards)[0].as_string()
    lately = (Exchange.workspace == workspace, col(Exchange.asked_at) > now - USED_IN)
    answers = select(first, func.count()).where(*lately, Exchange.outcome == "answer").group_by(first)
    thumbs = (
        select(first, Feedback.helpful, func.count())
        .join(Feedback, col(Feedback.exchange_id) == col(Exchange.id))
        .where(*lately)
        .group_by(first, col(Feedback.helpful))
    )
    up: dict[str, int] = defaultdict(int)
    down: dict[str, int] = defaultdict(int)
    for card, helpful, number in session.exec(thumbs):
        (up if helpful else down)[card] += number
    counted = dict(session.exec(answers).all())
    return {card: Use(counted.get(card, 0), up[card], down[card]) for card in {*counted, *up, *down} if card}


def entries(kb: KnowledgeBase, uses: dict[str, Use], today: date) -> list[Entry]:
    """Every card, role and program."""
    return [
        Entry(
            card=card,
            title=entry.title.en,
            owner=_owner(kb.offices.get(entry.owner), entry.owner),
            reviewed=entry.reviewed,
            review_by=entry.review_by,
            use=uses.get(card, Use()),
            due=due(entry.review_by, today),
        )
        for card, entry in kb.entries()
    ]


def due(review_by: date, today: date) -> str:
    """Is it past its review date, or will it be in 30 days?"""
    if review_by < today:
        return "overdue"
    return "soon" if review_by <= today + SOON else ""


def _owner(office: Office | None, fallback: str) -> str:
    return office.name.en if office else fallback
