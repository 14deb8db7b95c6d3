"""Who may join: each rule of a program becomes one criterion, met, not met or unknown, with the day it will be met."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from dateutil.relativedelta import relativedelta

from bot.domain.people import FULL_TIME_HOURS, PART_TIME_HOURS, Employee, HoursBand
from bot.domain.programs import Eligibility
from bot.domain.roles import EDUCATION_ORDER, Role

State = Literal["met", "not_met", "unknown"]
Kind = Literal["hours", "tenure", "standing", "family", "role", "site", "education", "credential", "language", "approval"]
Verdict = Literal["open", "ask", "later", "closed"]
ANY_OTHER_LANGUAGE = "other"  # in a rule: any language besides English


@dataclass(frozen=True)
class Criterion:
    """One rule for one person. `needs` and `has` are what the message words, `when` the day it is met by itself."""

    kind: Kind
    state: State
    needs: Any
    has: Any = None
    when: date | None = None


def criteria(rules: Eligibility, employee: Employee, roles: Mapping[str, Role], today: date) -> tuple[Criterion, ...]:
    """One criterion for each rule that is set, in the order in which people ask about them."""
    return tuple(_criteria(rules, employee, roles, today))


def _criteria(rules: Eligibility, employee: Employee, roles: Mapping[str, Role], today: date) -> Iterator[Criterion]:
    role = roles.get(employee.role or "")
    if rules.hours_per_week_min is not None:
        hours = employee.hours_per_week
        yield Criterion("hours", _compared(hours, rules.hours_per_week_min), rules.hours_per_week_min, hours)
    if rules.tenure_months_min is not None:
        yield tenure(employee, today, months=rules.tenure_months_min)
    if rules.good_standing:
        yield standing(employee)
    if rules.families:
        family = role.family if role else None
        yield Criterion("family", _among(family, rules.families), rules.families, family)
    if rules.roles:
        yield Criterion("role", _among(employee.role, rules.roles), rules.roles, employee.role)
    if rules.sites:
        yield Criterion("site", _among(employee.site, rules.sites), rules.sites, employee.site)
    if rules.education_min:
        yield _education(rules.education_min, employee, role)
    held = credentials_of(employee, roles)
    for credential in rules.credentials:
        denied = credential in employee.not_held
        yield Criterion("credential", "met" if credential in held else "not_met" if denied else "unknown", credential)
    for language in rules.languages:
        yield Criterion("language", _speaks(language, employee), language)
    if rules.manager_approval:
        yield Criterion("approval", "unknown", True)


def tenure(employee: Employee, today: date, *, months: int = 0, days: int = 0) -> Criterion:
    """Time since the hire date, with the day on which it is long enough. `needs` is (6, "months") or (90, "days")."""
    needs = (months, "months") if months else (days, "days")
    if employee.hired_on is None:
        return Criterion("tenure", "unknown", needs)
    when = employee.hired_on + relativedelta(months=months, days=days)
    if when <= today:
        return Criterion("tenure", "met", needs, employee.hired_on)
    return Criterion("tenure", "not_met", needs, employee.hired_on, when)


def standing(employee: Employee) -> Criterion:
    """No written warning in twelve months. The roster may not say."""
    known: dict[bool | None, State] = {True: "met", False: "not_met", None: "unknown"}
    return Criterion("standing", known[employee.good_standing], True, employee.good_standing)


def _education(needs: str, employee: Employee, role: Role | None) -> Criterion:
    """What the employee said; else what the job they hold asks of everyone (a nurse has a diploma)."""
    has = employee.education
    if has is None and role is not None and EDUCATION_ORDER.index(role.education) >= EDUCATION_ORDER.index("associate"):
        has = role.education
    if has is None:
        return Criterion("education", "unknown", needs)
    enough = EDUCATION_ORDER.index(has) >= EDUCATION_ORDER.index(needs)  # type: ignore[arg-type]
    return Criterion("education", "met" if enough else "not_met", needs, has)


def credentials_of(employee: Employee, roles: Mapping[str, Role]) -> frozenset[str]:
    """What the employee told us, and what nobody may do their job without, unless they took it back."""
    role = roles.get(employee.role or "")
    assumed = frozenset(role.credentials_required) if role else frozenset()
    return (employee.credentials | assumed) - employee.not_held


def _speaks(language: str, employee: Employee) -> State:
    spoken = employee.languages | ({employee.language} if employee.language else set())
    if language == ANY_OTHER_LANGUAGE:
        return "met" if spoken - {"en"} else "unknown"
    return "met" if language in spoken else "unknown"


def _compared(has: float | None, needs: float) -> State:
    return "unknown" if has is None else "met" if has >= needs else "not_met"


def _among(has: str | None, allowed: tuple[str, ...]) -> State:
    return "unknown" if has is None else "met" if has in allowed else "not_met"


def verdict(found: tuple[Criterion, ...]) -> Verdict:
    """`open`: all met · `ask`: nothing speaks against it, something is not known · `later`: only time is missing ·
    `closed`: a rule is not met that time alone won't meet."""
    missing = [each for each in found if each.state == "not_met"]
    if any(each.when is None for each in missing):
        return "closed"
    if missing:
        return "later"
    return "ask" if any(each.state == "unknown" for each in found) else "open"


def open_from(found: tuple[Criterion, ...]) -> date | None:
    """The day on which everything that only takes time is met; None when nothing is waited for."""
    return max((each.when for each in found if each.when), default=None)


def hours_by_band(needs: int | None) -> dict[HoursBand, int | None]:
    """For each hours band the hours from which it is open: 0 for all of the band, None for nobody in it."""
    if needs is None:
        return {"full-time": 0, "part-time": 0, "per-diem": 0}
    bands: tuple[tuple[HoursBand, int, int | None], ...] = (
        ("full-time", FULL_TIME_HOURS, None),
        ("part-time", PART_TIME_HOURS, FULL_TIME_HOURS),
        ("per-diem", 0, PART_TIME_HOURS),
    )
    return {
        band: 0 if needs <= lowest else needs if below is None or needs < below else None for band, lowest, below in bands
    }
