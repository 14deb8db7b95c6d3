"""Figures tell how things go at a hospital and its sites, and nobody can be picked out of them."""

import csv
from collections import defaultdict
from datetime import timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot.domain.small_groups import ERASED, row_shown
from bot.services.attention import reassess
from bot.services.dashboards import all_charts, chart_named
from bot.services.unanswered import MOST_OF_ONE, unanswered_groups
from storage.models import Conversation, Exchange, Feedback, Handoff, Person
from tests.conftest import NOW, WORKSPACE
from tests.console_world import console_of  # noqa: F401  the fixture `console`

LAST_WEEK = NOW - timedelta(weeks=1)
HOME = "supports/domestic-violence"
numbers = count(1)


def ask(sessions, site, people, card="programs/overview", outcome="answer", at=LAST_WEEK, unhelpful=False, waited=None):
    """So many new people of a site ask once; returns who."""
    asked = []
    with sessions() as session:
        for number in (next(numbers) for _ in range(people)):
            person = Person(
                workspace=WORKSPACE, employee_id=f"X{number}", first_name="X", site=site, created_at=NOW, updated_at=NOW
            )
            session.add(person)
            session.flush()
            chat = Conversation(
                workspace=WORKSPACE, person_id=person.id, channel=f"D{number}", thread_ts="", started_at=at, last_at=at, language="en"
            )  # fmt: skip
            session.add(chat)
            session.flush()
            exchange = Exchange(
                workspace=WORKSPACE, conversation_id=chat.id, person_id=person.id, inbox_key=f"k{number}", asked_at=at,
                question="where do i park", question_ts="1", language="en", outcome=outcome, cards=[card], confidence=1.0,
                reply_text="x", content_revision="r",
            )  # fmt: skip
            session.add(exchange)
            session.flush()
            if unhelpful:
                session.add(Feedback(exchange_id=exchange.id, person_id=person.id, given_at=at, helpful=False))
            if waited:
                session.add(
                    Handoff(
                        workspace=WORKSPACE, person_id=person.id, reason="asked", state="claimed", asked_at=at,
                        claimed_at=at + timedelta(hours=waited),
                    )
                )  # fmt: skip
            asked.append(person.id)
        session.commit()
    return asked


@pytest.fixture
def figures(console):
    """What Helen of HR gets as spreadsheets: chart → {row: cells}, of one site or of all."""
    sessions = console.world.desk.sessions

    helen = console.as_("helen")

    def read(name, site=""):
        console.world.passed += timedelta(minutes=10)  # nothing is remembered from before
        page = helen.page(f"/dashboards/{name}.csv?site={site}")
        (_, *columns), *rows = csv.reader(page.splitlines())
        return {row: dict(zip(columns, cells, strict=True)) for row, *cells in rows}

    return sessions, read


WEEK = LAST_WEEK - timedelta(days=LAST_WEEK.weekday())
LABEL = WEEK.strftime("%b %-d")


def test_one_person_at_a_site_can_not_be_found_by_taking_the_other_site_from_all(figures):
    sessions, read = figures
    ask(sessions, "main", 5, HOME, unhelpful=True)
    ask(sessions, "west", 1, HOME, unhelpful=True)
    ask(sessions, "west", 5)
    assert next(iter(read("supports").values())) == {"People": "6"}
    for site in ("main", "west"):
        assert [cells["People"] for cells in read("supports", site).values()] == ["hidden"]
    ask(sessions, "west", 4, HOME, unhelpful=True)
    assert [next(iter(read("supports", site).values()))["People"] for site in ("", "main", "west")] == ["10", "5", "5"]


def test_what_became_of_one_persons_question_is_not_shown(figures):
    sessions, read = figures
    ask(sessions, "main", 8)
    ask(sessions, "west", 9)
    ask(sessions, "west", 1, "assistant/human", outcome="handoff", waited=7)
    row = read("outcomes")[LABEL]
    assert (row["Handed to a person"], row["Answered"]) == ("hidden", "hidden"), "17 beside a sum of 18 would give it away"
    for site in ("main", "west"):
        assert set(read("outcomes", site)[LABEL].values()) <= {"hidden", "0"}
        assert "1" not in read("topics", site)[LABEL].values()
        assert read("waits", site)[LABEL] == {"Median hours": "hidden"}
    assert read("waits")[LABEL] == {"Median hours": "hidden"}


def test_enough_people_everywhere_and_everything_is_shown(figures):
    sessions, read = figures
    for site, people in (("main", 8), ("west", 9)):
        ask(sessions, site, people)
        ask(sessions, site, 5, "assistant/human", outcome="handoff", waited=people)
    assert read("outcomes")[LABEL] == {"Answered": "17", "Asked back": "0", "Not answered": "0", "Handed to a person": "10"}
    assert read("outcomes", "west")[LABEL]["Answered"] == "9"
    assert [read("waits", site)[LABEL]["Median hours"] for site in ("main", "west")] == ["8", "9"]


def test_who_looks_every_day_learns_nothing_of_a_single_day(figures):
    sessions, read = figures
    ask(sessions, "main", 9)
    before = read("outcomes")
    ask(sessions, "main", 20, at=NOW - timedelta(days=NOW.weekday()))
    assert read("outcomes") == before


