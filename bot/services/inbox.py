"""Works through what came in: one conversation at a time, in order, each item once."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, cast

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.services import queues
from bot.services.answering import Draw, Prepared, answer, ask_for_coach, asked_by, conversation_at, prepare
from bot.services.attention import reassess
from bot.services.delivery import Clock, Sender, deliver_taken, never
from bot.services.feedback import forget_words, note_deletion, note_edit
from bot.services.people import link_slack_account, may_ask, person_by_slack_id
from bot.services.replying import Answering
from bot.services.stepping_in import claim_at, employee_changed, employee_wrote
from bot.services.watching import note, watched
from storage.database import Sessions, reading
from storage.models import Conversation, Exchange, InboxItem, OutboxItem, Person
from storage.queries import handoffs_asked_at

logger = logging.getLogger(__name__)

# Thinking is all computing: more threads at it than cores would only be in each other's way, and keep acknowledgements waiting.
_thinking = BoundedSemaphore(os.cpu_count() or 1)

DrawHandoff = Callable[[KnowledgeBase, str, bool, int], dict[str, object]]


@dataclass
class Desk:
    """All that is needed to work on the inbox. `coach_channel` gets a card for each handoff; "" when there is none.

    `profile_of` asks Slack who an account is (users.info with its locale); it may raise, then the work is done later.
    `answering` is replaced as a whole when the content changes: whoever needs it for more than one step takes it once.
    `access` is e-mail → role, over the roster's (bot.services.people.access_of).
    Once `stopping` is true the item in hand is finished and no other begun: it waits in its table for the next process.
    """

    sessions: Sessions
    answering: Answering
    sender: Sender
    draw: Draw
    clock: Clock
    profile_of: Callable[[str], dict[str, Any]]
    coach_channel: str = ""
    draw_handoff: DrawHandoff = lambda kb, who, urgent, handoff: {"text": who}
    stopping: Callable[[], bool] = never
    access: Mapping[str, str] = field(default_factory=dict)


class SlackIsAway(Exception):
    """Slack can't be asked now who somebody is; that is no fault of the question."""


@dataclass(frozen=True)
class Handled:
    """An item's end: the messages to deliver at once, and what waits next in its conversation, all leased to the caller."""

    outgoing: list[OutboxItem]
    following: InboxItem | None


def work_through(desk: Desk, item: InboxItem | None) -> None:
    """Handle an item that is leased to us, and then whatever waits in the same conversation, oldest first."""
    while item:
        if desk.stopping():
            queues.postpone(desk.sessions, item, desk.clock(), timedelta(0))
            return
        if not queues.lease_lasts(desk.sessions, item, desk.clock()):
            return
        try:
            handled = _handle(desk, item)
        except SlackIsAway:
            queues.postpone(desk.sessions, item, desk.clock())
            return
        except Exception:
            logger.exception("inbox item %s failed", item.id)
            if not queues.give_back(desk.sessions, item, "failed", desk.clock()):
                return
            handled = _give_up(desk, item)
        for message in handled.outgoing:
            deliver_taken(desk.sessions, desk.sender, message, desk.clock)
        item = handled.following


def sweep(desk: Desk) -> int:
    """Pick up what a crash left behind; returns the number of conversations."""
    picked_up = 0
    for conversation in queues.open_conversations(desk.sessions, desk.clock()):
        if desk.stopping():
            break
        try:
            work_through(desk, queues.claim_next(desk.sessions, conversation, desk.clock()))
        except OperationalError:
            raise  # the database is away: for the others it would be the same
        except Exception as error:
            logger.error("conversation %s can't be worked on: %s", conversation, type(error).__name__)
        picked_up += 1
    return picked_up


def find_person(desk: Desk, workspace: str, slack_id: str) -> Person | None:
    """The roster's person; at first contact the account is linked by its e-mail address. None for everybody else."""
    with reading(desk.sessions) as session:
        if person := person_by_slack_id(session, workspace, slack_id):
            return person
    return _get_to_know(desk, workspace, slack_id)[0]


