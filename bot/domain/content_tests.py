"""The shape of a content test: what somebody writes to Trellis and what must come back."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bot.domain.cards import Content, Language
from bot.domain.people import Employee, Shift
from bot.domain.safety import plain

EXPECTATIONS = ("card", "offers", "abstains", "handoff")


def _listed(value: Any) -> Any:
    """A single text may stand without brackets."""
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class SampleEmployee(Content):
    """Who is asking, where the answer depends on it. What is left out is not known."""

    first_name: str = ""
    role: str | None = None  # role slug
    hours_per_week: float | None = Field(default=None, ge=0, le=60)
    shift: Shift | None = None
    site: str | None = None  # site id
    language: Language | None = None
    good_standing: bool | None = None
    manager: bool = False

    def employee(self) -> Employee:
        return Employee(is_manager=self.manager, **self.model_dump(exclude={"manager"}))


class Promise(Content):
    """Messages, and the one thing that must come back for each of them."""

    asks: Words = Field(min_length=1)
    card: str | None = None  # answered at once with this card
    offers: Words | None = None  # these are among the choices; one alone may also be answered at once
    abstains: Literal[True] | None = None  # says that it does not know
    handoff: Literal[True] | None = None  # a person takes over
    says: Words = ()
    never_says: Words = ()

    @property
    def expected(self) -> list[str]:
        """The expectations written down; a test that can be run has exactly one."""
        return [word for word in EXPECTATIONS if getattr(self, word) is not None]

    @property
    def cards(self) -> tuple[str, ...]:
        """The cards that this promise is about."""
        return (self.card,) if self.card else self.offers or ()


class Alone(Promise):
    """Messages that are each the first of a conversation."""

    as_: SampleEmployee = Field(default=SampleEmployee(), alias="as")


class Turn(Promise):
    """One message in a conversation."""

    asks: Words = Field(min_length=1, max_length=1)


class Conversation(Content):
    """Messages that lean on what was said before, in order."""

    turns: tuple[Turn, ...] = Field(min_length=1)
    as_: SampleEmployee = Field(default=SampleEmployee(), alias="as")


def wording(text: str) -> tuple[str, ...]:
    """The words of a message in any order: two messages with the same wording count as copies of each other."""
    return tuple(sorted(plain(text).split()))