def test_erasing_somebody_shows_hr_nothing_of_what_they_had_asked(figures, console):
    sessions, read = figures
    people = ask(sessions, "main", 9)
    ask(sessions, "west", 9)
    before = read("outcomes")
    assert read("outcomes", "main")[LABEL]["Answered"] == "9"
    console.as_("helen").post(f"/people/{people[0]}/erase", name="X", reason="asked to be forgotten")
    with sessions() as session:
        assert session.exec(select(Exchange).where(Exchange.person_id == people[0])).first() is None
    assert read("outcomes") == before
    assert set(read("outcomes", "main")[LABEL].values()) == {"hidden"}


def test_unanswered_questions_are_named_with_words_that_enough_people_used(sessions, answering):
    people = ask(sessions, "main", 6, outcome="abstain")
    with sessions() as session:
        mine = session.exec(select(Exchange).where(Exchange.person_id == people[0])).one()
        mine.question = "where do i park with my xyzzy"
        session.commit()
        chart = chart_named(all_charts(session, answering.kb, WORKSPACE, NOW, "", 5), "unanswered")
    assert [(label, cells) for label, cells in chart.rows] == [("Park", (6,))]


def test_one_person_can_not_fill_the_page_of_unanswered_questions(sessions):
    (flood,) = ask(sessions, "main", 1, outcome="abstain")
    with sessions() as session:
        first = session.exec(select(Exchange).where(Exchange.person_id == flood)).one()
        for number in range(200):
            more = first.model_dump(exclude={"id"}) | {
                "inbox_key": f"flood{number}",
                "question": f"nonsense{number} xyz{number}",
            }
            session.add(Exchange(**more))
        session.commit()
        assert sum(group.questions for group in unanswered_groups(session, WORKSPACE, NOW)) == MOST_OF_ONE


def test_questions_are_grouped_once_for_some_minutes_and_deleted_words_are_gone_at_once(console, monkeypatch):
    sessions, grouped = console.world.desk.sessions, []
    monkeypatch.setattr("bot.services.unanswered.alike", lambda said: grouped.append(1) or [[i] for i in range(len(said))])
    people = ask(sessions, "main", 2, outcome="abstain", at=NOW)
    with sessions() as session:
        mine = session.exec(select(Exchange).where(Exchange.person_id == people[0])).one()
        mine.question = "xyzzy"
        reassess(session, mine.conversation_id)  # it needs someone: coaches may read it
        session.commit()
    carmen, helen = console.as_("carmen"), console.as_("helen")
    for _ in range(3):
        assert "xyzzy" in carmen.page("/unanswered")
        helen.page("/dashboards")
    assert len(grouped) == 2, "once for each of the two pages"
    with sessions() as session:
        session.exec(select(Exchange).where(Exchange.person_id == people[0])).one().question = ""
        session.commit()
    assert "xyzzy" not in carmen.page("/unanswered")
    console.world.passed += timedelta(minutes=10)
    carmen.page("/unanswered")
    assert len(grouped) == 4


ROWS = st.dictionaries(
    st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["w", "x", "y", "z"])),
    st.sets(st.integers(ERASED, 40), max_size=12),
)


@given(ROWS)
@settings(max_examples=400, deadline=None)
def test_no_cell_of_fewer_than_five_can_be_computed_from_those_shown_and_the_sums(people):
    """Everything that is shown, for all sites and each, and the sums of all that is shown, as equations: no small cell,
    and no small row, column or remainder, follows from them."""
    places = {"a": set(range(1, 15)), "b": set(range(15, 28)), "c": set(range(28, 36)), "": {ERASED, *range(36, 41)}}
    people = {(site, column): who & places[site] for (site, column), who in people.items()}  # a person has one site
    people |= {(site, column): set() for site in places for column in "wxyz" if (site, column) not in people}
    shown = row_shown(people, 5)
    cells = sorted(people)

    def equation(wanted):
        return [1.0 if wanted(*cell) else 0.0 for cell in cells]

    known = [equation(lambda *_: True)]
    known += [equation(lambda _, column, it=column: column == it) for column in shown.columns]
    for place in shown.sites:
        known.append(equation(lambda site, _, place=place: site == place))
        known += [
            equation(lambda *cell, it=(place, column): cell == it) for column in shown.columns if shown.has(place, column)
        ]
    nobody = [equation(lambda *cell, it=cell: cell == it) for cell in cells if not people[cell]]
    rank = np.linalg.matrix_rank(np.array(known + nobody))
    groups = defaultdict(set)
    for (site, column), who in people.items():
        groups["cell", site, column] |= who
        groups["column", column] |= who
        groups["site", site] |= who
    for group, who in groups.items():
        if 0 < len(who) < 5:
            wanted = {
                "cell": lambda site, column, it=group: (site, column) == it[1:],
                "column": lambda _, column, it=group: column == it[1],
                "site": lambda site, _, it=group: site == it[1],
            }[group[0]]
            if sum(map(len, people.values())) and len(set().union(*people.values())) >= 5:
                together = np.linalg.matrix_rank(np.array([*known, *nobody, equation(wanted)]))
                assert together > rank, (group, shown)
