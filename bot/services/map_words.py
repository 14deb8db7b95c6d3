"""What every answer from the career map needs: the figures of a step in words, for one language and day."""

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
        now, then = self.kb.wage(step.from_), self.kb.wage(step.to)
        if now is None or then is None or not self.pay_is_current:
            return ""
        key = "step_pay" if now.in_hospitals and then.in_hospitals else "step_pay_national"
        return self.say(key, now=f"{now.hourly_median:.2f}", then=f"{then.hourly_median:.2f}", year=self.pay_year)

    def months(self, months: int) -> str:
        return self.say("step_months", months=months) if months else self.say("step_now")

    def cost(self, dollars: int) -> str:
        return self.say("step_cost", cost=f"{dollars:,}") if dollars else self.say("step_free")

    def closes(self, step: Step, *, short: bool = False) -> str:
        """What closes the gap; a step that usually pays less says so."""
        if step.pay_note is None:
            return step.closes.in_(self.language)
        note = self.say("pays_less") if short else step.pay_note.in_(self.language)
        return f"{step.closes.in_(self.language)} ⚠️ {note}"

    def credentials(self, names: list[str]) -> str:
        return ", ".join(self.kb.credentials[name].name.in_(self.language) for name in names)
