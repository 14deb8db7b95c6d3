"""The employer, as employer.yaml describes it."""

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator

from bot.domain.cards import Content, Site
from bot.domain.coaching import CoachingPolicy


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"“{name}” is not a time zone such as America/Chicago")
    return name


class Employer(Content):
    name: str
    sample: bool = False
    country: str
    state: str | None = None
    zone: Annotated[str, AfterValidator(_known_zone)]
    sites: tuple[Site, ...] = ()
    coaching: CoachingPolicy = CoachingPolicy()
