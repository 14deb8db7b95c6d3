"""Tuition help worked out for one person and one class. Amounts come from facts, rules from content/tuition.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.domain.cards import Content, Fact, Language, Text
from bot.domain.eligibility import Criterion, standing, tenure
from bot.domain.people import Employee, HoursBand


class Band(Content):
    name: HoursBand
    hours_min: int
    fact: str | None  # the yearly amount; None: there is none


class BelowGrade(Content):
    repay_first_time: bool
    next_term_on_hold: bool
    then: Text


class Service(Content):
    """How long one stays after the help. Owed only when a year's help is over the threshold."""

    threshold_fact: str
    months: int
    starts: Literal["course-end"]
    prorated: bool
    owed_if_laid_off: bool


class TuitionPolicy(Content):
    """content/tuition.yaml: the employer's tuition help as data."""

    policy: str
    bands: tuple[Band, ...]
    waiting_days: int
    good_standing_months: int
    apply_from_days_before: int
    apply_by_days_before: int
    counted_in: Literal["year-class-starts"]
    carries_over: bool
    partner_schools: tuple[str, ...]
    other_schools: Literal["reimbursed"]
    reimbursed_days_after_papers: int
    grade_min: Text
    below_grade: BelowGrade
    papers: dict[Language, tuple[str, ...]]
    approves: str  # office id
    tax_free_fact: str
    service: Service
    exam_fee_fact: str
    family: bool
    covers: dict[Language, tuple[str, ...]]
    not_covers: dict[Language, tuple[str, ...]]

    def band_of(self, employee: Employee) -> Band | None:
        """The first band that the hours reach; None when the hours are not known."""
        if employee.hours_per_week is None:
            return None
        return next((band for band in self.bands if employee.hours_per_week >= band.hours_min), None)


@dataclass(frozen=True)
class Course:
    """What the employee said about a class; None where they did not."""

    starts: date | None = None
    price: float | None = None
    school: Literal["partner", "other"] | None = None


Window = Literal["early", "open", "late", "begun"]


@dataclass(frozen=True)
class TuitionHelp:
    """`yearly` is the limit of the person's own hours band, never of another. Dollars; None: not known or none."""

    band: Band | None
    criteria: tuple[Criterion, ...]
    yearly: Fact | None
    left: float | None  # of the year the class counts in; None when the year's limit or what was used is not known
    counts_in: int | None
    apply_from: date | None
    apply_by: date | None
    window: Window | None
    covered: float | None  # of the course's price
    own_share: float | None  # what stays with the employee for good
    cash_to_front: float | None  # what the employee pays first: the own share, or all of it at a school that is reimbursed
    stay_months: int  # after the course; 0 when nothing is owed for this course
    eligible_from: date | None  # the waiting period ends

    @property
    def limit(self) -> float | None:
        return self.yearly.amount if self.yearly else None


def work_out(
    policy: TuitionPolicy, facts: Mapping[str, Fact], employee: Employee, course: Course, today: date
) -> TuitionHelp:
    """Everything that the rules can decide. A fact past its review date counts as not known."""
    band = policy.band_of(employee)
    yearly = _valid(facts, band.fact, today) if band and band.fact else None
    waiting = tenure(employee, today, days=policy.waiting_days)
    hours = Criterion("hours", "unknown", policy.bands[-2].hours_min)
    if band:
        hours = Criterion("hours", "met" if band.fact else "not_met", policy.bands[-2].hours_min, employee.hours_per_week)
    counts_in = course.starts.year if course.starts else None
    left = _left(yearly, employee, counts_in or today.year)
    covered = own = cash = None
    if course.price is not None and band is not None and (yearly is None) == (band.fact is None):
        covered = min(course.price, left if left is not None else (yearly.amount or 0.0 if yearly else 0.0))
        own = course.price - covered
        cash = None if course.school is None and covered else course.price if course.school == "other" else own
    return TuitionHelp(
        band=band,
        criteria=(hours, waiting, standing(employee)),
        yearly=yearly,
        left=left,
        counts_in=counts_in,
        apply_from=course.starts - timedelta(days=policy.apply_from_days_before) if course.starts else None,
        apply_by=course.starts - timedelta(days=policy.apply_by_days_before) if course.starts else None,
        window=_window(policy, course.starts, today) if course.starts else None,
        covered=covered,
        own_share=own,
        cash_to_front=cash,
        stay_months=_stay(policy, facts, employee, covered, counts_in or today.year, today),
        eligible_from=waiting.when,
    )


def _window(policy: TuitionPolicy, starts: date, today: date) -> Window:
    before = (starts - today).days
    if before > policy.apply_from_days_before:
        return "early"
    if before >= policy.apply_by_days_before:
        return "open"
    return "late" if before > 0 else "begun"


def _left(yearly: Fact | None, employee: Employee, year: int) -> float | None:
    """What is left of `year`, when the employee told us what was used of it; never below zero."""
    if yearly is None or yearly.amount is None or year not in employee.tuition_used:
        return None
    return max(0.0, yearly.amount - employee.tuition_used[year])


def _stay(
    policy: TuitionPolicy, facts: Mapping[str, Fact], employee: Employee, covered: float | None, year: int, today: date
) -> int:
    """The months to stay when the year's help, this course included, is over the threshold."""
    threshold = _valid(facts, policy.service.threshold_fact, today)
    if covered is None or threshold is None or threshold.amount is None:
        return 0
    return policy.service.months if covered + employee.tuition_used.get(year, 0.0) > threshold.amount else 0


def _valid(facts: Mapping[str, Fact], fact: str, today: date) -> Fact | None:
    found = facts[fact]
    return found if today <= found.review_by else None
