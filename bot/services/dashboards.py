"""Figures for coaches, content owners and HR: from exchanges, handoffs and the counts that erased ones left."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

from sqlmodel import Session, col, select

from bot.domain.small_groups import ERASED, parts_shown, row_shown
from bot.knowledge_base import KnowledgeBase
from bot.services.unanswered import Group, unanswered_groups
from storage.models import Exchange, Feedback, Handoff, Person, Tally

WEEKS = 12
NOTHING = "Too few people to show anything yet."
Row = tuple[str, tuple[float | None, ...]]
OUTCOMES = ("answer", "clarify", "abstain", "handoff")
OUTCOME_WORDS = {"answer": "Answered", "clarify": "Asked back", "abstain": "Not answered", "handoff": "Handed to a person"}


@dataclass(frozen=True)
class Chart:
    """A table that is drawn as well. `rows`: a label and one number a column; None is hidden (too few people).

    `kind` is "weeks" (stacked columns over time) or "ranking" (bars, longest first).
    """

    name: str
    title: str
    says: str  # the point, in one sentence
    kind: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str = ""


@dataclass(frozen=True)
class Asked:
    """What figures need of an exchange; `person` is ERASED, and `site` "", where only a count is left."""

    week: date
    outcome: str
    card: str
    person: int
    site: str
    count: int = 1

    @property
    def kind(self) -> str:
        return self.card.split("/")[0]


def all_charts(session: Session, kb: KnowledgeBase, workspace: str, now: datetime, site: str, smallest: int) -> list[Chart]:
    """Every figure of the page, for one site or all, of twelve whole weeks: who looks every day learns nothing of a
    single day. No group of fewer than `smallest` people can be worked out, not even from all sites and weeks together."""
    weeks = _weeks(now)
    asked = _asked(session, kb, workspace, weeks)
    if site and len({each.person for each in asked if each.site == site}) < smallest:
        return []
    kinds = _common_kinds(asked, smallest)
    return [
        _outcomes(asked, weeks, site, smallest),
        _topics(asked, weeks, kinds, site, smallest),
        _time_to_a_person(session, kb, workspace, weeks, site, smallest),
        _ranking(
            "roles",
            "Jobs people ask about",
            "People who asked about a job, in the last 12 weeks.",
            ((each.card, each.site, each.person) for each in asked if each.kind == "roles"),
            lambda card: kb.title(card, "en"),
            site,
            smallest,
        ),
        _ranking(
            "supports",
            "Supports that keep failing",
            "People who gave a thumbs down on an answer about a support, or were not sure to get the right one.",
            [
                *_failing_supports(session, kb, workspace, weeks),
                *((each.card, "", ERASED) for each in asked if each.person == ERASED and each.kind == "supports"),
            ],
            lambda card: kb.title(card, "en"),
            site,
            smallest,
        ),
        *([] if site else [_unanswered(session, kb, workspace, _within(weeks)[1], smallest)]),
    ]


def chart_named(charts: Iterable[Chart], name: str) -> Chart | None:
    return next((chart for chart in charts if chart.name == name), None)


def _weeks(now: datetime) -> list[date]:
    """The Mondays of the last weeks that are over."""
    this = now.date() - timedelta(days=now.weekday())
    return [this - timedelta(weeks=back) for back in range(WEEKS, 0, -1)]


def _within(weeks: list[date]) -> tuple[datetime, datetime]:
    """From when, and until before when."""
    first, after = weeks[0], weeks[-1] + timedelta(weeks=1)
    return datetime.combine(first, datetime.min.time(), UTC), datetime.combine(after, datetime.min.time(), UTC)


def _week_of(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def _site(kb: KnowledgeBase, name: str | None) -> str:
    return name if name in kb.sites else ""  # type: ignore[return-value]


def _asked(session: Session, kb: KnowledgeBase, workspace: str, weeks: list[date]) -> list[Asked]:
    since, until = _within(weeks)
    wanted = select(Exchange.asked_at, Exchange.outcome, Exchange.cards, Exchange.person_id, Person.site)
    wanted = wanted.join(Person, col(Person.id) == col(Exchange.person_id)).where(
        Exchange.workspace == workspace, col(Exchange.asked_at) >= since, col(Exchange.asked_at) < until
    )
    asked = [
        Asked(_week_of(at), outcome, cards[0] if cards else "", person, _site(kb, site))
        for at, outcome, cards, person, site in session.exec(wanted)
    ]
    left = select(Tally).where(Tally.workspace == workspace, col(Tally.week).in_(weeks))
    return asked + [Asked(tally.week, tally.outcome, tally.card, ERASED, "", tally.count) for tally in session.exec(left)]


def _rows(
    asked: Iterable[Asked],
    weeks: list[date],
    columns: Sequence[str],
    column_of: Callable[[Asked], str],
    site: str,
    smallest: int,
) -> tuple[Row, ...]:
    """Questions by week and column, of one site or all; None where too few people stand behind them."""
    people: dict[date, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
    counts: Counter[tuple[date, str]] = Counter()
    for each in asked:
        column = column_of(each)
        people[each.week][each.site, column].add(each.person)
        if site in ("", each.site):
            counts[each.week, column] += each.count
    rows = []
    for week in weeks:
        shown = row_shown({(where, column): set() for where in {"", site} for column in columns} | people[week], smallest)
        values = tuple(counts[week, column] if shown.has(site, column) else None for column in columns)
        rows.append((_short(week), values))
    return tuple(rows)


def _outcomes(asked: list[Asked], weeks: list[date], site: str, smallest: int) -> Chart:
    rows = _rows(asked, weeks, OUTCOMES, lambda each: each.outcome, site, smallest)
    total = sum(value or 0 for _, values in rows for value in values)
    answered = sum(values[OUTCOMES.index("answer")] or 0 for _, values in rows)
    says = f"{total:g} questions are shown; {answered / total:.0%} of them answered at once." if total else NOTHING
    return Chart("outcomes", "What became of questions", says, "weeks", tuple(OUTCOME_WORDS[o] for o in OUTCOMES), rows)


def _common_kinds(asked: Iterable[Asked], smallest: int) -> list[str]:
    """The kinds of cards that most people ask for, at all sites together: the same columns for each site."""
    people: dict[str, set[int]] = defaultdict(set)
    for each in asked:
        people[each.kind].add(each.person)
    common = [kind for kind, who in people.items() if kind and len(who - {ERASED}) >= smallest]
    return sorted(common, key=lambda kind: (-len(people[kind]), kind))[:5]


def _topics(asked: list[Asked], weeks: list[date], kinds: list[str], site: str, smallest: int) -> Chart:
    """By kind of card; the others are put together."""
    rows = _rows(asked, weeks, [*kinds, ""], lambda each: each.kind if each.kind in kinds else "", site, smallest)
    names = tuple(kind.capitalize() or "Other or none" for kind in (*kinds, ""))
    says = f"Most people, of all sites, asked about: {kinds[0]}." if kinds else NOTHING
    return Chart("topics", "Questions per week by topic", says, "weeks", names, rows)


def _time_to_a_person(
    session: Session, kb: KnowledgeBase, workspace: str, weeks: list[date], site: str, smallest: int
) -> Chart:
    """Median hours from asking to a coach's claim, by the week of asking, where enough people waited."""
    since, until = _within(weeks)
    wanted = select(Handoff.asked_at, Handoff.claimed_at, Handoff.person_id, Person.site)
    wanted = wanted.join(Person, col(Person.id) == col(Handoff.person_id)).where(
        Handoff.workspace == workspace,
        Handoff.reason != "offered",
        col(Handoff.asked_at) >= since,
        col(Handoff.claimed_at) < until,
    )
    waits: dict[date, list[float]] = defaultdict(list)
    people: dict[date, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for asked_at, claimed_at, person, where in session.exec(wanted):
        if claimed_at:
            people[_week_of(asked_at)][_site(kb, where)].add(person)
            if site in ("", _site(kb, where)):
                waits[_week_of(asked_at)].append((claimed_at - asked_at).total_seconds() / 3600)
    rows: list[Row] = []
    for week in weeks:
        here = people[week]
        enough = site in parts_shown(here, smallest) if site else len(set().union(*here.values())) >= smallest
        rows.append((_short(week), (round(median(waits[week]), 1) if waits[week] and enough else None,)))
    shown = [value for _, (value,) in rows if value is not None]
    says = f"In the week in the middle, half of the people waited less than {median(shown):.1f} hours." if shown else NOTHING
    return Chart("waits", "Time to a person", says, "weeks", ("Median hours",), tuple(rows), "h")


def _failing_supports(
    session: Session, kb: KnowledgeBase, workspace: str, weeks: list[date]
) -> Iterable[tuple[str, str, int]]:
    since, until = _within(weeks)
    here = select(Exchange.cards, Person.site, Exchange.person_id)
    here = here.join(Person, col(Person.id) == col(Exchange.person_id)).where(
        Exchange.workspace == workspace, col(Exchange.asked_at) >= since, col(Exchange.asked_at) < until
    )
    down = here.join(Feedback, col(Feedback.exchange_id) == col(Exchange.id))
    down = down.where(col(Feedback.helpful).is_(False), col(Feedback.given_at) < until)
    unsure = here.where(col(Exchange.outcome).in_(("abstain", "clarify")))
    for cards, site, person in [*session.exec(down), *session.exec(unsure)]:
        if cards and cards[0].startswith("supports/"):
            yield cards[0], _site(kb, site), person


def _unanswered(session: Session, kb: KnowledgeBase, workspace: str, until: datetime, smallest: int) -> Chart:
    """What enough people asked without a good answer, in words that enough of them used, else under the nearest card."""
    groups = unanswered_groups(session, workspace, until)
    shown = [group for group in groups if group.people >= smallest][:15]
    rows: list[Row] = [(_label(kb, group, smallest), (group.people,)) for group in shown]
    if len(shown) < len(groups):
        rows.append((f"Others, with fewer than {smallest} people each", (None,)))
    says = "People who asked the same and got no good answer, in the last eight weeks."
    return Chart("unanswered", "Top unanswered", says, "ranking", ("People",), tuple(rows))


def _label(kb: KnowledgeBase, group: Group, smallest: int) -> str:
    if words := " ".join(word for word, people in group.common if people >= smallest):
        return words.capitalize()
    return kb.title(group.nearest, "en") if kb.has(group.nearest) else "In different words"


def _ranking(
    name: str,
    title: str,
    says: str,
    found: Iterable[tuple[str, str, int]],
    words: Callable[[str], str],
    site: str,
    smallest: int,
) -> Chart:
    """Distinct people by card, most first; `found` is (card, site, person). Cards with small groups are in one row without
    a number. Where somebody was erased no site is shown."""
    people: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for card, where, person in found:
        people[card][where].add(person)
    shown: list[tuple[int, str]] = []
    for card, by_site in people.items():
        everybody = set().union(*by_site.values())
        if site and ERASED not in everybody and site in parts_shown(by_site, smallest):
            shown.append((len(by_site[site]), card))
        elif not site and len(everybody - {ERASED}) >= smallest:
            shown.append((len(everybody - {ERASED}), card))
    rows: list[Row] = [(words(card), (number,)) for number, card in sorted(shown, reverse=True)[:15] if number]
    if len(shown) < len(people):
        rows.append((f"Others, with fewer than {smallest} people here or elsewhere", (None,)))
    return Chart(name, title, says, "ranking", ("People",), tuple(rows))


def _short(week: date) -> str:
    return week.strftime("%b %-d")
