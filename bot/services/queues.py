"""Inbox and outbox: claims with a lease and a fencing token. The rules are explained in docs/delivery.md."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from storage.database import Sessions
from storage.models import InboxItem, OutboxItem
from storage.queries import insert_row, one_after_the_other

INBOX_LEASE = timedelta(seconds=30)
ENOUGH_LEFT = timedelta(seconds=15)  # of an inbox lease, to begin the work: Slack may let us wait for 10 s meanwhile
OUTBOX_LEASE = timedelta(seconds=30)  # longer than the client's time-out for one post (10 s)
DOUBT_GRACE = timedelta(seconds=60)  # how late Slack may still apply a post whose answer we did not see
POSTPONED = timedelta(seconds=10)
MOST_DOUBTS = 8  # each was read back as absent before: only a history that hides messages could make copies
MOST_ATTEMPTS = 5
CLOCKS_DIFFER = timedelta(minutes=5)  # more than the clocks of our machines ever differ


# --- inbox -------------------------------------------------------------------------------------------------------


_OPEN = select(func.min(InboxItem.id)).where(
    InboxItem.conversation == bindparam("conversation"), col(InboxItem.done_at).is_(None)
)
# Only the oldest that is open may be leased: that keeps a conversation in order, whoever works on it.
_OLDEST = select(InboxItem).where(InboxItem.id == _OPEN.scalar_subquery()).with_for_update()


def receive(
    sessions: Sessions, workspace: str, key: str, conversation: str, kind: str, body: dict[str, Any], now: datetime
) -> InboxItem | None:
    """Keep what Slack sent, before it is acknowledged. The item is leased to the caller, who works on it next.

    None when it is here already (Slack sends some things twice), or when older ones are open in its conversation: who is at
    work on those takes this one next (`go_on`).
    """
    with sessions() as session:
        one_after_the_other(session, conversation)
        item = InboxItem(workspace=workspace, key=key, conversation=conversation, kind=kind, body=body, received_at=now)
        if session.exec(_OPEN, params={"conversation": conversation}).one() is None:
            _lend(item, now)
        try:
            insert_row(session, item)
            session.commit()
        except IntegrityError:
            return None
    return item if item.lease_until else None


def claim_next(sessions: Sessions, conversation: str, now: datetime) -> InboxItem | None:
    """The oldest open item of a conversation, leased; None when there is none or somebody is at work on it."""
    with sessions() as session:
        item = session.exec(_OLDEST, params={"conversation": conversation}).first()
        if item is None or item.done_at is not None or (item.lease_until and item.lease_until > now):
            return None
        _lend(item, now)
        session.commit()
        return item


def _lend(item: InboxItem, now: datetime) -> None:
    item.lease_until = now + INBOX_LEASE
    item.attempts += 1


def lease_lasts(sessions: Sessions, item: InboxItem, now: datetime) -> bool:
    """Is the item still the caller's, for long enough to work on it? A lease that is nearly over is made longer; False when
    somebody else has taken the item over."""
    if item.lease_until and now <= item.lease_until - ENOUGH_LEFT:
        return True
    mine = update(InboxItem).where(
        col(InboxItem.id) == item.id, col(InboxItem.attempts) == item.attempts, col(InboxItem.done_at).is_(None)
    )
    with sessions() as session:
        kept = session.connection().execute(mine.values(lease_until=now + INBOX_LEASE)).rowcount == 1
        session.commit()
        return kept


_FINISHED = update(InboxItem).where(col(InboxItem.id) == bindparam("item")).values(body={}, lease_until=None)


def finish(session: Session, item: InboxItem, now: datetime, error: str = "") -> None:
    """In the transaction of the work itself: done, and the words removed."""
    session.connection().execute(_FINISHED, {"item": item.id, "done_at": now, "error": error})


def go_on(session: Session, item: InboxItem, now: datetime) -> InboxItem | None:
    """After `finish`, last in its transaction: what waits next in the same conversation, leased to the caller.

    Together with `receive` this leaves no gap: a message comes either before this look, or finds the conversation idle.
    """
    one_after_the_other(session, item.conversation)
    following = session.exec(_OLDEST, params={"conversation": item.conversation}).first()
    if following:
        _lend(following, now)
    return following


def give_back(sessions: Sessions, item: InboxItem, error: str, now: datetime) -> bool:
    """Work on it failed: try again soon. True when that was the fifth time: it must be given up."""
    with sessions() as session:
        kept = session.get(InboxItem, item.id)
        if kept is None or kept.done_at is not None:
            return False
        kept.error = error
        kept.lease_until = now + timedelta(seconds=2 * kept.attempts)
        session.commit()
        return kept.attempts >= MOST_ATTEMPTS


def postpone(sessions: Sessions, item: InboxItem, now: datetime, pause: timedelta = POSTPONED) -> None:
    """It can't be worked on now, through no fault of its own: later again, and it does not count as a try."""
    with sessions() as session:
        kept = session.get(InboxItem, item.id)
        if kept is not None and kept.done_at is None:
            kept.attempts, kept.lease_until = kept.attempts - 1, now + pause
            session.commit()


def open_conversations(sessions: Sessions, now: datetime) -> Sequence[str]:
    """Conversations with something left behind by a crash or a failure."""
    with sessions() as session:
        waiting = select(InboxItem.conversation).where(
            col(InboxItem.done_at).is_(None),
            (col(InboxItem.lease_until).is_(None)) | (col(InboxItem.lease_until) <= now),
        )
        return session.exec(waiting.distinct()).all()