def _get_to_know(desk: Desk, workspace: str, slack_id: str) -> tuple[Person | None, dict[str, Any]]:
    """(the person, if the roster has one, and the Slack profile of an account that is not linked yet)."""
    try:
        profile = desk.profile_of(slack_id)
    except Exception as error:
        logger.warning("Slack can't say who %s is: %s", slack_id, type(error).__name__)
        raise SlackIsAway from error
    with desk.sessions() as session:
        person = link_slack_account(session, workspace, profile, desk.clock())
        session.commit()
    return person, profile


@watched("question")
def _handle(desk: Desk, item: InboxItem) -> Handled:
    """One item in one transaction.

    The reply is thought out before that: the matcher takes longest, and on SQLite everybody else would wait for it.
    """
    note(inbox=item.id, event=item.key, kind=item.kind)
    slack_id, profile = str(item.body.get("user", "")), dict[str, Any]()
    with reading(desk.sessions) as session:
        person = person_by_slack_id(session, item.workspace, slack_id)
        asking = asked_by(session, item, person, desk.answering.kb, desk.clock()) if person else None
    if person is None:
        person, profile = _get_to_know(desk, item.workspace, slack_id)
        with reading(desk.sessions) as session:
            asking = asked_by(session, item, person, desk.answering.kb, desk.clock()) if person else None
    asks = asking is not None and item.kind in ("message", "choice", "edit") and not asking.taken_back
    prepared = None
    if asking and asks:
        with _thinking:
            prepared = prepare(item, asking, desk.answering)
    with desk.sessions() as session:
        now = desk.clock()
        outgoing: list[OutboxItem] = []
        if person is None or asking is None:
            outgoing += _refuse(desk, session, item, profile, now)
        elif asking.taken_back:
            queues.finish(session, item, now, "taken back")
        elif prepared and item.kind == "edit":
            outgoing += _note_edit(desk, session, item, person, prepared, now)
        elif prepared:
            outgoing += _answer(desk, session, item, person, prepared, now)
        elif item.kind == "person":
            outgoing += _talk_to_a_person(desk, session, item, person, now)
        else:
            _note_deletion(session, item, person, now)
        if person and (prepared is None or prepared.reply.needs_a_coach):
            outgoing += _tell_coaches(desk, session, item, person, now)
        return _end(desk, session, item, outgoing, now)


def _end(desk: Desk, session: Session, item: InboxItem, outgoing: Sequence[OutboxItem | None], now: datetime) -> Handled:
    """Commits what was done, and takes what is next."""
    taken = [queues.take(each, now) for each in outgoing if each]
    following = queues.go_on(session, item, now)
    session.commit()
    for first in taken[:1]:
        note(outbox=first.id, exchange=first.exchange_id)
    return Handled(taken, following)


def _give_up(desk: Desk, item: InboxItem) -> Handled:
    """It failed too often: the employee is told so, and a coach gets the question instead."""
    with desk.sessions() as session:
        now = desk.clock()
        person = person_by_slack_id(session, item.workspace, str(item.body.get("user", "")))
        queues.finish(session, item, now, "given up")
        outgoing: list[OutboxItem | None] = []
        if person and item.kind in ("message", "choice", "person", "edit"):
            conversation = conversation_at(session, item, person, now)
            ask_for_coach(session, person, conversation, None, "failed", now)
            words = desk.answering.kb.say("error", "es" if conversation.language == "es" else "en", reference=item.id)
            payload = {"text": words} | ({"thread_ts": conversation.thread_ts} if conversation.thread_ts else {})
            outgoing.append(queues.put(session, item.workspace, f"reply:{item.key}", conversation.channel, payload, now))
            outgoing += _tell_coaches(desk, session, item, person, now)
        return _end(desk, session, item, outgoing, now)


