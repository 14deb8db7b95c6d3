"""What coaches add: attention, messages of their own, notes, labels, reviews. Employees' words live elsewhere."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class Attention(OfWorkspace, SQLModel, table=True):
    """Where a conversation stands in the coaches' inbox: one row each, written when something happens in it.

    `level` and `turn` together are the order of the list (both ascending), so that a page of it is one index range.
    """

    __tablename__ = "attention"
    __table_args__ = (
        Index("ix_attention_order", "workspace", "level", "turn", "conversation_id"),
        Index("ix_attention_latest", "workspace", "last_at", "conversation_id"),
    )

    conversation_id: int = Field(primary_key=True, foreign_key="conversation.id")
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    reason: str = ""  # a key of bot.domain.attention.LEVELS; "": nothing to do
    level: int
    turn: float
    since: datetime  # when the reason arose
    last_at: datetime  # the latest exchange or message
    handled_at: datetime | None = None  # what happened before is dealt with
    snoozed_until: datetime | None = None
    assigned_to: int | None = Field(default=None, foreign_key="person.id", index=True)
    language: str = "en"
    site: str = ""
    topic: str = ""  # the kind of the latest card, e.g. "tuition"


class CoachMessage(OfWorkspace, SQLModel, table=True):
    """A message between a coach and an employee while the coach has stepped in. Redacted like every other."""

    __tablename__ = "coach_message"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    conversation_id: int = Field(foreign_key="conversation.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)  # the employee
    author_id: int | None = Field(default=None, foreign_key="person.id")  # the coach; None: the employee wrote it
    at: datetime
    text: str
    slack_ts: str = Field(default="", index=True)  # of the employee's message
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id")  # of the coach's: tells whether it arrived


class Note(OfWorkspace, SQLModel, table=True):
    """What coaches tell each other about a person or a message. Never read by anything that writes to employees."""

    __tablename__ = "note"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    exchange_id: int | None = Field(default=None, foreign_key="exchange.id")
    author_id: int = Field(foreign_key="person.id")
    at: datetime
    text: str


class Label(OfWorkspace, SQLModel, table=True):
    """A word to find a person or a message again."""

    __tablename__ = "label"
    __table_args__ = (Index("ix_label_name", "workspace", "name", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    name: str
    person_id: int = Field(foreign_key="person.id", index=True)
    exchange_id: int | None = Field(default=None, foreign_key="exchange.id")
    added_by: int = Field(foreign_key="person.id")
    at: datetime


class Review(OfWorkspace, SQLModel, table=True):
    """A coach's verdict on an exchange. Open until the bot answers `question` as `right_card` says."""

    __tablename__ = "review"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    exchange_id: int | None = Field(default=None, foreign_key="exchange.id", index=True)  # None once it was erased
    reviewer_id: int = Field(foreign_key="person.id")
    at: datetime
    verdict: str  # right, wrong-card, outdated, missing, unclear
    given_card: str = ""  # what was answered
    right_card: str = ""  # a card id, "abstains" or "handoff"; "" where there is no card yet
    question: str = ""  # in the coach's own words
    language: str = "en"
    comment: str = ""
    state: str = Field(default="open", index=True)  # open, closed
    closed_at: datetime | None = None
    closed_by_revision: str = ""  # the content revision that answered rightly


class SavedReply(OfWorkspace, SQLModel, table=True):
    """Words that coaches use again. `{{ first_name }}` is filled in when it is chosen."""

    __tablename__ = "saved_reply"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str = Field(index=True)
    title: str
    language: str = "en"
    text: str
    added_by: int = Field(foreign_key="person.id")


class SavedFilter(OfWorkspace, SQLModel, table=True):
    """A view of the inbox that one coach has kept."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    owner_id: int = Field(foreign_key="person.id")
    name: str
    query: str  # the query string of the inbox page


class Tally(OfWorkspace, SQLModel, table=True):
    """What is left of erased exchanges: counts without names."""

    __tablename__ = "tally"
    __table_args__ = (UniqueConstraint("workspace", "week", "outcome", "card", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    week: date  # its Monday
    outcome: str
    card: str
    language: str
    count: int = 0