# --- outbox ------------------------------------------------------------------------------------------------------


def put(
    session: Session,
    workspace: str,
    key: str,
    channel: str,
    payload: dict[str, Any],
    now: datetime,
    *,
    due_at: datetime | None = None,
    not_after: datetime | None = None,
    good_until: datetime | None = None,
    good_again_at: datetime | None = None,
    exchange_id: int | None = None,
) -> OutboxItem | None:
    """A message that must go out, in the caller's transaction. None when this key is there already."""
    known = session.exec(select(OutboxItem.id).where(OutboxItem.workspace == workspace, OutboxItem.key == key)).first()
    if known is not None:
        return None
    item = OutboxItem(
        workspace=workspace,
        key=key,
        channel=channel,
        payload=payload,
        created_at=now,
        due_at=due_at or now,
        not_after=not_after,
        good_until=good_until,
        good_again_at=good_again_at,
        exchange_id=exchange_id,
    )
    session.add(item)
    session.flush()
    return item


def put_reply(
    session: Session, item: InboxItem, channel: str, payload: dict[str, Any], now: datetime, exchange_id: int
) -> OutboxItem:
    """The reply to an inbox item, in the transaction that finishes it, leased to the caller (`take`). That it is the only
    one, its key sees to: the transaction fails when somebody else has answered before."""
    key = f"reply:{item.key}"
    reply = OutboxItem(
        workspace=item.workspace,
        key=key,
        channel=channel,
        payload=payload,
        created_at=now,
        due_at=now,
        exchange_id=exchange_id,
    )
    return insert_row(session, take(reply, now))


def claim_due(sessions: Sessions, now: datetime, limit: int = 5) -> list[OutboxItem]:
    """Due messages, leased to the caller with a new token. The attempt is committed before anything is posted.

    A row found in `sending` has a lost lease: whether it was posted is not known, so it comes as `doubt`.
    A message waits while an older one to the same channel is still open.
    """
    with sessions() as session:
        older = select(func.min(OutboxItem.id)).where(col(OutboxItem.due_at).is_not(None)).group_by(OutboxItem.channel)
        due = (
            select(OutboxItem)
            .where(col(OutboxItem.due_at).is_not(None), col(OutboxItem.due_at) <= now, col(OutboxItem.id).in_(older))
            .order_by(col(OutboxItem.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return _lease(session, list(session.exec(due).all()), now)


def take(item: OutboxItem, now: datetime) -> OutboxItem:
    """Lease a message that was just put in, before its transaction is committed: who does this posts it at once."""
    item.state, item.attempts, item.token = "sending", 1, 1
    item.lease_until = item.due_at = now + OUTBOX_LEASE
    return item


def claim_one(sessions: Sessions, item_id: int, now: datetime) -> OutboxItem | None:
    """One message by its id, when it is due and nobody else has it."""
    with sessions() as session:
        due = select(OutboxItem).where(
            OutboxItem.id == item_id, col(OutboxItem.due_at).is_not(None), col(OutboxItem.due_at) <= now
        )
        claimed = _lease(session, list(session.exec(due.with_for_update(skip_locked=True)).all()), now)
        return claimed[0] if claimed else None


def _lease(session: Session, items: list[OutboxItem], now: datetime) -> list[OutboxItem]:
    for item in items:
        if item.state == "sending":
            item.state = "doubt"
            item.doubts += 1
            item.due_at = now + DOUBT_GRACE
        elif item.not_after and item.not_after < now and item.state == "ready":
            item.state, item.due_at = "expired", None
        elif item.good_until and item.good_until < now and item.state == "ready":
            item.due_at, item.good_until, item.lease_until = item.good_again_at or now, None, None
        else:
            if item.state == "ready":
                item.state = "sending"
                item.attempts += 1
            item.token += 1
            item.lease_until = item.due_at = now + OUTBOX_LEASE
    session.commit()
    return [item for item in items if item.lease_until and item.due_at == item.lease_until]


def settle(sessions: Sessions, item: OutboxItem, **values: Any) -> bool:
    """Write the outcome, only as holder of the newest token. False when somebody else has taken over."""
    mine = update(OutboxItem).where(col(OutboxItem.id) == item.id, col(OutboxItem.token) == item.token)
    with sessions() as session:
        done = session.connection().execute(mine.values(**values)).rowcount == 1
        session.commit()
        return done


# --- both --------------------------------------------------------------------------------------------------------


def mend_times(sessions: Sessions, now: datetime) -> None:
    """After our clock was put back: what the fast clock had leased or put in would wait until its time comes again."""
    future = now + CLOCKS_DIFFER
    leased = update(InboxItem).where(col(InboxItem.done_at).is_(None), col(InboxItem.lease_until) > future + INBOX_LEASE)
    being_sent = update(OutboxItem).where(
        col(OutboxItem.due_at) > future + DOUBT_GRACE, col(OutboxItem.state).in_(("sending", "doubt"))
    )
    put_in = update(OutboxItem).where(col(OutboxItem.due_at) > future, OutboxItem.due_at == OutboxItem.created_at)
    with sessions() as session:
        session.connection().execute(leased.values(lease_until=now))
        session.connection().execute(being_sent.values(due_at=now))
        session.connection().execute(put_in.values(due_at=now))
        session.commit()
