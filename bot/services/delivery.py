"""Brings what is in the outbox to Slack: every message once, as far as Slack allows.

A post has three outcomes, not two: sent, refused, or not known. What is not known waits as `doubt`, then the
conversation is read back and searched for the message's key before anything is posted again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy import bindparam, update
from sqlmodel import col

from bot.services.queues import DOUBT_GRACE, MOST_DOUBTS, OUTBOX_LEASE, claim_due, claim_one, settle
from bot.services.watching import note, watched
from storage.database import Sessions
from storage.models import Exchange, OutboxItem

logger = logging.getLogger(__name__)

CLIENT_TIMEOUT = timedelta(seconds=10)
MOST_UNCLEAR = 5  # posts in a row of which nobody knows whether Slack took them: then it is time for a pause

Done = Literal["sent", "unclear", "open"]  # what became of one attempt; open: refused, postponed, or somebody else's


@dataclass(frozen=True)
class Sent:
    """Slack has the message."""

    channel: str
    ts: str


@dataclass(frozen=True)
class NotSent:
    """Slack certainly does not have it: not reached, or rate limited. Try again after `wait`."""

    wait: timedelta
    why: str


@dataclass(frozen=True)
class Refused:
    """Slack will never take it."""

    why: str


@dataclass(frozen=True)
class InDoubt:
    """Slack may have it: a time-out, a broken connection, a server error."""

    why: str


Outcome = Sent | NotSent | Refused | InDoubt
# unknown: Slack did not answer, ask again; unreadable: Slack will never let us read there
Found = Sent | Literal["absent", "unknown", "unreadable"]


class SlackStruggles(Exception):
    """One post after the other is left in doubt. Who calls waits a while: each doubt costs a call to read back."""


class Sender(Protocol):
    """Posts without ever repeating by itself."""

    def post(self, item: OutboxItem) -> Outcome: ...

    def find(self, item: OutboxItem) -> Found:
        """Reads the conversation back and looks for the message's key."""
        ...


class Clock(Protocol):
    def __call__(self) -> datetime: ...


def never() -> bool:
    """The stop condition of what runs to its end."""
    return False


def deliver_one(sessions: Sessions, sender: Sender, item_id: int, clock: Clock) -> bool:
    """Post one message now, if nobody else has it. True when Slack took it."""
    item = claim_one(sessions, item_id, clock())
    return item is not None and _deliver(sessions, sender, item, clock) == "sent"


def deliver_taken(sessions: Sessions, sender: Sender, item: OutboxItem, clock: Clock) -> bool:
    """Post a message that the caller leased while putting it in (`queues.take`). True when Slack took it."""
    return _deliver(sessions, sender, item, clock) == "sent"


def deliver_due(sessions: Sessions, sender: Sender, clock: Clock, stopping: Callable[[], bool] = never) -> int:
    """Post what is due until nothing is, or until `stopping`; returns how many were sent. Any number of processes may
    run this. Raises SlackStruggles when it is better to wait."""
    sent = unclear = 0
    while not stopping() and unclear < MOST_UNCLEAR and (items := claim_due(sessions, clock())):
        with watched("drain", level=logging.DEBUG):
            note(messages=len(items))
            for item in items:
                if stopping() or unclear >= MOST_UNCLEAR:
                    _leave_to_others(sessions, item, clock())
                    continue
                done = _deliver(sessions, sender, item, clock)
                sent += done == "sent"
                unclear = unclear + 1 if done == "unclear" else 0
    if unclear >= MOST_UNCLEAR:
        raise SlackStruggles(f"{unclear} messages in a row are in doubt")
    return sent


def _leave_to_others(sessions: Sessions, item: OutboxItem, now: datetime) -> None:
    """Claimed, and certainly not posted: due again at once, so that nobody has to wait for the lease to run out."""
    state = "ready" if item.state == "sending" else item.state
    settle(sessions, item, state=state, due_at=now, lease_until=None)


@watched("send")
def _deliver(sessions: Sessions, sender: Sender, item: OutboxItem, clock: Clock) -> Done:
    done = _post_or_read_back(sessions, sender, item, clock)
    note(outbox=item.id, exchange=item.exchange_id, done=done)
    return done


def _post_or_read_back(sessions: Sessions, sender: Sender, item: OutboxItem, clock: Clock) -> Done:
    if item.state == "doubt":
        return _resolve_doubt(sessions, sender, item, clock)
    if item.lease_until and clock() > item.lease_until - CLIENT_TIMEOUT:
        return "open"  # too little of the lease is left: posting now could overlap with the next holder
    outcome = sender.post(item)
    now = clock()
    match outcome:
        case Sent():
            return _sent(sessions, item, outcome, now)
        case NotSent(wait, why):
            settle(sessions, item, state="ready", due_at=now + wait, lease_until=None, error=why)
        case Refused(why):
            logger.error("outbox %s refused: %s", item.id, why)
            settle(sessions, item, state="dead", due_at=None, lease_until=None, error=why)
        case InDoubt(why):
            doubts = item.doubts + 1
            settle(sessions, item, state="doubt", due_at=now + DOUBT_GRACE, lease_until=None, doubts=doubts, error=why)
            return "unclear"
    return "open"


def _resolve_doubt(sessions: Sessions, sender: Sender, item: OutboxItem, clock: Clock) -> Done:
    found = sender.find(item)
    now = clock()
    if isinstance(found, Sent):
        return _sent(sessions, item, found, now)
    if found == "unknown":
        settle(sessions, item, due_at=now + DOUBT_GRACE, lease_until=None)
        return "unclear"
    if found == "unreadable":
        logger.error("outbox %s given up: in doubt, and its conversation can't be read", item.id)
        settle(sessions, item, state="dead", due_at=None, lease_until=None, error="in doubt, and can't be read back")
    elif item.doubts >= MOST_DOUBTS:
        logger.error("outbox %s given up after %s doubts", item.id, item.doubts)
        settle(sessions, item, state="dead", due_at=None, lease_until=None, error="in doubt too often")
    else:
        settle(sessions, item, state="ready", due_at=now, lease_until=None)
    return "open"


# Built once: every reply ends with them.
_TAKEN = (
    update(OutboxItem)
    .where(col(OutboxItem.id) == bindparam("item"), col(OutboxItem.token) == bindparam("held"))
    .values(state="sent", due_at=None, lease_until=None, error="")
)
_REPLIED = update(Exchange).where(col(Exchange.id) == bindparam("exchange"))


def _sent(sessions: Sessions, item: OutboxItem, sent: Sent, now: datetime) -> Done:
    values = {"sent_at": now, "sent_ts": sent.ts, "sent_channel": sent.channel}
    with sessions() as session:
        mine = {"item": item.id, "held": item.token}
        if session.connection().execute(_TAKEN, mine | values).rowcount != 1:
            return "open"
        if item.exchange_id:
            session.connection().execute(_REPLIED, {"exchange": item.exchange_id, "reply_ts": sent.ts})
        session.commit()
    return "sent"


__all__ = [
    "OUTBOX_LEASE",
    "Found",
    "InDoubt",
    "NotSent",
    "Outcome",
    "Refused",
    "Sender",
    "Sent",
    "SlackStruggles",
    "deliver_due",
    "deliver_one",
    "deliver_taken",
]
