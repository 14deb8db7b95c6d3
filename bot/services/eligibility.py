"""Programs as one employee reads them: who may join checked rule by rule, when it will be met, the way round."""

from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain.cards import Language
from bot.domain.eligibility import Criterion, criteria, hours_by_band, open_from, verdict
from bot.domain.people import Employee
from bot.domain.programs import Cohort, Program
from bot.knowledge_base import KnowledgeBase, Page
from bot.knowledge_base.base import Offer, show_date
from bot.knowledge_base.rendering import show_office
from bot.services.class_hours import shift_lines
from bot.services.wraparound import supports_for, supports_line


def program_page(kb: KnowledgeBase, program: Program, employee: Employee, language: Language, today: date) -> Page:
    """The program's card with what was checked for this employee below it; class times only for who may join."""
    page = kb.page(program.id, employee, language, today)
    parts = [page.text.strip(), *checked(kb, program, employee, language, today)]
    closed = verdict(criteria(program.eligibility, employee, kb.roles, today)) == "closed"
    if not closed and (shifts := shift_lines(kb, program, employee, language, today)):
        parts += ["", *shifts]
    supports = supports_for(kb, program, employee, today)
    if supports:
        parts += ["", supports_line(kb, supports, language)]
    if stay := stay_line(kb, program, language):
        parts += ["", stay]
    offers = [Offer("interest", kb.say("interest_button", language), program.slug)]
    if program.cohorts and not closed:
        offers.append(Offer("request_class_time", kb.say("interest_request", language), program.slug))
    offers.append(Offer("choose_goal", kb.say("interest_goal", language), program.id))
    following = dict.fromkeys((*page.next[:3], *(f"supports/{name}" for name, _ in supports[:1]), *page.next[3:]))
    return replace(page, text="\n".join(parts), next=tuple(following)[:4], offers=tuple(offers))


def checked(kb: KnowledgeBase, program: Program, employee: Employee, language: Language, today: date) -> list[str]:
    """The lines for each rule, the verdict and, for a no, the way round. Empty for a program that is open to all."""
    found = criteria(program.eligibility, employee, kb.roles, today)
    lines = [line for line in (bands_line(kb, program, employee, language),) if line]
    if found and any(each.state != "unknown" for each in found):
        lines += ["", kb.say("elig_head", language), *criteria_lines(kb, found, language)]
        lines += verdict_lines(kb, program, found, language, today)
    return lines


def criteria_lines(kb: KnowledgeBase, found: tuple[Criterion, ...], language: Language) -> list[str]:
    return [_criterion_line(kb, each, language) for each in found]


def verdict_lines(
    kb: KnowledgeBase, program: Program, found: tuple[Criterion, ...], language: Language, today: date
) -> list[str]:
    """Yes, not yet (with the day and the first group after it) or no with the way round."""
    decided = verdict(found)
    if decided == "later" and (when := open_from(found)):
        values = {"when": show_date(kb, when, language)}
        if cohort := first_cohort_from(program, when, today):
            values["starts"] = show_date(kb, cohort.starts, language)
            values["apply_by"] = show_date(kb, cohort.apply_by, language)
            return [kb.say("elig_later_cohort", language, **values)]
        return [kb.say("elig_later", language, **values)]
    if decided == "closed":
        way = program.eligibility.way_round
        return [kb.say("elig_closed", language), way.in_(language)] if way else [kb.say("elig_closed_plain", language)]
    return [kb.say(f"elig_{decided}", language)]


def first_cohort_from(program: Program, day: date, today: date) -> Cohort | None:
    """The first group that starts on `day` or later and can still be applied for."""
    later = [cohort for cohort in program.cohorts if cohort.starts >= day and cohort.apply_by >= today]
    return min(later, key=lambda cohort: cohort.starts, default=None)


def bands_line(kb: KnowledgeBase, program: Program, employee: Employee, language: Language) -> str:
    """Full time, part time and per diem side by side; "" where they don't differ."""
    bands = hours_by_band(program.eligibility.hours_per_week_min)
    if len(set(bands.values())) == 1:
        return ""
    words: dict[str, str] = {}
    for band, hours in bands.items():
        name = kb.say(f"band_{band}", language)
        if band == employee.hours_band:
            name = kb.say("elig_yours", language, band=name)
        key = "elig_band_closed" if hours is None else "elig_band_from" if hours else "elig_band_open"
        words[band.replace("-", "_")] = kb.say(key, language, band=name, hours=hours)
    return kb.say("elig_bands", language, **words)


def stay_line(kb: KnowledgeBase, program: Program, language: Language) -> str:
    """The service commitment read out before anyone applies; "" when there is none."""
    service = program.service_commitment
    if service is None:
        return ""
    values = {"months": service.months, "prorated": service.prorated, "laid_off": service.owed_if_laid_off}
    return kb.say("program_stay", language, **values)


def _criterion_line(kb: KnowledgeBase, each: Criterion, language: Language) -> str:
    values: dict[str, Any] = {"needs": each.needs, "has": each.has, "office": show_office(kb.offices["hr"], language)}
    match each.kind:
        case "hours":
            values["has"] = f"{each.has:g}" if each.has is not None else ""
        case "tenure":
            number, unit = each.needs
            values["needs"] = kb.say(f"{unit}_long", language, n=number)
            values["when"] = show_date(kb, each.when, language) if each.when else ""
        case "family":
            values["needs"] = ", ".join(kb.say(f"family_{name}", language) for name in each.needs)
        case "role":
            values["needs"] = ", ".join(kb.roles[name].title.in_(language) for name in each.needs)
        case "site":
            values["needs"] = ", ".join(kb.sites[name].name for name in each.needs)
        case "education":
            values["needs"] = kb.say(f"education_{each.needs}", language)
        case "credential":
            values["needs"] = kb.credentials[each.needs].name.in_(language)
        case "language":
            values["needs"] = kb.say(f"language_{each.needs}", language)
    return kb.say(f"elig_{each.kind}_{each.state}", language, **values)
