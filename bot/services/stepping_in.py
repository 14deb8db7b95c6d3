"""A coach takes over: claim, write, hand back, resolve, snooze, assign. All in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from bot.domain.attention import working_time_after
from bot.domain.cards import Language
from bot.domain.coaching import CoachingPolicy
from bot.domain.privacy import redact
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.services import queues
from bot.services.attention import reassess
from bot.services.audit import full_name, record
from bot.services.opening import conversation_for, manages, may_open
from bot.services.people import COACH, LEAD, access_of
from storage.models import Attention, CoachMessage, Conversation, Handoff, InboxItem, OutboxItem, Person

MOST_WORDS = 3000  # characters of one message by a coach
LIVE_CHAT = timedelta(minutes=10)  # a coach who wrote this recently is taken to be there


class CantDo(Exception):
    """Why an act is not possible now, as a sentence for the coach."""


@dataclass(frozen=True)
class Claim:
    """Who has the conversation: the handoff and the coach."""

    handoff: Handoff
    coach: Person


def policy_of(kb: KnowledgeBase) -> CoachingPolicy:
    """The employer's rules, with defaults for what content/employer.yaml leaves out."""
    return CoachingPolicy.model_validate(kb.employer.get("coaching", {}))


def claim_of(session: Session, conversation_id: int) -> Claim | None:
    """The coach who has stepped in; None while the bot answers."""
    claimed = select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state == "claimed")
    handoff = session.exec(claimed.order_by(col(Handoff.id))).first()
    coach = session.get(Person, handoff.claimed_by) if handoff else None
    return Claim(handoff, coach) if handoff and coach else None


def claim(session: Session, kb: KnowledgeBase, coach: Person, conversation_id: int, now: datetime) -> list[OutboxItem]:
    """The coach takes the conversation; the employee is told who is there. Raises CantDo when somebody else was faster, or
    when nothing asks for a coach and this one has not said why."""
    conversation = _conversation(session, coach, conversation_id)
    held = claim_of(session, conversation_id)
    if held and held.coach.id != coach.id:
        raise CantDo(f"{full_name(held.coach)} has claimed this already.")
    waiting = update(Handoff).where(col(Handoff.conversation_id) == conversation_id, col(Handoff.state) == "waiting")
    taken = session.connection().execute(waiting.values(state="claimed", claimed_by=coach.id, claimed_at=now)).rowcount
    session.expire_all()
    if held and not taken:
        return []
    if not taken:
        _check_reason(session, coach, conversation_id, now)
        session.add(
            Handoff(
                workspace=conversation.workspace,
                person_id=conversation.person_id,
                conversation_id=conversation_id,
                reason="offered",
                state="claimed",
                asked_at=now,
                claimed_by=coach.id,
                claimed_at=now,
            )
        )
    record(session, coach, "claimed", now, subject_id=conversation.person_id, conversation_id=conversation_id)
    if row := reassess(session, conversation_id):
        row.assigned_to = coach.id
    if held:
        return []  # asked again while the coach is here: the employee knows
    words = kb.say("coach_claimed", _language(conversation), coach=full_name(coach))
    return _tell(session, conversation, f"claimed:{conversation_id}:{now.timestamp():.0f}", words, now)


def claim_handoff(session: Session, kb: KnowledgeBase, coach: Person, handoff_id: int, now: datetime) -> list[OutboxItem]:
    """From the card in the coach channel. Raises CantDo when it is gone or taken."""
    handoff = session.get(Handoff, handoff_id)
    if handoff is None or handoff.workspace != coach.workspace or handoff.conversation_id is None:
        raise CantDo("This request does not exist any more.")
    if handoff.state == "resolved":
        raise CantDo("This request is resolved already.")
    if manages(session, coach, handoff.person_id):
        raise CantDo("You are this person's manager. Another coach takes care of it.")
    return claim(session, kb, coach, handoff.conversation_id, now)


def write(
    session: Session, kb: KnowledgeBase, coach: Person, conversation_id: int, text: str, now: datetime
) -> list[OutboxItem]:
    """The coach's words go to the employee's thread, signed with the coach's name, through the outbox."""
    conversation = _conversation(session, coach, conversation_id)
    held = claim_of(session, conversation_id)
    if held is None or held.coach.id != coach.id:
        raise CantDo("Claim the conversation first; then the employee knows who writes.")
    words = text.replace("\0", "").strip()
    if not words:
        raise CantDo("There is nothing to send yet.")
    if len(words) > MOST_WORDS:
        raise CantDo(f"That is too long for one message: {len(words)} characters, {MOST_WORDS} fit.")
    words = redact(words)
    message = CoachMessage(
        workspace=conversation.workspace,
        conversation_id=conversation_id,
        person_id=conversation.person_id,
        author_id=coach.id,
        at=now,
        text=words,
    )
    session.add(message)
    session.flush()
    signed = kb.say("coach_wrote", _language(conversation), coach=full_name(coach), text=plain_for_slack(words))
    outgoing = _tell(session, conversation, f"coach:{message.id}", signed, now)
    message.outbox_id = outgoing[0].id if outgoing else None
    conversation.last_at = now
    record(session, coach, "wrote", now, subject_id=conversation.person_id, conversation_id=conversation_id)
    reassess(session, conversation_id)
    return outgoing


