"""Classes against shifts, in words: fits, clashes on these dates, needs a swap."""

from datetime import date, time

from bot.domain.cards import Language
from bot.domain.people import Employee
from bot.domain.programs import Cohort, Program, Session
from bot.domain.roles import Step
from bot.domain.schedule import Fit, fit, is_in_hours, pattern_of
from bot.domain.wishes import Hours
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date

MOST_COHORTS = 3
DATES_SHOWN = 4
FULL_STUDY_HOURS = 24  # a week of unpaid classes from which hardly anyone keeps a job beside it
BEST_FIRST = ("own-time", "fits", "depends", "clashes", "unknown")


def open_cohorts(program: Program, today: date) -> list[Cohort]:
    """Groups that one can still apply for, the next first."""
    return sorted((each for each in program.cohorts if each.apply_by >= today), key=lambda each: each.starts)


def best_fit(kb: KnowledgeBase, program: Program, employee: Employee, today: date) -> tuple[Cohort, Fit] | None:
    """The open group that goes best with the employee's shift, the earliest of equals; None when none is open."""
    pattern = pattern_of(kb.shifts, employee)
    fits = [(cohort, fit(cohort, pattern)) for cohort in open_cohorts(program, today)]
    return min(fits, key=lambda pair: (BEST_FIRST.index(pair[1].kind), pair[0].starts), default=None)


def shift_lines(kb: KnowledgeBase, program: Program, employee: Employee, language: Language, today: date) -> list[str]:
    """Each open group against the employee's shift; nothing when the shift is not known or no group is open."""
    pattern = pattern_of(kb.shifts, employee)
    cohorts = open_cohorts(program, today)[:MOST_COHORTS]
    if pattern is None or not cohorts:
        return []
    hours = {"start": clock(pattern.times.start), "end": clock(pattern.times.end)}
    head = kb.say("shift_head", language, shift=kb.say(f"shift_{employee.shift}", language), **hours)
    return [head, *(fit_line(kb, cohort, fit(cohort, pattern), program, language) for cohort in cohorts)]


def fit_line(kb: KnowledgeBase, cohort: Cohort, found: Fit, program: Program, language: Language) -> str:
    starts = show_date(kb, cohort.starts, language)
    values = {
        "group": kb.say("group", language, starts=starts, when=sessions_words(kb, cohort.sessions, language))
        if cohort.sessions
        else kb.say("group_own_time", language, starts=starts),
        "days": _listed(kb, [kb.say(f"weekday_{day}", language) for day in found.weekdays], language),
        "dates": ", ".join(show_day(kb, day, language) for day in found.dates[:DATES_SHOWN]),
        "more": max(0, len(found.dates) - DATES_SHOWN),
        "count": len(found.dates),
        "paid": program.paid_time == "all",
    }
    return kb.say(f"fit_{found.kind}", language, **values)


def sessions_words(kb: KnowledgeBase, sessions: tuple[Session, ...], language: Language) -> str:
    """ "Tue and Thu 5:30 pm to 8:30 pm"; sessions at the same hours are said together."""
    by_time: dict[tuple[time, time], list[str]] = {}
    for session in sessions:
        by_time.setdefault((session.start, session.end), []).append(kb.say(f"weekday_{session.day}", language))
    return "; ".join(
        kb.say("session", language, days=_listed(kb, days, language), start=clock(start), end=clock(end))
        for (start, end), days in by_time.items()
    )


def show_day(kb: KnowledgeBase, day: date, language: Language) -> str:
    """Without the year: "March 4" or "4 de marzo"."""
    months = kb.messages["months"].in_(language).split()
    return kb.say("day_of_month", language, day=day.day, month=months[day.month - 1])


def clock(at: time) -> str:
    """ "7 pm", "5:30 pm": as people say it in both languages."""
    hour = at.hour % 12 or 12
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{hour}{minutes} {'am' if at.hour < 12 else 'pm'}"


def _listed(kb: KnowledgeBase, words: list[str], language: Language) -> str:
    if len(words) < 2:
        return "".join(words)
    return kb.say("and_list", language, first=", ".join(words[:-1]), last=words[-1])


# --- what a step's classes leave room for ------------------------------------------------------------------------


def fits_hours(kb: KnowledgeBase, step: Step, hours: Hours, today: date) -> bool:
    """Is there for each program of the step a group in these hours? Learning on the job fits any; where the school
    sets hours that we don't know, the answer is no."""
    if not step.programs:
        return step.earn_while_learning
    return all(_has_group_in(kb.programs[name], hours, today) for name in step.programs)


def _has_group_in(program: Program, hours: Hours, today: date) -> bool:
    cohorts = open_cohorts(program, today) or list(program.cohorts)
    if hours == "online":
        return program.format == "online"
    return any(is_in_hours(cohort, hours) for cohort in cohorts) if cohorts else program.kind == "experience"


def keeps_job(kb: KnowledgeBase, step: Step) -> bool:
    """Do the step's classes leave room for a job? Paid class time is the job itself."""
    programs = [kb.programs[name] for name in step.programs]
    return all(program.paid_time == "all" or program.hours_per_week < FULL_STUDY_HOURS for program in programs)
