"""What was asked and answered, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class Conversation(OfWorkspace, SQLModel, table=True):
    """Exchanges of one employee in one thread; in the open messages tab a new one begins after a long silence."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_place", "workspace", "channel", "thread_ts", "last_at"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    channel: str
    thread_ts: str = ""  # "" in the open messages tab
    started_at: datetime
    last_at: datetime = Field(index=True)
    language: str = "en"
    dialogue: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Exchange(OfWorkspace, SQLModel, table=True):
    """One question and its reply. The question is redacted; for safety messages it is empty and only the card tells."""

    __tablename__ = "exchange"
    __table_args__ = (UniqueConstraint("workspace", "inbox_key"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    conversation_id: int = Field(foreign_key="conversation.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    inbox_key: str
    asked_at: datetime = Field(index=True)
    question: str
    question_ts: str = Field(default="", index=True)  # Slack's id of the employee's message; "" for a button
    question_deleted_at: datetime | None = None
    language: str
    outcome: str = Field(index=True)  # answer, clarify, abstain, handoff
    cards: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    confidence: float
    reply_text: str
    reply_blocks: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    reply_ts: str = Field(default="", index=True)  # filled when Slack has taken the reply
    content_revision: str


class QuestionEdit(SQLModel, table=True):
    """A later wording of a question, redacted like the first."""

    __tablename__ = "question_edit"

    id: int | None = Field(default=None, primary_key=True)
    exchange_id: int = Field(foreign_key="exchange.id", index=True)
    edited_at: datetime
    question: str


class Feedback(SQLModel, table=True):
    """Thumbs up or down on an exchange; down may carry a reason from the closed list in content/."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("exchange_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    exchange_id: int = Field(foreign_key="exchange.id", index=True)
    person_id: int = Field(foreign_key="person.id")
    given_at: datetime
    helpful: bool
    reason: str = ""


class Handoff(OfWorkspace, SQLModel, table=True):
    """A person takes over. Waits until a coach claims it; is never forgotten."""

    __tablename__ = "handoff"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    conversation_id: int | None = Field(default=None, foreign_key="conversation.id", index=True)
    exchange_id: int | None = Field(default=None, foreign_key="exchange.id")
    reason: str  # asked, or the id of the safety card
    urgent: bool = False
    state: str = Field(default="waiting", index=True)  # waiting, claimed, resolved
    asked_at: datetime
    claimed_by: int | None = Field(default=None, foreign_key="person.id")
    claimed_at: datetime | None = None
    resolved_at: datetime | None = None