def hand_back(session: Session, kb: KnowledgeBase, coach: Person, conversation_id: int, now: datetime) -> list[OutboxItem]:
    """The bot answers again and says so. What else needs a look stays in the inbox."""
    conversation = _conversation(session, coach, conversation_id)
    held = claim_of(session, conversation_id)
    if held is None:
        raise CantDo("The bot is answering here already.")
    _end_handoffs(session, conversation_id, now)
    record(session, coach, "handed back", now, subject_id=conversation.person_id, conversation_id=conversation_id)
    reassess(session, conversation_id)
    words = kb.say("coach_handed_back", _language(conversation), coach=full_name(held.coach))
    return _tell(session, conversation, f"handed-back:{held.handoff.id}", words, now)


def resolve(session: Session, kb: KnowledgeBase, coach: Person, conversation_id: int, now: datetime) -> list[OutboxItem]:
    """Dealt with, everything until now: it leaves the inbox until something new happens."""
    conversation = _conversation(session, coach, conversation_id)
    outgoing = hand_back(session, kb, coach, conversation_id, now) if claim_of(session, conversation_id) else []
    _end_handoffs(session, conversation_id, now)
    if row := session.get(Attention, conversation_id):
        row.handled_at, row.snoozed_until = now, None
    record(session, coach, "resolved", now, subject_id=conversation.person_id, conversation_id=conversation_id)
    reassess(session, conversation_id)
    return outgoing


def snooze(session: Session, coach: Person, conversation_id: int, until: datetime, now: datetime) -> None:
    """Out of sight until then, unless something more urgent happens. People who wait can't be snoozed away."""
    _conversation(session, coach, conversation_id)
    row = session.get(Attention, conversation_id) or reassess(session, conversation_id)
    if row is None or row.reason in ("danger", "waiting"):
        raise CantDo("Someone is waiting for a person here. Claim it first.")
    if until <= now:
        raise CantDo("That moment has passed.")
    row.snoozed_until = until
    record(session, coach, "snoozed", now, subject_id=row.person_id, conversation_id=conversation_id)


def assign(
    session: Session, actor: Person, conversation_id: int, to: int | None, now: datetime, access: Mapping[str, str]
) -> None:
    """Whose it is. Coaches take or drop it themselves; only leads give it to somebody else. Where nothing asks for a coach,
    whoever gives or takes it must have said why they look at it."""
    conversation = _conversation(session, actor, conversation_id)
    if access_of(actor, access) != LEAD and to not in (None, actor.id):
        raise CantDo("Only a lead coach assigns to others.")
    coach = session.get(Person, to) if to else None
    if to and (coach is None or coach.workspace != actor.workspace or access_of(coach, access) not in (COACH, LEAD)):
        raise CantDo("Only coaches can be given a conversation.")
    if coach:
        if manages(session, coach, conversation.person_id):
            raise CantDo("This coach can't be given this conversation. Please choose another.")
        _check_reason(session, actor, conversation_id, now)
    row = session.get(Attention, conversation_id) or reassess(session, conversation_id)
    if row:
        row.assigned_to = to
    whom = f"to {full_name(coach)}" if coach else "to nobody"
    record(session, actor, "assigned", now, subject_id=conversation.person_id, conversation_id=conversation_id, reason=whom)


# --- the employee's side -----------------------------------------------------------------------------------------


# A conversation that began with a message to an account has the account's id for its channel. Built once: every question asks.
_CLAIMED_AT = (
    select(Handoff)
    .join(Conversation, col(Conversation.id) == col(Handoff.conversation_id))
    .where(
        Handoff.person_id == bindparam("person"),
        Handoff.state == "claimed",
        col(Conversation.channel).in_((bindparam("channel"), bindparam("slack_id"))),
        Conversation.thread_ts == bindparam("thread_ts"),
        col(Conversation.channel) != "",
    )
    .order_by(col(Handoff.id).desc())
    .limit(1)
)


