"""Brings what is in the outbox to Slack: every message once, as far as Slack allows.

A post has three outcomes, not two: sent, refused, or not known. What is not known waits as `doubt`, then the
conversation is read back and searched for the message's key before anything is posted again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlmodel import Session

from bot.services.queues import DOUBT_GRACE, MOST_DOUBTS, OUTBOX_LEASE, claim_due, claim_one, settle
from storage.database import Sessions
from storage.models import Exchange, OutboxItem

logger = logging.getLogger(__name__)

CLIENT_TIMEOUT = timedelta(seconds=10)


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


class Sender(Protocol):
    """Posts without ever repeating by itself."""

    def post(self, item: OutboxItem) -> Outcome: ...

    def find(self, item: OutboxItem) -> Sent | Literal["absent", "unknown"]:
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
    return item is not None and _deliver(sessions, sender, item, clock)


def deliver_due(sessions: Sessions, sender: Sender, clock: Clock, stopping: Callable[[], bool] = never) -> int:
    """Post what is due until nothing is, or until `stopping`; returns how many were sent. Any number of processes may
    run this."""
    sent = 0
    while not stopping() and (items := claim_due(sessions, clock())):
        for item in items:
            if stopping():
                _leave_to_others(sessions, item, clock())
            else:
                sent += _deliver(sessions, sender, item, clock)
    return sent


def _leave_to_others(sessions: Sessions, item: OutboxItem, now: datetime) -> None:
    """Claimed, and certainly not posted: due again at once, so that nobody has to wait for the lease to run out."""
    state = "ready" if item.state == "sending" else item.state
    settle(sessions, item, state=state, due_at=now, lease_until=None)


def _deliver(sessions: Sessions, sender: Sender, item: OutboxItem, clock: Clock) -> bool:
    if item.state == "doubt":
        return _resolve_doubt(sessions, sender, item, clock)
    if item.lease_until and clock() > item.lease_until - CLIENT_TIMEOUT:
        return False  # too little of the lease is left: posting now could overlap with the next holder
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
    return False


def _resolve_doubt(sessions: Sessions, sender: Sender, item: OutboxItem, clock: Clock) -> bool:
    found = sender.find(item)
    now = clock()
    if isinstance(found, Sent):
        return _sent(sessions, item, found, now)
    if found == "unknown":
        settle(sessions, item, due_at=now + DOUBT_GRACE, lease_until=None)
    elif item.doubts >= MOST_DOUBTS:
        logger.error("outbox %s given up after %s doubts", item.id, item.doubts)
        settle(sessions, item, state="dead", due_at=None, lease_until=None, error="in doubt too often")
    else:
        settle(sessions, item, state="ready", due_at=now, lease_until=None)
    return False


def _sent(sessions: Sessions, item: OutboxItem, sent: Sent, now: datetime) -> bool:
    values = {"state": "sent", "due_at": None, "lease_until": None, "sent_at": now, "sent_ts": sent.ts}
    if not settle(sessions, item, sent_channel=sent.channel, error="", **values):
        return False
    if item.exchange_id:
        with sessions() as session:
            _stamp(session, item.exchange_id, sent.ts)
            session.commit()
    return True


def _stamp(session: Session, exchange_id: int, ts: str) -> None:
    exchange = session.get(Exchange, exchange_id)
    if exchange:
        exchange.reply_ts = ts


__all__ = ["OUTBOX_LEASE", "InDoubt", "NotSent", "Outcome", "Refused", "Sender", "Sent", "deliver_due", "deliver_one"]
