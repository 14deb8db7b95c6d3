"""What every answer from the career map needs: the figures of a step in words, for one language and day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.domain.cards import Language
from bot.domain.lattice import Lattice
from bot.domain.people import Employee
from bot.domain.roles import Step
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date


@dataclass(frozen=True)
class MapWords:
    """One employee asking on one day. Pay is left out once its year is too old."""

    kb: KnowledgeBase
    lattice: Lattice
    employee: Employee
    language: Language
    today: date

    def say(self, message: str, **values: Any) -> str:
        return self.kb.say(message, self.language, **values)

    def title(self, role: str) -> str:
        return self.kb.roles[role].title.in_(self.language)

    def date(self, day: date) -> str:
        return show_date(self.kb, day, self.language)

    @property
    def pay_year(self) -> int:
        return self.kb.datasets["wages"].year

    @property
    def pay_is_current(self) -> bool:
        return self.today <= self.kb.datasets["wages"].review_by

    def pay(self, role: str) -> str:
        """Usual pay an hour, "23.07"; "" when there is no figure or it is too old."""
        wage = self.kb.wage(role)
        return f"{wage.hourly_median:.2f}" if wage and self.pay_is_current else ""

    def pay_change(self, step: Step) -> str:
        """ "$18.66 → $23.07"; where a list of steps says this, it names the source and year once (`pay_source`)."""
        now, then = self.pay(step.from_), self.pay(step.to)
        return self.say("step_pay", now=now, then=then, less=self.pays_less(step.from_, step.to)) if now and then else ""

    def pay_source(self, roles: Iterable[str]) -> str:
        """The sentence that says what the figures of these roles are."""
        wages = [wage for role in roles if (wage := self.kb.wage(role))]
        hospitals = all(wage.in_hospitals for wage in wages)
        return self.say("next_pay", hospitals=hospitals, year=self.pay_year) if wages and self.pay_is_current else ""

    def pays_less(self, before: str, after: str) -> bool:
        """Is the usual pay lower? False when it is not known."""
        return bool(self.pay(before) and self.pay(after)) and float(self.pay(after)) < float(self.pay(before))

    def months(self, months: int) -> str:
        return self.say("step_months", months=months) if months else self.say("step_now")

    def cost(self, dollars: int, *, note: bool = True) -> str:
        """`note`: say that it is an estimate; once for a list is enough."""
        return self.say("step_cost", cost=f"{dollars:,}", note=note) if dollars else self.say("step_free")

    def jobs(self, count: int) -> str:
        return self.say("jobs_long", n=count)

    def closes(self, step: Step, *, short: bool = False) -> str:
        """What closes the gap; a step that usually pays less says so."""
        if step.pay_note is None:
            return step.closes.in_(self.language)
        note = self.say("pays_less") if short else step.pay_note.in_(self.language)
        return f"{step.closes.in_(self.language)} ⚠️ {note}"

    def credentials(self, names: list[str]) -> str:
        return ", ".join(self.kb.credentials[name].name.in_(self.language) for name in names)
