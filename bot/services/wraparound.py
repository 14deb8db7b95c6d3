"""The supports that go with a program: offered with the classes that call for them, with the reason."""

from datetime import date

from bot.domain.cards import Language
from bot.domain.people import Employee
from bot.domain.programs import Cohort, Program
from bot.domain.schedule import EVENING, WEEKEND
from bot.knowledge_base import KnowledgeBase
from bot.services.class_hours import best_fit

# What a support answers, the reasons that people feel first. A program names its supports; this says why now.
REASONS = {"child-care": "hours", "transportation": "place", "computer-and-internet": "online"}


def supports_for(kb: KnowledgeBase, program: Program, employee: Employee, today: date) -> list[tuple[str, str]]:
    """(support, reason) in order: those that the classes of the best group call for, then the program's others.

    A reason is "evening", "weekend", "no_bus", "online" or "" for a support without a special reason.
    """
    best = best_fit(kb, program, employee, today)
    cohort = best[0] if best else None
    found = [(support, _reason(kb, support, program, cohort)) for support in program.supports]
    return sorted(found, key=lambda pair: pair[1] == "")


def _reason(kb: KnowledgeBase, support: str, program: Program, cohort: Cohort | None) -> str:
    asks = REASONS.get(support, "")
    if asks == "hours" and cohort:
        if any(session.start >= EVENING for session in cohort.sessions):
            return "evening"
        return "weekend" if any(session.day in WEEKEND for session in cohort.sessions) else ""
    if asks == "place" and cohort:
        away = (site for site in kb.sites.values() if not site.bus)
        return "no_bus" if any(site.name.split(" ", 1)[-1] in cohort.place.en for site in away) else ""
    return "online" if asks == "online" and program.format != "in-person" else ""


def supports_line(kb: KnowledgeBase, supports: list[tuple[str, str]], language: Language) -> str:
    """One line: each support with its reason."""
    named = []
    for support, reason in supports:
        why = kb.say(f"support_reason_{reason}", language) if reason else ""
        named.append(kb.say("support_named", language, title=kb.title(f"supports/{support}", language), why=why))
    return kb.say("supports_with", language, supports=" · ".join(named))
