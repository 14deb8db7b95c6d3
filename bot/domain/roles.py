"""Roles and the steps between them: the career lattice as data."""

from typing import Literal

from pydantic import Field

from bot.domain.cards import Content, Reviewed, Text, Utterances

Family = Literal[
    "support-services",  # housekeeping, food, laundry, transport, security, supply, maintenance
    "nursing",
    "allied-health",  # therapy, respiratory, pharmacy, surgery, sterile processing
    "diagnostics",  # laboratory, imaging, heart monitoring
    "administrative",  # registration, scheduling, billing, coding, records
    "technology",
    "community",  # community health, interpreting, social work
    "leadership",
]
Education = Literal["none", "high-school", "certificate", "associate", "bachelor"]
EDUCATION_ORDER: tuple[Education, ...] = ("none", "high-school", "certificate", "associate", "bachelor")


class Credential(Content):
    """A licence or certificate, as its issuer defines it. `confidence` is that of the fact file it was taken from."""

    id: str
    name: Text
    issuer: str
    kind: Literal["licence", "certification", "registration", "course-card"]
    needs: Text  # what it takes, one or two sentences
    renews: Text | None = None
    source: str
    confidence: Literal["high", "medium", "low"]


class Role(Reviewed):
    """A job at the employer. Pay and outlook come from the wage data through `soc`."""

    slug: str
    title: Text
    lay_titles: dict[Literal["en", "es"], tuple[str, ...]]  # what people call it, with abbreviations
    family: Family
    soc: str  # BLS 6-digit code, e.g. 37-2012
    patient_contact: Literal["none", "some", "hands-on"]
    blood: bool  # is seeing blood or body fluids part of the day?
    education: Education  # typical entry
    education_note: Text
    day: Text  # what a day is like; 2-3 sentences
    needs: Text  # what it takes to get in, in plain words; 1-3 sentences
    hours: Text
    physical: Text
    competencies: tuple[Text, ...] = Field(min_length=3)
    credentials_required: tuple[str, ...] = ()  # credential ids
    credentials_helpful: tuple[str, ...] = ()
    evenings_nights: bool  # are evening or night shifts common?
    starting_role: bool = False  # can one be hired here without experience? Such a role needs no way in
    utterances: Utterances = Utterances()

    @property
    def id(self) -> str:
        return f"roles/{self.slug}"


class Step(Content):
    """An edge of the lattice. `months` is the usual time from deciding to starting, studying part time while working."""

    from_: str = Field(alias="from")  # role slug
    to: str
    kind: Literal["up", "sideways"]
    months: int = Field(ge=0, le=72)
    closes: Text  # what closes the gap, one short sentence
    first_action: Text  # the first thing to do this week
    programs: tuple[str, ...] = ()  # program slugs that make the step
    credentials: tuple[str, ...] = ()  # credential ids gained or needed on the way
    cost: int = Field(ge=0)  # usual cost to the employee in dollars after what the employer pays; 0 when free
    earn_while_learning: bool = False
    pay_note: Text | None = None  # must be there when the median pay falls
    source: str
    confidence: Literal["high", "medium", "low"]
