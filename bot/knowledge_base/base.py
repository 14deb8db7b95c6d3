"""The knowledge base: what Trellis may say, and how it reads for one employee today."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import RootModel

from bot.domain.cards import LANGUAGES, Card, Fact, Language, Office, Reviewed, Site, Text
from bot.domain.checkins import CheckinPolicy
from bot.domain.employers import Employer
from bot.domain.outside import OtherLanguage, OutsideTopic
from bot.domain.people import Employee
from bot.domain.problems import ContentError, Problem
from bot.domain.programs import Cohort, Program
from bot.domain.roles import Credential, Role, Step
from bot.domain.roster import RosterRules
from bot.domain.safety import SafetyRule
from bot.domain.schedule import Shifts
from bot.domain.tuition import TuitionPolicy
from bot.domain.wages import Dataset, Outlook, Wage
from bot.knowledge_base.reading import Reader, is_inside
from bot.knowledge_base.rendering import ExpiredFact, Lines, fill, render_lines, show_fact, show_office


@dataclass(frozen=True)
class Offer:
    """Something that the employee can do about an answer, e.g. choose it as a goal. Adapters draw a button."""

    action: str
    label: str
    value: str


@dataclass(frozen=True)
class Page:
    """One answer for one employee: the words, the small print below them, and the cards to offer next."""

    card: str
    title: str
    text: str
    small_print: str
    next: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class KnowledgeBase:
    """Read-only. `revision` names this exact content; exchanges keep it."""

    revision: str
    employer: dict[str, Any]
    sites: dict[str, Site]
    offices: dict[str, Office]
    facts: dict[str, Fact]
    cards: dict[str, Card]
    roles: dict[str, Role]
    credentials: dict[str, Credential]
    steps: tuple[Step, ...]
    programs: dict[str, Program]
    tuition: TuitionPolicy
    shifts: Shifts
    checkins: CheckinPolicy
    roster: RosterRules
    messages: dict[str, Text]
    ambiguous_titles: dict[str, tuple[str, ...]]
    short_forms: dict[str, str]
    outside: dict[str, OutsideTopic]
    other_languages: dict[str, OtherLanguage]
    safety_rules: tuple[SafetyRule, ...]
    datasets: dict[str, Dataset]
    wages: dict[str, Wage]
    outlooks: dict[str, Outlook]

    # --- what there is -------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[tuple[str, Card | Role | Program]]:
        """Everything that can be the answer to a question, by card id."""
        yield from self.cards.items()
        yield from ((role.id, role) for role in self.roles.values())
        yield from ((program.id, program) for program in self.programs.values())

    def entry(self, card: str) -> Card | Role | Program | None:
        kind, _, slug = card.partition("/")
        if kind == "roles":
            return self.roles.get(slug)
        return self.cards.get(card) or (self.programs.get(slug) if kind == "programs" else None)

    def has(self, card: str) -> bool:
        return self.entry(card) is not None

    def title(self, card: str, language: Language) -> str:
        entry = self.entry(card)
        return entry.title.in_(language) if entry else card

    def examples(self) -> Iterator[tuple[str, str, Language]]:
        """(utterance, card id, language) for the matcher; each title serves as one more utterance."""
        for card, entry in self.entries():
            for language in LANGUAGES:
                yield entry.title.in_(language), card, language
                yield from ((utterance, card, language) for utterance in entry.utterances.in_(language))

    def outside_examples(self) -> Iterator[tuple[str, str, Language]]:
        """(message, topic id, language) of what Trellis is not for."""
        for topic in self.outside.values():
            for language in LANGUAGES:
                yield from ((words, topic.id, language) for words in topic.utterances.in_(language))

    def reviewed_texts(self) -> Iterator[str]:
        """Titles and answers, as they stand in the files: words that somebody has read and checked."""
        for _, entry in self.entries():
            yield from _strings(entry.model_dump(exclude={"utterances", "id", "slug", "next", "source"}))

    def wage(self, role: str) -> Wage | None:
        return self.wages.get(self.roles[role].soc) if role in self.roles else None

    def steps_from(self, role: str) -> list[Step]:
        return [step for step in self.steps if step.from_ == role]

    def next_cohort(self, program: Program, today: date) -> Cohort | None:
        """The first cohort one can still apply for."""
        open_ones = [cohort for cohort in program.cohorts if cohort.apply_by >= today]
        return min(open_ones, key=lambda cohort: cohort.starts, default=None)

    # --- how it reads --------------------------------------------------------------------------------------------

    def say(self, message: str, language: Language, **values: Any) -> str:
        """A message of content/messages with its placeholders filled in."""
        return fill(self.messages[message].in_(language), values)

    def page(self, card: str, employee: Employee, language: Language, today: date) -> Page:
        """The answer of a card for this employee. Raises KeyError for an unknown card."""
        entry = self.entry(card)
        if entry is None:
            raise KeyError(card)
        if isinstance(entry, Role):
            text, following = self._role_lines(entry, language, today), self._after_role(entry)
        else:
            text, following = self._lines(entry.answer.in_(language), employee, language, today), entry.next
        words = text.text
        if isinstance(entry, Program):
            words += "\n" + self._cohort_line(entry, language, today)
        for owner in text.expired:
            words += "\n" + self.say("fact_expired", language, office=show_office(self.offices[owner], language))
        return Page(card, entry.title.in_(language), words, self._small_print(entry, language, today), following[:4])

    def outside_answer(self, topic: str, employee: Employee, language: Language, today: date) -> str:
        """Who can help with a topic that Trellis is not for."""
        return self._lines(self.outside[topic].answer.in_(language), employee, language, today).text

    def _lines(self, template: str, employee: Employee, language: Language, today: date) -> Lines:
        return render_lines(template, self._values(employee, language, today), employee, today)

    def _values(self, employee: Employee, language: Language, today: date) -> dict[str, Any]:
        role = self.roles.get(employee.role or "")
        site = self.sites.get(employee.site or "")
        return {
            "fact": lambda fact: show_fact(self.facts[fact], language, today),
            "office": lambda office: show_office(self.offices[office], language),
            "employer": self.employer["name"],
            "first_name": employee.first_name or self.say("you_there", language),
            "role": role.title.in_(language).lower() if role else self.say("your_role", language),
            "site": site.name if site else self.employer["name"],
        }

    def _role_lines(self, role: Role, language: Language, today: date) -> Lines:
        """A role's card: the day, the pay, what it takes, the hours. Pay and outlook go when their year is too old."""
        parts = [role.day.in_(language), self.pay_line(role.slug, language, today)]
        parts.append(self.say("role_needs", language, needs=role.needs.in_(language)))
        parts.append(self.say("role_hours", language, hours=role.hours.in_(language), physical=role.physical.in_(language)))
        parts.append(self.outlook_line(role.slug, language, today))
        expired = tuple(self.datasets[name].owner for name in ("wages", "outlook") if today > self.datasets[name].review_by)
        return Lines("\n".join(part.strip() for part in parts if part), tuple(dict.fromkeys(expired)))

    def pay_line(self, role: str, language: Language, today: date) -> str:
        """Usual pay an hour with its year and place; "" when there is no figure or it is too old."""
        wage, dataset = self.wage(role), self.datasets["wages"]
        if wage is None or today > dataset.review_by:
            return ""
        return self.say(
            "role_pay" if wage.in_hospitals else "role_pay_national",
            language,
            low=f"${wage.hourly_p25:,.2f}",
            high=f"${wage.hourly_p75:,.2f}",
            median=f"${wage.hourly_median:,.2f}",
            year=dataset.year,
        )

    def outlook_line(self, role: str, language: Language, today: date) -> str:
        outlook, dataset = self.outlooks.get(self.roles[role].soc), self.datasets["outlook"]
        if outlook is None or today > dataset.review_by:
            return ""
        key = "role_grows" if outlook.change_pct >= 0.5 else "role_shrinks" if outlook.change_pct <= -0.5 else "role_steady"
        return self.say(key, language, percent=f"{abs(outlook.change_pct):g}%")

    def _after_role(self, role: Role) -> tuple[str, ...]:
        """What people ask after a role: how do I get there, and the programs that lead to it."""
        leading = [program.id for program in self.programs.values() if role.slug in program.leads_to]
        return ("pathways/path-to", *leading[:2], "pathways/gap")

    def _cohort_line(self, program: Program, language: Language, today: date) -> str:
        cohort = self.next_cohort(program, today)
        if cohort is None:
            return self.say("no_cohort", language) if program.cohorts else ""
        return self.say(
            "next_cohort",
            language,
            starts=show_date(self, cohort.starts, language),
            apply_by=show_date(self, cohort.apply_by, language),
            place=cohort.place.in_(language),
        )

    def _small_print(self, entry: Reviewed, language: Language, today: date) -> str:
        """Source and date, as every answer names them."""
        source = entry.source.in_(language)
        if isinstance(entry, Role) and self.wage(entry.slug):
            source += "; " + self.datasets["wages"].source.in_(language)
        key = "small_print" if today <= entry.review_by else "small_print_overdue"
        return self.say(key, language, source=source, reviewed=show_date(self, entry.reviewed, language))