def claim_at(session: Session, item: InboxItem, person: Person) -> Claim | None:
    """The coach who has stepped in where the employee is writing now."""
    place = {"channel": str(item.body.get("channel", "")), "thread_ts": item.body.get("thread_ts", "")}
    handoff = session.exec(_CLAIMED_AT, params=place | {"person": person.id, "slack_id": person.slack_id}).first()
    return claim_of(session, handoff.conversation_id) if handoff and handoff.conversation_id else None


def is_in_a_coachs_hands(session: Session, person: Person) -> bool:
    """Is a coach talking with this employee right now, or must somebody look after them at once, in any conversation?"""
    mine = select(Handoff.id).where(Handoff.person_id == person.id, Handoff.state != "resolved")
    return session.exec(mine.where((Handoff.state == "claimed") | col(Handoff.urgent))).first() is not None


def employee_wrote(
    session: Session, kb: KnowledgeBase, item: InboxItem, person: Person, held: Claim, now: datetime
) -> list[OutboxItem]:
    """The employee's message reaches the coach instead of the bot. When the coach seems to be away, the first one
    is confirmed, with the day by which somebody should answer."""
    conversation = session.get_one(Conversation, held.handoff.conversation_id)
    live = now - _coach_was_here(session, held) < LIVE_CHAT
    session.add(
        CoachMessage(
            workspace=item.workspace,
            conversation_id=conversation.id or 0,
            person_id=person.id or 0,
            at=item.received_at,
            text=str(item.body.get("text", "")),
            slack_ts=str(item.body.get("ts", "")),
        )
    )
    conversation.last_at = now
    queues.finish(session, item, now)
    reassess(session, conversation.id or 0)
    if live or _unanswered_before(session, held):
        return []
    language, zone = _language(conversation), kb.employer["zone"]
    by = working_time_after(now, timedelta(hours=policy_of(kb).reply_within_hours), zone).date()
    words = kb.say("coach_got_it", language, coach=full_name(held.coach), day=show_date(kb, by, language))
    return _tell(session, conversation, f"got-it:{item.key}", words, now)


def employee_changed(session: Session, workspace: str, person: Person, slack_ts: str, text: str) -> None:
    """The employee changed a message to a coach, or took it back (`text` is empty then)."""
    written = select(CoachMessage).where(CoachMessage.workspace == workspace, CoachMessage.person_id == person.id)
    for message in session.exec(written.where(CoachMessage.slack_ts == slack_ts)) if slack_ts else ():
        message.text = redact(text)


def _coach_was_here(session: Session, held: Claim) -> datetime:
    """When the coach last did something in the conversation."""
    written = select(CoachMessage).where(
        CoachMessage.conversation_id == held.handoff.conversation_id, CoachMessage.author_id == held.coach.id
    )
    last = session.exec(written.order_by(col(CoachMessage.id).desc())).first()
    claimed_at = held.handoff.claimed_at or held.handoff.asked_at
    return max(last.at, claimed_at) if last else claimed_at


def _unanswered_before(session: Session, held: Claim) -> bool:
    """Has the employee written since the coach last did, before this message?"""
    since = select(CoachMessage.id).where(
        CoachMessage.conversation_id == held.handoff.conversation_id,
        col(CoachMessage.author_id).is_(None),
        col(CoachMessage.at) > _coach_was_here(session, held),
    )
    return len(session.exec(since.limit(2)).all()) > 1


# --- parts -------------------------------------------------------------------------------------------------------


def plain_for_slack(text: str) -> str:
    """A person's words as plain text: the three characters that Slack reads as markup are escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _conversation(session: Session, coach: Person, conversation_id: int) -> Conversation:
    try:
        return conversation_for(session, coach, conversation_id)
    except LookupError:
        raise CantDo("This conversation does not exist any more.") from None


def _check_reason(session: Session, coach: Person, conversation_id: int, now: datetime) -> None:
    if may_open(session, coach, conversation_id, now) is None:
        raise CantDo("Nothing here asks for a coach. Say first why you open it.")


def _end_handoffs(session: Session, conversation_id: int, now: datetime) -> None:
    for handoff in session.exec(
        select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state != "resolved")
    ):
        handoff.state, handoff.resolved_at = "resolved", now


def _language(conversation: Conversation) -> Language:
    return "es" if conversation.language == "es" else "en"


def _tell(session: Session, conversation: Conversation, key: str, words: str, now: datetime) -> list[OutboxItem]:
    payload: dict[str, Any] = {"text": words}
    if conversation.thread_ts:
        payload["thread_ts"] = conversation.thread_ts
    sent = queues.put(session, conversation.workspace, key, conversation.channel, payload, now)
    return [sent] if sent else []
