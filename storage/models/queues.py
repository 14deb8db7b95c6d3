"""Durable tables for what comes in and what must go out."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class InboxItem(OfWorkspace, SQLModel, table=True):
    """Something that Slack sent, kept before it is acknowledged. Words are redacted, and removed once it is done."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("workspace", "key"),
        Index(
            "ix_inbox_open",
            "conversation",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    key: str  # the event's id: a repeat is the same row
    conversation: str  # what must be handled in order: channel and thread
    kind: str  # message, edit, delete, click, command, ...
    body: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    received_at: datetime
    lease_until: datetime | None = None
    attempts: int = 0
    done_at: datetime | None = None
    error: str = ""


class OutboxItem(OfWorkspace, SQLModel, table=True):
    """A message that must reach Slack once. States: ready, sending, doubt, sent, dead, expired.

    `due_at` is empty once the state is final, so that the index of what is open stays small
    (SQLite does not use a partial index on `state` with bound parameters).
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("workspace", "key"),
        Index(
            "ix_outbox_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_outbox_channel_open",
            "channel",
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_outbox_dead", "id", sqlite_where=text("state = 'dead'"), postgresql_where=text("state = 'dead'")),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    key: str  # travels in the message's metadata, so that a message in doubt can be found again
    channel: str  # a channel id, or a user id for a direct message
    payload: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime
    due_at: datetime | None
    not_after: datetime | None = None  # too late to be of use: recorded as expired, not sent
    good_until: datetime | None = None  # later than this it would disturb: it waits until `good_again_at`
    good_again_at: datetime | None = None
    state: str = "ready"
    token: int = 0  # fencing: only the holder of the newest may post or settle
    lease_until: datetime | None = None
    attempts: int = 0
    doubts: int = 0
    sent_at: datetime | None = None
    sent_ts: str = ""
    sent_channel: str = ""
    error: str = ""
    exchange_id: int | None = Field(default=None, foreign_key="exchange.id", index=True)
