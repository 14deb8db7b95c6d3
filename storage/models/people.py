"""People of the roster."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class Person(OfWorkspace, SQLModel, table=True):
    """One employee, as the roster has them. Race, birth date or citizenship have no column on purpose."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("workspace", "employee_id"),
        Index("ix_person_slack", "workspace", "slack_id"),
        Index("ix_person_email", "workspace", "email"),
        Index(
            "ix_person_plan_checkin",
            "plan_checkin_on",
            sqlite_where=text("plan_checkin_on IS NOT NULL"),
            postgresql_where=text("plan_checkin_on IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str  # Slack team id
    employee_id: str
    email: str | None = None  # many frontline workers have none
    slack_id: str | None = None
    first_name: str
    last_name: str = ""
    role: str | None = None  # role slug, where the job title is known
    job_title: str = ""
    site: str | None = None  # site id
    unit: str = ""
    hours_per_week: float | None = None
    shift: str | None = None  # days, evenings, nights, rotating
    hired_on: date | None = None
    in_role_since: date | None = None
    good_standing: bool | None = None  # None: the roster does not say
    language: str | None = None  # en or es, where the person or the roster said so
    zone: str | None = None  # IANA
    manager_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    access: str = ""  # "", coach, lead, content-owner, hr
    status: str = "active"  # active, leave, terminated
    plan_checkin_on: date | None = None  # when the next check-in gets its day; None: no hire date, no manager or left
    on_slack: bool = True  # False once Slack says the account is deactivated
    sessions_ended: int = 0  # how often all sessions of the console were ended: a cookie from before opens nothing
    created_at: datetime
    updated_at: datetime
