"""Tuition cards with the amounts, dates and papers worked out for one employee and one class."""

from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain.cards import Language
from bot.domain.eligibility import verdict
from bot.domain.people import Employee
from bot.domain.said import amounts_said, date_said, school_said
from bot.domain.tuition import Course, TuitionHelp, work_out
from bot.knowledge_base import KnowledgeBase, Page
from bot.knowledge_base.base import ExpiredFact, show_date
from bot.knowledge_base.rendering import show_fact, show_office
from bot.services.eligibility import criteria_lines

# What each card shows below its own words. A card that is not here stands as it is.
SHOWS: dict[str, tuple[str, ...]] = {
    "tuition/overview": ("class", "ask"),
    "tuition/amount": ("left", "class", "ask"),
    "tuition/part-time": ("sides", "left", "class"),
    "tuition/eligibility": ("rules",),
    "tuition/waiting-period": ("wait",),
    "tuition/deadlines": ("dates", "ask"),
    "tuition/how-to-apply": ("dates", "papers", "stay", "ask"),
    "tuition/prepaid": ("money", "ask"),
    "tuition/books-and-fees": ("left",),
    "tuition/service-commitment": ("stay",),
    "tuition/taxes": ("class",),
    "tuition/eligible-schools": ("class",),
}


def tuition_page(
    kb: KnowledgeBase, card: str, employee: Employee, language: Language, today: date, text: str
) -> Page | None:
    """The card with the part that is worked out; None when there is nothing to add for this employee."""
    wanted = SHOWS.get(card)
    if wanted is None:
        return None
    price, used = amounts_said(text)
    course = Course(date_said(text, today), price, school_said(text, kb.tuition.partner_schools))
    if used is not None:
        year = course.starts.year if course.starts and "left" not in wanted else today.year
        employee = replace(employee, tuition_used={**employee.tuition_used, year: used})
    worked = TuitionWords(kb, employee, course, language, today)
    page = kb.page(card, employee, language, today)
    lines = worked.lines(wanted)
    if not lines:
        return None
    return replace(page, text="\n".join([page.text, "", *lines]))


