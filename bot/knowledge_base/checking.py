"""Checks between files: references, translations, utterances, pay, dates and reading grade. All at once."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from jinja2 import TemplateError

from bot.domain.cards import LANGUAGES, Language, Text
from bot.domain.checkins import problems_of
from bot.domain.people import Employee
from bot.domain.problems import Problem
from bot.domain.programs import Program
from bot.domain.roles import Role
from bot.domain.roster import KEPT_COLUMNS, KEPT_VALUES
from bot.domain.safety import plain
from bot.knowledge_base.base import KnowledgeBase
from bot.knowledge_base.reading_grade import reading_ease_es, reading_grade_en
from bot.knowledge_base.rendering import TAG, TAGS

FEWEST_UTTERANCES = 8
LONGEST_SENTENCE = 28  # words
HIGHEST_GRADE = 8.0  # Flesch-Kincaid, English
LOWEST_EASE = 60.0  # Fernández Huerta, Spanish: "normal" begins at 60
MONEY = re.compile(r"\$\s?\d")


def check(kb: KnowledgeBase, today: date, structure_only: bool = False) -> list[Problem]:
    """Every problem between the files of `kb`. `structure_only` leaves out style and dates, for a quick start."""
    problems = [
        *_references(kb),
        *_checkins(kb),
        *_roster(kb),
        *_utterances(kb, structure_only),
        *_templates(kb),
        *_lattice(kb),
    ]
    if not structure_only:
        problems += [*_reading_grade(kb), *_dates(kb, today)]
    return problems


def file_of(kb: KnowledgeBase, card: str) -> str:
    """The file in content/ in which an entry stands."""
    return f"cards/{card}.yaml" if card in kb.cards else f"{card}.yaml"


# --- references --------------------------------------------------------------------------------------------------


def _references(kb: KnowledgeBase) -> Iterator[Problem]:
    for card, entry in kb.entries():
        file = file_of(kb, card)
        if entry.owner not in kb.offices:
            yield Problem(file, "owner", f"“{entry.owner}” is not an office in offices.yaml")
        following = () if isinstance(entry, Role) else entry.next
        yield from _missing(file, "next", following, kb.has, "card")
        if len(following) > 4:
            yield Problem(file, "next", "has more than 4 cards; a phone shows 4 buttons well")
    for fact in kb.facts.values():
        if fact.owner not in kb.offices:
            yield Problem("facts", fact.id, f"its owner “{fact.owner}” is not an office in offices.yaml")
        if fact.unit in ("usd", "usd-hour") and fact.year is None:
            yield Problem("facts", fact.id, "is money and names no year")
    for role in kb.roles.values():
        file = f"roles/{role.slug}.yaml"
        if role.soc not in kb.wages:
            yield Problem(file, "soc", f"“{role.soc}” is not in data/wages.csv")
        needed = role.credentials_required + role.credentials_helpful
        yield from _missing(file, "credentials", needed, kb.credentials.__contains__, "credential")
    for program in kb.programs.values():
        yield from _program_references(kb, program)
    for title, roles in kb.ambiguous_titles.items():
        yield from _missing("ambiguous_titles.yaml", title, roles, kb.roles.__contains__, "role")
    for rule in kb.safety_rules:
        yield from _missing("safety/rules.yaml", "card", [rule.card], kb.has, "card")


def _checkins(kb: KnowledgeBase) -> Iterator[Problem]:
    file = "policies/checkins.yaml"
    yield from (Problem(file, place, sentence) for place, sentence in problems_of(kb.checkins))
    for kind, names in (("topic", kb.checkins.topics), ("skip", kb.checkins.skip_reasons)):
        for name in names:
            if f"checkin_{kind}_{name}" not in kb.messages:
                yield Problem(file, name, f"has no words: please add checkin_{kind}_{name} to messages/checkins.yaml")


def _roster(kb: KnowledgeBase) -> Iterator[Problem]:
    file = "roster_columns.yaml"
    for column in kb.roster.columns:
        if column not in KEPT_COLUMNS:
            yield Problem(file, column, f"is nothing that Trellis keeps; it keeps {', '.join(sorted(KEPT_COLUMNS))}")
    yield from _missing(file, "titles", kb.roster.titles, kb.roles.__contains__, "role")
    for kind, words in kb.roster.values.items():
        for ours in words:
            if ours not in KEPT_VALUES.get(kind, ()):
                yield Problem(
                    file,
                    f"values {kind}",
                    f"“{ours}” is not one of {', '.join(KEPT_VALUES.get(kind, ())) or 'anything known'}",
                )


def _program_references(kb: KnowledgeBase, program: Program) -> Iterator[Problem]:
    file = f"programs/{program.slug}.yaml"
    yield from _missing(file, "leads_to", program.leads_to, kb.roles.__contains__, "role")
    yield from _missing(file, "prepares_for", program.prepares_for, kb.programs.__contains__, "program")
    yield from _missing(file, "credentials", program.credentials, kb.credentials.__contains__, "credential")
    yield from _missing(file, "supports", program.supports, lambda slug: kb.has(f"supports/{slug}"), "support")
    yield from _missing(file, "eligibility roles", program.eligibility.roles, kb.roles.__contains__, "role")
    yield from _missing(file, "eligibility sites", program.eligibility.sites, kb.sites.__contains__, "site")
    if not program.leads_to and not program.prepares_for and program.kind != "experience":
        yield Problem(file, "leads_to", "this program leads to no role and prepares for no program")
    for cohort in program.cohorts:
        if not cohort.apply_by <= cohort.starts <= cohort.ends:
            yield Problem(file, f"cohort {cohort.id}", "its dates should run apply_by, starts, ends")


def _missing(file: str, place: str, names: Any, known: Any, kind: str) -> Iterator[Problem]:
    for name in names:
        if not known(name):
            yield Problem(file, place, f"“{name}” is not a {kind} that exists")


# --- utterances --------------------------------------------------------------------------------------------------


def _utterances(kb: KnowledgeBase, structure_only: bool) -> Iterator[Problem]:
    seen: dict[str, dict[str, None]] = defaultdict(dict)
    for card, entry in kb.entries():
        for language in LANGUAGES:
            utterances = entry.utterances.in_(language)
            if len(utterances) < FEWEST_UTTERANCES and not structure_only:
                sentence = f"has {len(utterances)} utterances in {language}; please write at least {FEWEST_UTTERANCES}"
                yield Problem(file_of(kb, card), "utterances", sentence)
            for utterance in utterances:
                seen[plain(utterance) or utterance][card] = None
    for topic in kb.outside.values():
        for language in LANGUAGES:
            for utterance in topic.utterances.in_(language):
                seen[plain(utterance) or utterance][f"outside.yaml: {topic.id}"] = None
    for utterance, cards in seen.items():
        if len(cards) > 1:
            first, *others = cards
            yield Problem(file_of(kb, first), "utterances", f"“{utterance}” also stands under {', '.join(others)}")


# --- templates ---------------------------------------------------------------------------------------------------


def _templates(kb: KnowledgeBase) -> Iterator[Problem]:
    samples = [Employee(), Employee(first_name="Ana", hours_per_week=24, shift="nights", is_manager=True)]
    for card, entry in kb.entries():
        if isinstance(entry, Role):
            continue
        for language in LANGUAGES:
            for line in entry.answer.in_(language).splitlines():
                tag = TAG.match(line)
                if tag and tag.group(1) not in TAGS:
                    yield Problem(file_of(kb, card), f"answer.{language}", f"[{tag.group(1)}] is not a tag")
                if MONEY.search(line):
                    yield Problem(
                        file_of(kb, card),
                        f"answer.{language}",
                        f"money should come from a fact, so that it has a source and a year: “{line.strip()}”",
                    )
            for sample in samples:
                if problem := _renders(kb, card, sample, language):
                    yield problem
                    break


def _renders(kb: KnowledgeBase, card: str, employee: Employee, language: Language) -> Problem | None:
    place = f"answer.{language}"
    try:
        page = kb.page(card, employee, language, date.min)
    except KeyError as error:
        return Problem(file_of(kb, card), place, f"{error} is not a fact, an office or a message that exists")
    except TemplateError as error:
        return Problem(file_of(kb, card), place, f"a placeholder can't be filled in: {error}")
    return None if page.text else Problem(file_of(kb, card), place, "has no line for some employees")


# --- the lattice -------------------------------------------------------------------------------------------------


def _lattice(kb: KnowledgeBase) -> Iterator[Problem]:
    for step in kb.steps:
        place = f"{step.from_} → {step.to}"
        yield from _missing("steps", place, [step.from_, step.to], kb.roles.__contains__, "role")
        yield from _missing("steps", place, step.programs, kb.programs.__contains__, "program")
        yield from _missing("steps", place, step.credentials, kb.credentials.__contains__, "credential")
        now, then = kb.wage(step.from_), kb.wage(step.to)
        if now and then and then.hourly_median < now.hourly_median and step.pay_note is None:
            sentence = f"the usual pay falls from ${now.hourly_median} to ${then.hourly_median} an hour; say so in pay_note"
            yield Problem("steps", place, sentence)
    seen: set[tuple[str, str]] = set()
    for step in kb.steps:
        if (step.from_, step.to) in seen:
            yield Problem("steps", f"{step.from_} → {step.to}", "stands twice")
        seen.add((step.from_, step.to))
    for slug, role in kb.roles.items():
        if not any(step.from_ == slug for step in kb.steps):
            yield Problem(f"roles/{slug}.yaml", "", "has no way on: no step starts here")
        if not role.starting_role and not any(step.to == slug for step in kb.steps):
            yield Problem(f"roles/{slug}.yaml", "", "has no way in: no step leads here and it is no starting role")


# --- style and dates ---------------------------------------------------------------------------------------------


def _reading_grade(kb: KnowledgeBase) -> Iterator[Problem]:
    for card, entry in kb.entries():
        texts = [entry.day, entry.needs] if isinstance(entry, Role) else [entry.answer]
        for language in LANGUAGES:
            words = " ".join(_readable(text, language) for text in texts)
            yield from _too_hard(file_of(kb, card), words, language)


def _readable(text: Text, language: Language) -> str:
    """The sentences as read aloud: without tags, placeholders and bullets."""
    lines = [re.sub(r"^- (.*[^.!?])$", r"\1.", TAG.sub("", line).strip()) for line in text.in_(language).splitlines()]
    return " ".join(re.sub(r"{{[^}]*}}", "HR", line) for line in lines if line)


def _too_hard(file: str, words: str, language: Language) -> Iterator[Problem]:
    for sentence in re.split(r"(?<=[.!?:;])\s+", words):
        if len(sentence.split()) > LONGEST_SENTENCE:
            yield Problem(file, f"answer.{language}", f"a long sentence; please part it: “{sentence}”", "warning")
    if language == "en" and (grade := reading_grade_en(words)) > HIGHEST_GRADE:
        yield Problem(file, "answer.en", f"reads at grade {grade:.1f}; please use shorter words and sentences", "warning")
    if language == "es" and (ease := reading_ease_es(words)) < LOWEST_EASE:
        sentence = f"reading ease {ease:.0f} (60 or more is plain); please use shorter words and sentences"
        yield Problem(file, "answer.es", sentence, "warning")


def _dates(kb: KnowledgeBase, today: date) -> Iterator[Problem]:
    for card, entry in kb.entries():
        if entry.review_by < today:
            yield Problem(file_of(kb, card), "review_by", f"its review date {entry.review_by} has passed", "warning")
    for fact in kb.facts.values():
        if fact.review_by < today:
            sentence = f"expired on {fact.review_by}: answers leave the figure out until {fact.owner} confirms it"
            yield Problem("facts", fact.id, sentence, "warning")
    for program in kb.programs.values():
        if program.cohorts and kb.next_cohort(program, today) is None:
            yield Problem(f"programs/{program.slug}.yaml", "cohorts", "no cohort is left to apply for", "warning")