def show_date(kb: KnowledgeBase, day: date, language: Language) -> str:
    """ "March 4, 2027" or "4 de marzo de 2027"."""
    months = kb.messages["months"].in_(language).split()
    return kb.say("date", language, day=day.day, month=months[day.month - 1], year=day.year)


class AmbiguousTitles(RootModel[dict[str, tuple[str, ...]]]):
    """Words that may mean several roles."""


def load(root: Path) -> KnowledgeBase:
    """Read and check all of content/. Raises ContentError with every error found (warnings don't stop)."""
    from bot.knowledge_base.checking import check

    kb, problems = read(root)
    if kb is not None:
        problems += check(kb, date.max, structure_only=True)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors or kb is None:
        raise ContentError(errors)
    return kb


def read(root: Path) -> tuple[KnowledgeBase | None, list[Problem]]:
    """The knowledge base, or None when a base file is unreadable, and every problem of form."""
    if not root.is_dir():
        return None, [Problem(str(root), "", "there is no such folder (CONTENT_DIR)")]
    reader = Reader(root)
    employer = reader.mapping("employer.yaml")
    described = reader.model(Employer, "employer.yaml", "", employer)
    datasets = reader.named(Dataset, "data/datasets.yaml", reader.mapping("data/datasets.yaml"))
    cards = reader.models(Card, "cards", lambda name: {"id": name})
    steps = [
        step
        for path, values in reader.files("steps")
        for number, value in enumerate(reader.items(path, values), 1)
        if (step := reader.model(Step, path, f"step {number} ({value.get('from')} → {value.get('to')})", value))
    ]
    rules = reader.items("safety/rules.yaml", reader.file("safety/rules.yaml"))
    ambiguous = reader.model(AmbiguousTitles, "ambiguous_titles.yaml", "", reader.mapping("ambiguous_titles.yaml"))
    tuition = reader.model(TuitionPolicy, "tuition.yaml", "", reader.mapping("tuition.yaml"))
    shifts = reader.model(Shifts, "shifts.yaml", "", reader.mapping("shifts.yaml"))
    checkins = reader.model(CheckinPolicy, "policies/checkins.yaml", "", reader.mapping("policies/checkins.yaml"))
    roster = reader.model(RosterRules, "roster_columns.yaml", "", reader.mapping("roster_columns.yaml"))
    if described is None or tuition is None or shifts is None or checkins is None or roster is None:
        return None, reader.problems
    kb = KnowledgeBase(
        revision=revision(root),
        employer=employer,
        sites={site.id: site for site in described.sites},
        offices=reader.named(Office, "offices.yaml", reader.mapping("offices.yaml")),
        facts=reader.named_in(Fact, "facts"),
        cards=cards,
        roles=reader.models(Role, "roles", lambda name: {"slug": name}),
        credentials=reader.named_in(Credential, "credentials"),
        steps=tuple(steps),
        programs=reader.models(Program, "programs", lambda name: {"slug": name}),
        tuition=tuition,
        shifts=shifts,
        checkins=checkins,
        roster=roster,
        messages=reader.named_in(Text, "messages"),
        ambiguous_titles=ambiguous.root if ambiguous else {},
        short_forms=_short_forms(reader),
        outside=reader.named(OutsideTopic, "outside.yaml", reader.mapping("outside.yaml")),
        other_languages=reader.named(OtherLanguage, "languages.yaml", reader.mapping("languages.yaml")),
        safety_rules=tuple(
            rule
            for number, values in enumerate(rules, 1)
            if (rule := reader.model(SafetyRule, "safety/rules.yaml", f"rule {number}", values))
        ),
        datasets=datasets,
        wages={row.soc: row for row in reader.table(Wage, "data/wages.csv")},
        outlooks={row.soc: row for row in reader.table(Outlook, "data/outlook.csv")},
    )
    if not datasets:
        reader.problems.append(Problem("data/datasets.yaml", "", "says nothing; it can't be left empty"))
    return (kb if datasets else None), reader.problems


def _short_forms(reader: Reader) -> dict[str, str]:
    """YAML reads a bare y, n, on or off as no word at all; such a line is a problem, not a surprise."""
    found = reader.mapping("spelling.yaml").get("short_forms") or {}
    if not isinstance(found, dict):
        reader.problems.append(Problem("spelling.yaml", "short_forms", "should have lines like `hw: how`"))
        return {}
    for short, long in found.items():
        if not isinstance(short, str) or not isinstance(long, str):
            reader.problems.append(Problem("spelling.yaml", str(short), "both sides must be words; put them in quotes"))
    return {short: long for short, long in found.items() if isinstance(short, str) and isinstance(long, str)}


def revision(root: Path) -> str:
    """A short name for exactly this content: changes when any file does."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".yaml", ".csv")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        if path.is_file() and is_inside(root, path):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _strings(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _strings(each))


__all__ = ["ExpiredFact", "KnowledgeBase", "Page", "load", "read"]