class TuitionWords:
    """The help for one person and class, put in words. Lines whose figure is out of date are left out."""

    def __init__(self, kb: KnowledgeBase, employee: Employee, course: Course, language: Language, today: date) -> None:
        self._kb, self._employee, self._course = kb, employee, course
        self._language, self._today = language, today
        self.help: TuitionHelp = work_out(kb.tuition, kb.facts, employee, course, today)
        self._office = show_office(kb.offices[kb.tuition.approves], language)

    def lines(self, wanted: tuple[str, ...]) -> list[str]:
        told = self._course.starts is not None or self._course.price is not None
        parts: list[str] = []
        for part in wanted:
            if part == "ask":
                parts += [] if told or self._no_help else [self._say("tuition_ask")]
            else:
                parts += getattr(self, f"_{part}")()
        lines = list(dict.fromkeys(part for part in parts if part))
        if not lines:
            return []
        only_asks = lines == [self._say("tuition_ask")]
        return lines if only_asks or wanted[0] == "sides" else [self._say("tuition_head"), *lines]

    @property
    def _no_help(self) -> bool:
        return self.help.band is not None and self.help.band.fact is None

    # --- parts ---------------------------------------------------------------------------------------------------

    def _rules(self) -> list[str]:
        if all(each.state == "unknown" for each in self.help.criteria):
            return []
        lines = criteria_lines(self._kb, self.help.criteria, self._language)
        return [*lines, *self._limit(), *self._wait()]

    def _limit(self) -> list[str]:
        band = self.help.band
        if band is None:
            return [self._say("tuition_hours_unknown")]
        hours = f"{self._employee.hours_per_week:g}"
        if band.fact is None:
            return [self._say("tuition_no_limit", hours=hours)]
        amount = self._fact(band.fact)
        name = self._say(f"band_{band.name}")
        return [self._say("tuition_limit", hours=hours, band=name, amount=amount)] if amount else []

    def _left(self) -> list[str]:
        year = self._today.year
        used = self._employee.tuition_used.get(year)
        limit = self.help.limit
        if limit is None:
            return []
        if used is None:
            return [self._say("tuition_left_unknown")]
        left = max(0.0, limit - used)
        return [self._say("tuition_left", used=money(used), left=money(left), year=year, office=self._office)]

    def _class(self) -> list[str]:
        """All about the class that the employee told of; nothing when they told nothing."""
        if self._course.starts is None and self._course.price is None:
            return []
        return [*self._limit(), *self._dates(), *self._money(), *(self._stay() if self._course.price else [])]

    def _dates(self) -> list[str]:
        found = self.help
        if found.apply_by is None or found.apply_from is None or self._course.starts is None or self._no_help:
            return [] if not self._no_help else self._limit()
        starts, by = self._date(self._course.starts), self._date(found.apply_by)
        days = self._say("days_long", n=(found.apply_by - self._today).days)
        values = {"by": by, "from_": self._date(found.apply_from), "days": days, "office": self._office}
        lines = [self._say("tuition_counts", starts=starts, year=found.counts_in)]
        if found.yearly and found.yearly.year and found.counts_in != found.yearly.year:
            year = {"fact_year": found.yearly.year, "year": found.counts_in}
            lines.append(self._say("tuition_next_year", office=self._office, **year))
        return [*lines, self._say(f"tuition_window_{found.window}", **values), *self._wait()]

    def _wait(self) -> list[str]:
        when, starts = self.help.eligible_from, self._course.starts
        if when is None or self._no_help:
            return []
        key = "tuition_wait_until" if starts is None else "tuition_wait_ok" if when <= starts else "tuition_wait_no"
        return [self._say(key, when=self._date(when), office=self._office)]

    def _money(self) -> list[str]:
        found, price = self.help, self._course.price
        if price is None or found.covered is None or found.own_share is None or self._no_help:
            return []
        covered, own = money(found.covered), money(found.own_share)
        lines = [self._say("tuition_price", price=money(price), covered=covered, own=own)]
        if found.cash_to_front is None:
            partners = ", ".join(self._kb.tuition.partner_schools)
            lines.append(self._say("tuition_cash_unknown", partners=partners, own=own, price=money(price)))
        elif found.covered:
            days = self._kb.tuition.reimbursed_days_after_papers
            values = {"cash": money(found.cash_to_front), "covered": covered, "days": days}
            lines.append(self._say(f"tuition_cash_{self._course.school}", **values))
        if verdict(found.criteria) == "closed":
            lines.append(self._say("tuition_not_now", office=self._office))
        return lines

    def _stay(self) -> list[str]:
        service = self._kb.tuition.service
        threshold = self._fact(service.threshold_fact)
        if not threshold or self._no_help:
            return []
        values = {
            "threshold": threshold,
            "months": service.months,
            "prorated": service.prorated,
            "laid_off": service.owed_if_laid_off,
        }
        if self.help.covered is None:
            return [self._say("tuition_stay_if", **values)]
        return [self._say("tuition_stay" if self.help.stay_months else "tuition_stay_none", **values)]

    def _papers(self) -> list[str]:
        if self._no_help:
            return []
        papers = "; ".join(self._kb.tuition.papers[self._language])
        grade = self._kb.tuition.grade_min.in_(self._language)
        return [self._say("tuition_papers", papers=papers), self._say("tuition_grade", grade=grade)]

    def _sides(self) -> list[str]:
        """The bands beside each other, the employee's own marked."""
        lines = [self._say("tuition_sides_head")]
        above: int | None = None
        for band in self._kb.tuition.bands:
            name = self._say(f"band_{band.name}").capitalize()
            if self.help.band and band.name == self.help.band.name:
                name = self._say("tuition_side_yours", band=name)
            key = "from" if above is None else "between" if band.hours_min else "below"
            hours = self._say(f"tuition_hours_{key}", low=band.hours_min, high=(above or 1) - (1 if key == "between" else 0))
            amount = self._fact(band.fact) if band.fact else ""
            if amount:
                lines.append(self._say("tuition_side", band=name, hours=hours, amount=amount))
            elif band.fact is None:
                lines.append(self._say("tuition_side_none", band=name, hours=hours))
            above = band.hours_min
        return lines

    # --- words ---------------------------------------------------------------------------------------------------

    def _fact(self, fact: str) -> str:
        try:
            return show_fact(self._kb.facts[fact], self._language, self._today)
        except ExpiredFact:
            return ""

    def _date(self, day: date) -> str:
        return show_date(self._kb, day, self._language)

    def _say(self, message: str, **values: Any) -> str:
        return self._kb.say(message, self._language, **values)


def money(amount: float) -> str:
    """Dollars with thousands commas, cents only where there are some."""
    return f"{amount:,.2f}".removesuffix(".00")
