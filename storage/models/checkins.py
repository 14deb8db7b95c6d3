"""Check-ins: one for each employee and half-year of service, what was prepared, promised, reminded, and what went wrong."""

from datetime import date, datetime

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class Checkin(OfWorkspace, SQLModel, table=True):
    """One career conversation. The row is the intent: its day, the next step and when; moving it is one update.

    States: planned, booked, held, missed, disputed, skipped, paused (a leave), cancelled (left the job).
    """

    __tablename__ = "checkin"
    __table_args__ = (
        UniqueConstraint("person_id", "anchor", "cycle"),
        Index(
            "ix_checkin_due",
            "next_action_at",
            sqlite_where=text("next_action_at IS NOT NULL"),
            postgresql_where=text("next_action_at IS NOT NULL"),
        ),
        Index("ix_checkin_manager", "manager_id", "planned_on"),
        Index("ix_checkin_report", "workspace", "planned_on"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id")
    manager_id: int | None = Field(default=None, foreign_key="person.id")
    anchor: date  # the hire date that the cycles are counted from: another one after a re-hire
    cycle: int  # the half-year of service: 0 is the first after being hired
    planned_on: date
    state: str = "planned"
    step: str | None = None  # the last of bot.domain.checkins.STEPS that was taken
    next_action_at: datetime | None = None  # UTC, worked out from the day, the zone and the shift; None: nothing to do
    version: int = 0  # counts moves, so that a moved check-in is reminded of anew; an invitation's SEQUENCE
    snoozes: int = 0
    snoozed_until: datetime | None = None
    slot_at: datetime | None = None  # the agreed time
    offered: list[str] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False, default=list)
    )  # times suggested, UTC
    offered_by: str = ""  # employee, manager
    employee_said: str = ""  # yes, no: did it take place? Never shown to the other side
    manager_said: str = ""
    settled_at: datetime | None = None  # held, missed, skipped …
    skip_reason: str = ""
    skipped_by: str = ""  # employee, manager


class CheckinLine(SQLModel, table=True):
    """One thing that the employee wants to talk about. Private until `shared`."""

    __tablename__ = "checkin_line"
    __table_args__ = (UniqueConstraint("checkin_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    checkin_id: int = Field(foreign_key="checkin.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    position: int
    topic: str  # one of the policy's topics
    text: str = ""
    shared: bool = False


class CheckinPromise(OfWorkspace, SQLModel, table=True):
    """What one side promised at a check-in, seen by the other side only when `shared`."""

    __tablename__ = "checkin_promise"
    __table_args__ = (
        UniqueConstraint("checkin_id", "person_id"),
        Index(
            "ix_checkin_promise_ask",
            "ask_at",
            sqlite_where=text("ask_at IS NOT NULL"),
            postgresql_where=text("ask_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    checkin_id: int = Field(foreign_key="checkin.id")
    person_id: int = Field(foreign_key="person.id", index=True)  # who promised: the employee or the manager
    text: str
    due_on: date
    shared: bool = False
    ask_at: datetime | None = None  # None: asked already
    outcome: str = ""  # kept, partly, not-yet


class CheckinReminder(SQLModel, table=True):
    """A step that came up, and what became of it: queued, too-late, stopped, not-on-slack, failed."""

    __tablename__ = "checkin_reminder"
    __table_args__ = (UniqueConstraint("checkin_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    checkin_id: int = Field(foreign_key="checkin.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    key: str  # step, version and snoozes
    step: str
    at: datetime
    outcome: str
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)


class CheckinTrouble(SQLModel, table=True):
    """Why a coach should look at a check-in: checkin-disputed, checkin-overdue, not-reached."""

    __tablename__ = "checkin_trouble"
    __table_args__ = (UniqueConstraint("checkin_id", "reason"),)

    id: int | None = Field(default=None, primary_key=True)
    checkin_id: int = Field(foreign_key="checkin.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    reason: str
    at: datetime
    settled_at: datetime | None = None


class ManagerDigest(OfWorkspace, SQLModel, table=True):
    """When a manager gets the next weekly message; one row each, made with their first check-in."""

    __tablename__ = "manager_digest"
    __table_args__ = (
        Index(
            "ix_manager_digest_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )

    manager_id: int = Field(primary_key=True, foreign_key="person.id")
    workspace: str
    next_at: datetime | None
    failed_at: datetime | None = None  # the last one could not be delivered
