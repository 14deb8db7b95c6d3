"""Figures for coaches, content owners and HR: from exchanges, handoffs and the counts that erased ones left."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlmodel import Session, col, select

from bot.knowledge_base import KnowledgeBase
from bot.services.unanswered import unanswered_groups
from storage.models import Exchange, Feedback, Handoff, Person, Tally

WEEKS = 12
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
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    unit: str = ""


@dataclass(frozen=True)
class Asked:
    """What figures need of an exchange; `person` is 0 for erased ones."""

    week: date
    outcome: str
    card: str
    person: int
    count: int = 1


def all_charts(session: Session, kb: KnowledgeBase, workspace: str, now: datetime, site: str, smallest: int) -> list[Chart]:
    """Every figure of the page, for one site or all. Groups of fewer than `smallest` people are hidden."""
    asked = _asked(session, workspace, now, site)
    people = len({each.person for each in asked} - {0})
    if site and people < smallest:
        return []
    weeks = _weeks(now)
    return [
        _outcomes(asked, weeks),
        _topics(asked, weeks, smallest),
        _time_to_a_person(session, workspace, now, site, weeks, smallest),
        _ranking(
            "roles",
            "Jobs people ask about",
            "People who asked about a job, in the last 12 weeks.",
            ((each.card, each.person) for each in asked if each.card.startswith("roles/")),
            lambda card: kb.title(card, "en"),
            smallest,
        ),
        _ranking(
            "supports",
            "Supports that keep failing",
            "People who gave a thumbs down on an answer about a support, or were not sure to get the right one.",
            _failing_supports(session, workspace, now, site),
            lambda card: kb.title(card, "en"),
            smallest,
        ),
        *([] if site else [_unanswered(session, workspace, now, smallest)]),
    ]


def chart_named(charts: Iterable[Chart], name: str) -> Chart | None:
    return next((chart for chart in charts if chart.name == name), None)


def _weeks(now: datetime) -> list[date]:
    this = now.date() - timedelta(days=now.weekday())
    return [this - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]


def _asked(session: Session, workspace: str, now: datetime, site: str) -> list[Asked]:
    since = _weeks(now)[0]
    wanted = select(Exchange.asked_at, Exchange.outcome, Exchange.cards, Exchange.person_id).where(
        Exchange.workspace == workspace, col(Exchange.asked_at) >= datetime.combine(since, datetime.min.time(), now.tzinfo)
    )
    if site:
        wanted = wanted.join(Person, col(Person.id) == col(Exchange.person_id)).where(Person.site == site)
    asked = [
        Asked(at.date() - timedelta(days=at.weekday()), outcome, cards[0] if cards else "", person)
        for at, outcome, cards, person in session.exec(wanted)
    ]
    if not site:  # what erased exchanges left knows no site
        left = select(Tally).where(Tally.workspace == workspace, col(Tally.week) >= since)
        asked += [Asked(tally.week, tally.outcome, tally.card, 0, tally.count) for tally in session.exec(left)]
    return asked


def _outcomes(asked: list[Asked], weeks: list[date]) -> Chart:
    counts: Counter[tuple[date, str]] = Counter()
    for each in asked:
        counts[each.week, each.outcome] += each.count
    total, answered = sum(counts.values()), sum(n for (_, outcome), n in counts.items() if outcome == "answer")
    says = f"{total} questions in 12 weeks; {answered / total:.0%} answered at once." if total else "No questions yet."
    rows = tuple((_short(week), tuple(counts[week, outcome] for outcome in OUTCOMES)) for week in weeks)
    return Chart("outcomes", "What became of questions", says, "weeks", tuple(OUTCOME_WORDS[o] for o in OUTCOMES), rows)


def _topics(asked: list[Asked], weeks: list[date], smallest: int) -> Chart:
    """By kind of card; kinds that fewer than `smallest` people asked for are put together."""
    people: dict[str, set[int]] = defaultdict(set)
    counts: Counter[tuple[date, str]] = Counter()
    for each in asked:
        people[each.card.split("/")[0]].add(each.person)
    shown = [kind for kind, who in people.items() if kind and len(who - {0}) >= smallest]
    shown = sorted(shown, key=lambda kind: -sum(e.count for e in asked if e.card.startswith(kind + "/")))[:5]
    for each in asked:
        kind = each.card.split("/")[0]
        counts[each.week, kind if kind in shown else ""] += each.count
    columns = (*shown, "")
    rows = tuple((_short(week), tuple(counts[week, kind] for kind in columns)) for week in weeks)
    names = tuple(kind.capitalize() or "Other or none" for kind in columns)
    says = f"Most asked about: {shown[0]}." if shown else f"No topic has {smallest} people yet."
    return Chart("topics", "Questions per week by topic", says, "weeks", names, rows)


def _time_to_a_person(session: Session, workspace: str, now: datetime, site: str, weeks: list[date], smallest: int) -> Chart:
    """Median hours from asking to a coach's claim, by the week of asking."""
    wanted = select(Handoff.asked_at, Handoff.claimed_at, Handoff.person_id).where(
        Handoff.workspace == workspace, Handoff.reason != "offered", col(Handoff.claimed_at).is_not(None)
    )
    if site:
        wanted = wanted.join(Person, col(Person.id) == col(Handoff.person_id)).where(Person.site == site)
    waits: dict[date, list[float]] = defaultdict(list)
    for asked_at, claimed_at, _person in session.exec(wanted):
        if claimed_at:
            waits[asked_at.date() - timedelta(days=asked_at.weekday())].append(
                (claimed_at - asked_at).total_seconds() / 3600
            )
    shown = [wait for week in weeks for wait in waits[week]]
    says = f"Half of the people waited less than {median(shown):.1f} hours." if shown else "Nobody was handed over yet."
    rows = tuple((_short(week), (round(median(waits[week]), 1) if waits[week] else 0.0,)) for week in weeks)
    return Chart("waits", "Time to a person", says, "weeks", ("Median hours",), rows, "h")


