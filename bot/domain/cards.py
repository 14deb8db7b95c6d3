"""What an answer is made of: cards, the facts they quote and the offices they name."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")


class Content(BaseModel):
    """Base of everything that stands in content/: unknown words in a file are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Content):
    """The same words in English and Spanish."""

    en: str = Field(min_length=1)
    es: str = Field(min_length=1)

    def in_(self, language: Language) -> str:
        return self.es if language == "es" else self.en


class Utterances(Content):
    """Ways in which people ask for a card. The matcher learns from them; at least 8 in each language."""

    en: tuple[str, ...] = ()
    es: tuple[str, ...] = ()

    def in_(self, language: Language) -> tuple[str, ...]:
        return self.es if language == "es" else self.en


class Reviewed(Content):
    """Who stands behind a piece of content, where it comes from and until when it may be stated as true."""

    owner: str  # an office id
    source: Text
    reviewed: date
    review_by: date


class Fact(Content):
    """A figure that stands once. `show` is how it reads inside a sentence; the year is added when rendered."""

    id: str
    show: Text
    amount: float | None = None  # for sums; in `unit`
    unit: Literal["usd", "usd-hour", "percent", "months", "days", "hours", "weeks", "count"] | None = None
    year: int | None = None  # the year the figure belongs to; money always has one
    source: str
    url: str | None = None
    as_of: date
    owner: str
    review_by: date
    scope: Literal["federal", "state", "employer"]


class Office(Content):
    """People who know: named whenever a card cannot settle a question."""

    id: str
    name: Text
    phone: str | None = None
    email: str | None = None
    place: Text | None = None
    hours: Text | None = None


class Site(Content):
    id: str
    name: str
    city: str
    state: str  # two letters, for public holidays and state rules
    bus: bool  # is there a bus line within a short walk?


class Card(Reviewed):
    """One curated answer. `answer` holds one sentence a line; see content/README.md for the tags a line may start with."""

    id: str  # kind/slug, from the file's place
    title: Text
    answer: Text
    next: tuple[str, ...] = ()  # card ids offered as buttons, at most 4
    utterances: Utterances = Utterances()
    audience: Literal["everyone", "managers"] = "everyone"

    @property
    def kind(self) -> str:
        return self.id.split("/", 1)[0]
