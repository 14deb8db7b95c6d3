"""The employee as answers need them: from the roster row and from what they told Trellis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from dateutil.relativedelta import relativedelta

from bot.domain.cards import Language

HoursBand = Literal["full-time", "part-time", "per-diem"]
Shift = Literal["days", "evenings", "nights", "rotating"]

FULL_TIME_HOURS = 36
PART_TIME_HOURS = 20
NEW_HIRE_DAYS = 90


@dataclass(frozen=True)
class Employee:
    """Everything is optional: what we don't know is None, and answers say so instead of guessing."""

    first_name: str = ""
    language: Language | None = None
    role: str | None = None  # role slug
    site: str | None = None  # site id
    hours_per_week: float | None = None
    shift: Shift | None = None
    hired_on: date | None = None
    in_role_since: date | None = None
    good_standing: bool | None = None
    is_manager: bool = False
    education: str | None = None  # as in roles.Education; only when the employee said so
    credentials: frozenset[str] = field(default_factory=frozenset)  # that the employee told us of
    not_held: frozenset[str] = field(default_factory=frozenset)  # credentials that we assumed and the employee took back
    languages: frozenset[str] = field(default_factory=frozenset)
    experience: frozenset[str] = field(default_factory=frozenset)  # "unpaid", "military", "abroad"
    workdays: frozenset[str] | None = None  # the weekdays worked, e.g. {"mon", "thu"}; None: not told
    weekend_from: date | None = None  # a day of one weekend worked, when every other weekend is
    tuition_used: Mapping[int, float] = field(default_factory=dict)  # calendar year → dollars, as the employee told us

    @property
    def hours_band(self) -> HoursBand | None:
        """Full time from 36 hours a week, part time from 20, per diem below."""
        if self.hours_per_week is None:
            return None
        if self.hours_per_week >= FULL_TIME_HOURS:
            return "full-time"
        return "part-time" if self.hours_per_week >= PART_TIME_HOURS else "per-diem"

    def tenure_months(self, today: date) -> int | None:
        """Whole months since the hire date."""
        if self.hired_on is None:
            return None
        passed = relativedelta(today, self.hired_on)
        return max(0, passed.years * 12 + passed.months)

    def is_new(self, today: date) -> bool:
        return self.hired_on is not None and (today - self.hired_on).days < NEW_HIRE_DAYS
