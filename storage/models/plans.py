"""What employees tell about themselves, their goals and steps, their interest in programs. Theirs alone until shared."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class Told(OfWorkspace, SQLModel, table=True):
    """One thing that an employee told about themselves; the roster is never changed by it.

    kind → value: education → a level; credential, not-credential → an id; language → a code; experience → unpaid,
    military or abroad; experience-words → "", with the words as `detail`; workdays → "mon,wed"; weekend-from → a date; tuition-used → a year, with dollars as `detail`;
    reminders → before, weekly or off.
    """

    __tablename__ = "told"
    __table_args__ = (UniqueConstraint("person_id", "kind", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    kind: str
    value: str
    detail: str = ""
    at: datetime


class Goal(OfWorkspace, SQLModel, table=True):
    """A role or a program that somebody is on the way to. Several at a time are fine."""

    __tablename__ = "goal"
    __table_args__ = (UniqueConstraint("person_id", "card"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    card: str  # roles/… or programs/…
    chosen_at: datetime
    state: str = "open"  # open, reached, dropped
    shared: bool = False  # may the manager see that this is a goal?


class PlanStep(OfWorkspace, SQLModel, table=True):
    """One line of a plan. Its words are made from `kind` and `ref` when it is shown, in the reader's language."""

    __tablename__ = "plan_step"
    __table_args__ = (
        UniqueConstraint("goal_id", "kind", "ref"),
        Index(
            "ix_plan_step_remind",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    goal_id: int = Field(foreign_key="goal.id", index=True)
    position: int
    kind: str  # first-action, support, apply, class, exam, rung: see bot.domain.plans
    ref: str
    due: date
    state: str = "todo"  # todo, done, dropped
    reason: str = ""  # why it is not for me: a key of a closed list
    snoozed_until: date | None = None
    done_at: datetime | None = None
    remind_at: datetime | None = None
    shared: bool = False


class Interest(OfWorkspace, SQLModel, table=True):
    """Somebody's way into a group of a program. `place` is the place on the wait list, 0 when there is a seat."""

    __tablename__ = "interest"
    __table_args__ = (
        UniqueConstraint("person_id", "program", "cohort"),
        Index("ix_interest_program", "workspace", "program", "cohort", "stage"),
        Index(
            "ix_interest_remind",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    program: str
    cohort: str = ""  # "": the next group, when none is open
    stage: str = "interested"  # interested, waiting, applied, accepted, enrolled, completed, placed, withdrawn
    since: datetime
    remind_at: datetime | None = None


class InterestChange(OfWorkspace, SQLModel, table=True):
    """Each stage somebody went through, and who moved them on."""

    __tablename__ = "interest_change"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    interest_id: int = Field(foreign_key="interest.id", index=True)
    stage: str
    at: datetime
    by_id: int | None = Field(default=None, foreign_key="person.id")  # None: the employee


class SupportOffer(OfWorkspace, SQLModel, table=True):
    """A support that was offered with a step, and whether it worked. What fails often is a sign for the content owner."""

    __tablename__ = "support_offer"
    __table_args__ = (
        UniqueConstraint("person_id", "support"),
        Index("ix_support_offer_outcome", "workspace", "support", "outcome"),
        Index(
            "ix_support_offer_ask",
            "ask_at",
            sqlite_where=text("ask_at IS NOT NULL"),
            postgresql_where=text("ask_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    support: str
    program: str
    offered_at: datetime
    ask_at: datetime | None = None  # None: asked already
    outcome: str = ""  # worked, partly, failed, not-used


class ClassRequest(OfWorkspace, SQLModel, table=True):
    """What an employee sent to the manager about class time, word for word as they confirmed it."""

    __tablename__ = "class_request"

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    person_id: int = Field(foreign_key="person.id", index=True)
    manager_id: int = Field(foreign_key="person.id", index=True)
    program: str
    cohort: str
    text: str
    sent_at: datetime
