"""How much waits in the database right now, and for how long: what probes, metrics and the doctor look at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, literal_column
from sqlmodel import Session, col, select

from storage.models import Handoff, InboxItem, OutboxItem

# Why Slack did not take a message for good, in a closed list: what Slack says is free text and never becomes a label.
CAUSES = {
    "recipient": ("channel_not_found", "user_not_found", "user_disabled", "is_archived", "not_in_channel", "cannot_dm_bot"),
    "token": ("invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed", "missing_scope"),
    "message": (
        "invalid_blocks",
        "invalid_arguments",
        "msg_too_long",
        "no_text",
        "msg_blocks_too_long",
        "invalid_metadata_format",
    ),
    "in_doubt": ("in doubt too often", "in doubt, and can't be read back"),
}
OTHER = "other"
OPEN_STATES = ("ready", "sending", "doubt")


@dataclass(frozen=True)
class Figures:
    """Lags and waits in seconds; 0 when nothing waits.

    `outbox_lag` tells how long a message has been due. Each try moves that moment on, so messages that were tried
    before and are still not out are counted by themselves, with the age of the oldest.
    """

    inbox_open: int
    inbox_lag: float
    outbox_open: dict[str, int]
    outbox_lag: float
    outbox_tried: int
    outbox_oldest_tried: float
    outbox_failed: dict[str, int]
    handoffs_open: dict[str, int]
    handoff_longest_wait: float


def figures(session: Session, now: datetime) -> Figures:
    """Each figure is one look into a small index; none grows with what is done already."""
    free = col(InboxItem.lease_until).is_(None) | (col(InboxItem.lease_until) <= now)
    undone, unsent = col(InboxItem.done_at).is_(None), col(OutboxItem.due_at).is_not(None)
    inbox_open = session.exec(select(func.count()).where(undone)).one()
    oldest_in = session.exec(select(func.min(InboxItem.received_at)).where(undone, free)).one()
    states = session.exec(select(OutboxItem.state, func.count()).where(unsent).group_by(OutboxItem.state)).all()
    oldest_due = session.exec(select(func.min(OutboxItem.due_at)).where(unsent, col(OutboxItem.due_at) <= now)).one()
    tried = (unsent, OutboxItem.attempts > 0, col(OutboxItem.state).in_(("ready", "doubt")))
    tried_count, oldest_tried = session.exec(select(func.count(), func.min(OutboxItem.created_at)).where(*tried)).one()
    waiting = select(Handoff.state, func.count()).where(col(Handoff.state).in_(("waiting", "claimed")))
    oldest_handoff = session.exec(select(func.min(Handoff.asked_at)).where(Handoff.state == "waiting")).one()
    return Figures(
        inbox_open=inbox_open,
        inbox_lag=_seconds(oldest_in, now),
        outbox_open=dict.fromkeys(OPEN_STATES, 0) | dict(states),
        outbox_lag=_seconds(oldest_due, now),
        outbox_tried=tried_count,
        outbox_oldest_tried=_seconds(oldest_tried, now),
        outbox_failed=_failed(session),
        handoffs_open={"waiting": 0, "claimed": 0} | dict(session.exec(waiting.group_by(Handoff.state)).all()),
        handoff_longest_wait=_seconds(oldest_handoff, now),
    )


def _failed(session: Session) -> dict[str, int]:
    """`state = 'dead'` stands as a literal so that SQLite uses its small index."""
    dead = select(OutboxItem.error, func.count()).where(literal_column("outbox.state = 'dead'")).group_by(OutboxItem.error)
    return count_causes(session.exec(dead).all())


def count_causes(errors: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Counts by cause; every cause is there, with 0 when nothing failed for it."""
    counts = dict.fromkeys((*CAUSES, OTHER), 0)
    for error, number in errors:
        counts[next((cause for cause, names in CAUSES.items() if error in names), OTHER)] += number
    return counts


def _seconds(since: datetime | None, now: datetime) -> float:
    """An aggregate loses the column's type: SQLite then gives the moment without its zone."""
    if since is None:
        return 0.0
    return max(0.0, (now - (since if since.tzinfo else since.replace(tzinfo=UTC))).total_seconds())