def _answer(
    desk: Desk, session: Session, item: InboxItem, person: Person, prepared: Prepared, now: datetime
) -> list[OutboxItem]:
    """Trellis answers, unless a coach has stepped in here. Someone who may be in danger is answered at once in any case."""
    held = claim_at(session, item, person) if item.kind == "message" else None
    if held and not prepared.reply.decision.safety:
        return employee_wrote(session, desk.answering.kb, item, person, held, now)
    return [answer(session, item, person, prepared, desk.answering.kb, desk.draw, now)]


def _refuse(desk: Desk, session: Session, item: InboxItem, profile: dict[str, Any], now: datetime) -> list[OutboxItem]:
    """An employee who is not on the roster is told so once a day, and who can help; guests and bots get nothing."""
    queues.finish(session, item, now, "not on the roster")
    if item.kind not in ("message", "choice", "person") or not may_ask(profile, item.workspace):
        return []
    kb, language = desk.answering.kb, cast(Language, "es" if str(profile.get("locale", "")).startswith("es") else "en")
    office = kb.offices["hr"]
    named = f"{office.name.in_(language)} ({office.phone})"
    words = kb.say("stranger", language, employer=kb.employer["name"], office=named)
    channel = str(item.body["channel"])
    refusal = queues.put(session, item.workspace, f"stranger:{channel}:{now.date()}", channel, {"text": words}, now)
    return [refusal] if refusal else []


def _note_edit(
    desk: Desk, session: Session, item: InboxItem, person: Person, prepared: Prepared, now: datetime
) -> list[OutboxItem]:
    """A changed message is not answered again, unless what it says now must not be kept: then as if it were new."""
    reply, ts = prepared.reply, item.body["ts"]
    if not reply.hides_the_words:
        note_edit(session, item.workspace, person, ts, prepared.question, now)
    else:
        forget_words(session, item.workspace, person, ts)
    if reply.hides_the_words and (reply.decision.safety or not claim_at(session, item, person)):
        employee_changed(session, item.workspace, person, ts, "")
        return [answer(session, item, person, prepared, desk.answering.kb, desk.draw, now)]
    employee_changed(session, item.workspace, person, ts, prepared.question)
    queues.finish(session, item, now)
    return []


def _note_deletion(session: Session, item: InboxItem, person: Person, now: datetime) -> None:
    if item.kind == "delete":
        note_deletion(session, item.workspace, person, item.body["ts"], now)
        employee_changed(session, item.workspace, person, item.body["ts"], "")
    queues.finish(session, item, now)


def _talk_to_a_person(desk: Desk, session: Session, item: InboxItem, person: Person, now: datetime) -> list[OutboxItem]:
    exchange = session.get(Exchange, int(item.body.get("exchange") or 0))
    own = exchange if exchange and exchange.person_id == person.id else None
    conversation = session.get(Conversation, own.conversation_id) if own else None
    conversation = conversation or conversation_at(session, item, person, now)
    handoff = ask_for_coach(session, person, conversation, own, "asked", now)
    reassess(session, conversation.id or 0)
    language = conversation.language
    words = desk.answering.kb.say(
        "handoff_done" if handoff.asked_at == now else "handoff_waiting", "es" if language == "es" else "en"
    )
    payload = {"text": words} | ({"thread_ts": conversation.thread_ts} if conversation.thread_ts else {})
    queues.finish(session, item, now)
    reply = queues.put(session, item.workspace, f"reply:{item.key}", item.body["channel"], payload, now)
    return [reply] if reply else []


def _tell_coaches(desk: Desk, session: Session, item: InboxItem, person: Person, now: datetime) -> list[OutboxItem]:
    """A card in the coach channel for each new handoff, in the same transaction: it can't be forgotten."""
    if not desk.coach_channel:
        return []
    cards = []
    for handoff in handoffs_asked_at(session, person.id or 0, now):
        payload = desk.draw_handoff(desk.answering.kb, f"<@{person.slack_id}>", handoff.urgent, handoff.id or 0)
        key = f"handoff:{handoff.id}"
        if card := queues.put(session, item.workspace, key, desk.coach_channel, dict(payload), now):
            cards.append(card)
    return cards
