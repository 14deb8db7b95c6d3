"""Training programs, their cohorts and who may join, as data."""

from datetime import date, time
from typing import Literal

from pydantic import Field

from bot.domain.cards import Content, Reviewed, Text, Utterances
from bot.domain.roles import Education, Family

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Session(Content):
    """A weekly class or lab, in the employer's local time."""

    day: Weekday
    start: time
    end: time


class Cohort(Content):
    id: str
    starts: date
    ends: date
    apply_by: date
    seats: int
    place: Text
    sessions: tuple[Session, ...] = ()  # empty: on your own time
    language: Literal["en", "es", "both"] = "en"


class Eligibility(Content):
    """Each rule that is set becomes one criterion shown as met, not met or unknown."""

    hours_per_week_min: int | None = None
    tenure_months_min: int | None = None
    good_standing: bool = False  # no written warning in the last 12 months
    families: tuple[Family, ...] = ()  # only people in these role families
    roles: tuple[str, ...] = ()  # only people in these roles
    sites: tuple[str, ...] = ()
    education_min: Education | None = None
    credentials: tuple[str, ...] = ()  # must hold
    languages: tuple[str, ...] = ()  # must speak, besides English
    manager_approval: bool = False
    way_round: Text | None = None  # the nearest way for someone who is told no (e.g. a part-timer)


class ServiceCommitment(Content):
    months: int
    prorated: bool
    owed_if_laid_off: bool


class Program(Reviewed):
    slug: str
    title: Text
    kind: Literal["course", "apprenticeship", "degree", "certificate", "basics", "experience"]
    answer: Text  # the card: one sentence a line
    leads_to: tuple[str, ...] = ()  # role slugs
    prepares_for: tuple[str, ...] = ()  # program slugs it opens, for basics such as English or GED
    credentials: tuple[str, ...] = ()
    eligibility: Eligibility = Eligibility()
    cost_to_employee: int = Field(ge=0)  # dollars
    paid_time: Literal["all", "some", "none"]  # are class hours paid?
    months: float
    hours_per_week: float
    format: Literal["in-person", "online", "hybrid"]
    service_commitment: ServiceCommitment | None = None
    cohorts: tuple[Cohort, ...] = ()
    supports: tuple[str, ...] = ()  # support slugs that help with this program
    next: tuple[str, ...] = ()
    utterances: Utterances = Utterances()

    @property
    def id(self) -> str:
        return f"programs/{self.slug}"