def _failing_supports(session: Session, workspace: str, now: datetime, site: str) -> list[tuple[str, int]]:
    since = datetime.combine(_weeks(now)[0], datetime.min.time(), now.tzinfo)
    down = select(Exchange.cards, Exchange.person_id).join(Feedback, col(Feedback.exchange_id) == col(Exchange.id))
    down = down.where(Exchange.workspace == workspace, col(Exchange.asked_at) >= since, col(Feedback.helpful).is_(False))
    unsure = select(Exchange.cards, Exchange.person_id).where(
        Exchange.workspace == workspace, col(Exchange.asked_at) >= since, col(Exchange.outcome).in_(("abstain", "clarify"))
    )
    if site:
        here = select(Person.id).where(Person.workspace == workspace, Person.site == site)
        down, unsure = down.where(col(Exchange.person_id).in_(here)), unsure.where(col(Exchange.person_id).in_(here))
    rows = [*session.exec(down).all(), *session.exec(unsure).all()]
    return [(cards[0], person) for cards, person in rows if cards and cards[0].startswith("supports/")]


def _unanswered(session: Session, workspace: str, now: datetime, smallest: int) -> Chart:
    """What enough people asked without a good answer, in the words that their questions share."""
    groups = unanswered_groups(session, workspace, now)
    shown = [group for group in groups if group.people >= smallest][:15]
    rows: list[tuple[str, tuple[float | None, ...]]] = [(group.words.capitalize(), (group.people,)) for group in shown]
    if few := len(groups) - len(shown):
        rows.append((f"{few} with fewer than {smallest} people each", (None,)))
    says = "People who asked the same and got no good answer, in the last eight weeks."
    return Chart("unanswered", "Top unanswered", says, "ranking", ("People",), tuple(rows))


def _ranking(
    name: str,
    title: str,
    says: str,
    pairs: Iterable[tuple[str, int]],
    words: Callable[[str], str],
    smallest: int,
) -> Chart:
    """Distinct people by card, most first. Small groups are put together, and hidden when even together they are few."""
    people: dict[str, set[Hashable]] = defaultdict(set)
    for card, person in pairs:
        if person:
            people[card].add(person)
    shown = sorted(((len(who), card) for card, who in people.items() if len(who) >= smallest), reverse=True)[:15]
    small = [who for who in people.values() if len(who) < smallest]
    rows: list[tuple[str, tuple[float | None, ...]]] = [(words(card), (number,)) for number, card in shown]
    if small:
        together = len(set().union(*small))
        rows.append((f"{len(small)} with fewer than {smallest} people each", (together if together >= smallest else None,)))
    return Chart(name, title, says, "ranking", ("People",), tuple(rows))


def _short(week: date) -> str:
    return week.strftime("%b %-d")
