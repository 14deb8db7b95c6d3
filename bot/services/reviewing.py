"""A coach's verdict on an exchange becomes a content test and an edit proposal, and closes itself when the bot is right."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml
from sqlmodel import Session, col, select

from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.domain.privacy import redact
from bot.domain.roles import Role
from bot.domain.safety import plain
from bot.knowledge_base import KnowledgeBase
from bot.services.attention import reassess
from bot.services.audit import record
from bot.services.opening import manages
from bot.services.replying import Answering
from bot.services.stepping_in import CantDo
from storage.database import Sessions
from storage.models import Exchange, Person, Review

VERDICTS = {
    "right": "Right",
    "wrong-card": "Wrong card",
    "outdated": "Outdated",
    "missing": "Nothing fits yet",
    "unclear": "Hard to understand",
}
ABSTAINS, HANDOFF = "abstains", "handoff"
NEEDS_CARD = ("wrong-card",)
MOST_WORDS = 500
FACT = re.compile(r"fact\(\s*[\"']([\w-]+)[\"']\s*\)")


@dataclass(frozen=True)
class Verdict:
    """What the coach filled in. `right_card` is a card id, "abstains", "handoff" or ""; `question` in the coach's words."""

    verdict: str
    right_card: str = ""
    question: str = ""
    comment: str = ""


def card_choices(kb: KnowledgeBase) -> list[tuple[str, str]]:
    """(card id, title) of everything that may be right, by id."""
    return sorted((card, entry.title.en) for card, entry in kb.entries())


def review(
    session: Session,
    kb: KnowledgeBase,
    coach: Person,
    conversation_id: int,
    exchange_id: int,
    given: Verdict,
    now: datetime,
) -> Review:
    """Keep a verdict. The employee's own words are never taken over: the question must be said another way."""
    exchange = session.get(Exchange, exchange_id)
    if (
        exchange is None
        or exchange.conversation_id != conversation_id
        or exchange.workspace != coach.workspace
        or manages(session, coach, exchange.person_id)
    ):
        raise CantDo("This message does not exist any more.")
    question = redact(" ".join(given.question.replace("\0", "").split())[:MOST_WORDS])
    if given.verdict not in VERDICTS:
        raise CantDo("Please choose a verdict.")
    if given.right_card not in ("", ABSTAINS, HANDOFF) and not kb.has(given.right_card):
        raise CantDo("There is no such card.")
    if given.verdict in NEEDS_CARD and not given.right_card:
        raise CantDo("Which card would have been right?")
    if given.verdict in (*NEEDS_CARD, "missing") and not question:
        raise CantDo("Please write the question in your own words: it becomes a test.")
    if question and plain(question) == plain(exchange.question):
        raise CantDo("Please say the question in your own words, not in the employee's.")
    given_card = exchange.cards[0] if exchange.cards else ""
    right = given.verdict == "right"
    kept = Review(
        workspace=coach.workspace,
        exchange_id=exchange_id,
        reviewer_id=coach.id or 0,
        at=now,
        verdict=given.verdict,
        given_card=given_card,
        right_card=given.right_card or (given_card if given.verdict in ("outdated", "unclear", "right") else ""),
        question=question,
        language=exchange.language,
        comment=redact(given.comment.replace("\0", "").strip()[: 4 * MOST_WORDS]),
        state="closed" if right else "open",
        closed_at=now if right else None,
        closed_by_revision=kb.revision if right else "",
    )
    session.add(kept)
    record(session, coach, "reviewed", now, subject_id=exchange.person_id, conversation_id=conversation_id)
    reassess(session, conversation_id)
    return kept


def reviews_in(session: Session, workspace: str, state: str) -> Sequence[Review]:
    """Open or closed ones, the latest first."""
    wanted = select(Review).where(Review.workspace == workspace, Review.state == state, Review.verdict != "right")
    return session.exec(wanted.order_by(col(Review.id).desc()).limit(500)).all()


def open_reviews(session: Session) -> Sequence[Review]:
    """Of all workspaces, the oldest first."""
    return session.exec(select(Review).where(Review.state == "open").order_by(col(Review.id))).all()


def close_by_hand(session: Session, actor: Person, review_id: int, now: datetime) -> None:
    kept = session.get(Review, review_id)
    if kept and kept.workspace == actor.workspace and kept.state == "open":
        kept.state, kept.closed_at = "closed", now
        record(session, actor, "closed a review", now)


