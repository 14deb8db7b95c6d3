"""A workspace has removed the app: nothing is sent there any more, not even later."""

from datetime import datetime

from sqlmodel import col, select

from storage.database import Sessions
from storage.models import InboxItem, OutboxItem


def workspace_left(sessions: Sessions, workspace: str, now: datetime) -> int:
    """Messages that wait are given up, questions that wait are closed without their words; returns how many messages.

    Should the app be installed again, it begins with what is new: nobody wants last month's reminders.
    """
    with sessions() as session:
        waiting = select(OutboxItem).where(OutboxItem.workspace == workspace, col(OutboxItem.due_at).is_not(None))
        messages = session.exec(waiting.with_for_update()).all()
        for message in messages:
            message.state, message.due_at, message.lease_until, message.error = "expired", None, None, "uninstalled"
            message.token += 1  # who is posting one right now may no longer say what became of it
        asked = select(InboxItem).where(InboxItem.workspace == workspace, col(InboxItem.done_at).is_(None))
        for question in session.exec(asked.with_for_update()):
            question.done_at, question.body, question.lease_until, question.error = now, {}, None, "uninstalled"
        session.commit()
        return len(messages)