def close_settled(sessions: Sessions, answering: Answering, today: date, now: datetime) -> int:
    """Close the open reviews that the content has settled; run at every start. Returns how many."""
    with sessions() as session:
        settled = [
            kept for kept in session.exec(select(Review).where(Review.state == "open")) if is_settled(kept, answering, today)
        ]
        for kept in settled:
            kept.state, kept.closed_at, kept.closed_by_revision = "closed", now, answering.kb.revision
        session.commit()
        return len(settled)


def is_settled(kept: Review, answering: Answering, today: date) -> bool:
    """Does the bot answer rightly now? Outdated and unclear cards count as settled once their owner has reviewed them."""
    if kept.verdict in ("outdated", "unclear"):
        entry = answering.kb.entry(kept.right_card)
        return entry is not None and entry.reviewed > kept.at.date()
    if not kept.right_card or not kept.question:
        return False
    reply, _ = answering.reply(kept.question, Employee(is_manager=True), Dialogue(), today)
    decision = reply.decision
    if kept.right_card in (ABSTAINS, HANDOFF):
        return decision.outcome == {ABSTAINS: "abstain", HANDOFF: "handoff"}[kept.right_card]
    return decision.outcome in ("answer", "handoff") and decision.cards[0] == kept.right_card


# --- for the content's owners ------------------------------------------------------------------------------------


def as_content_tests(reviews: Iterable[Review]) -> str:
    """The open ones as content tests, in the form of content/tests/promises.yaml. "" when there is none."""
    return with_content_tests("", reviews)


def with_content_tests(before: str, reviews: Iterable[Review]) -> str:
    """The file of content tests `before`, with the reviews that it does not have yet; unchanged when it has them all."""
    cases: list[dict[str, Any]] = yaml.safe_load(before) or []
    known = {question for case in cases for question in case.get("asks", [])}
    asks: dict[str, list[str]] = {}
    for kept in reviews:
        if kept.question and kept.right_card and kept.question not in known:
            known.add(kept.question)
            asks.setdefault(kept.right_card, []).append(kept.question)
    if not asks:
        return before
    for right, questions in sorted(asks.items()):
        expected = {right: True} if right in (ABSTAINS, HANDOFF) else {"card": right}
        same = next((case for case in cases if {**case, "asks": None} == {**expected, "asks": None}), None)
        if same:
            same["asks"] += questions
        else:
            cases.append({**expected, "asks": questions})
    words = yaml.safe_dump(cases, allow_unicode=True, sort_keys=False, width=120)
    return "# From coaches' reviews: what people ask, in the coaches' words, and what must happen.\n" + words


def as_proposals(reviews: Iterable[Review], kb: KnowledgeBase) -> str:
    """What the owners should look at, as Markdown: the card with its file, facts and dates, and what the coach said."""
    return "\n".join(_proposal(kept, kb) for kept in reviews)


def _proposal(kept: Review, kb: KnowledgeBase) -> str:
    lines = [f"## Review {kept.id}: {VERDICTS[kept.verdict].lower()}", ""]
    if kept.question:
        lines.append(f"- Asked ({kept.language}): {kept.question}")
    lines.append(f"- Answered with: `{kept.given_card or 'no card'}`; right would be: `{kept.right_card or 'a new card'}`")
    if kept.comment:
        lines.append(f"- The coach says: {kept.comment}")
    if entry := kb.entry(kept.right_card):
        owner = kb.offices[entry.owner].name.en
        lines.append(f"- File: `content/{file_of(kept.right_card, kb)}`, “{entry.title.en}”, owner {owner}")
        lines.append(f"- Reviewed {entry.reviewed}, to be reviewed by {entry.review_by}")
        for fact_id in facts_of(kept.right_card, kb):
            fact = kb.facts[fact_id]
            lines.append(
                f"- Fact `{fact_id}`: {fact.show.en} (as of {fact.as_of}, review by {fact.review_by}, {fact.source})"
            )
    lines.append("")
    return "\n".join(lines)


def file_of(card: str, kb: KnowledgeBase) -> str:
    """The file below content/ in which a card, role or program stands."""
    own_folder = card.startswith("roles/") or (card.startswith("programs/") and card not in kb.cards)
    return f"{card}.yaml" if own_folder else f"cards/{card}.yaml"


def facts_of(card: str, kb: KnowledgeBase) -> list[str]:
    """The facts that a card quotes."""
    entry = kb.entry(card)
    if entry is None or isinstance(entry, Role):
        return []
    return [fact for fact in dict.fromkeys(FACT.findall(entry.answer.en + entry.answer.es)) if fact in kb.facts]
