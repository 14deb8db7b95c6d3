"""The operator's command line: reviews become content tests, people's rights, and what is old goes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.commands import parser
from bot.config import Settings
from storage.models import AuditEntry, Conversation, Exchange, Handoff, Tally
from tests.console_world import Console, console_of  # noqa: F401  a fixture

Run = Callable[..., int]


@pytest.fixture
def run(database_url: str) -> Run:
    settings = Settings(database_url=database_url, content_dir=Path("content"))

    def command(*words: str) -> int:
        arguments = parser().parse_args(words)
        return int(arguments.run(arguments, settings))

    return command


def reviewed(console: Console, question: str, right_card: str) -> None:
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    exchange = str(console.rows(Exchange)[-1].id)
    console.as_("carmen").post(
        "/conversations/1/reviews", exchange=exchange, verdict="wrong-card", right_card=right_card, question=question
    )


def test_open_reviews_become_tests_beside_those_that_are_there(console, run, tmp_path, capsys):
    reviewed(console, "Will it be sunny at the weekend?", "abstains")
    reviewed(console, "Who pays the tax on school money?", "tuition/taxes")
    kept = [{"card": "tuition/taxes", "asks": ["Is school money income?"]}]
    (tmp_path / "reviews.yaml").write_text(yaml.safe_dump(kept))
    assert run("reviews", "export", "--out", str(tmp_path)) == 0
    said = capsys.readouterr()
    assert "content/cards/tuition/taxes.yaml" in said.out
    assert "2 open reviews" in said.err
    assert yaml.safe_load((tmp_path / "reviews.yaml").read_text()) == [
        {"card": "tuition/taxes", "asks": ["Is school money income?", "Who pays the tax on school money?"]},
        {"abstains": True, "asks": ["Will it be sunny at the weekend?"]},
    ]
    before = (tmp_path / "reviews.yaml").read_text()
    assert run("reviews", "export", "--out", str(tmp_path)) == 0
    assert (tmp_path / "reviews.yaml").read_text() == before


def test_somebody_gets_a_copy_and_is_erased_by_the_operator_and_both_is_written_down(console, run, capsys):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    assert run("person", "export", "DWAYNE@lakeshore.example") == 0
    assert "what is the weather like on sunday" in capsys.readouterr().out
    assert run("person", "erase", "dwayne@lakeshore.example", "--yes") == 0
    assert "1 × exchange" in capsys.readouterr().out
    assert console.rows(Exchange) == []
    acts = [(entry.actor_id, entry.act, entry.subject_id) for entry in console.rows(AuditEntry)]
    assert acts[-2:] == [(None, "exported", 2), (None, "erased", 2)]


def test_nothing_is_erased_without_the_full_name(console, run, capsys, monkeypatch):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    assert run("person", "erase", "dwayne@lakeshore.example") == 1
    assert len(console.rows(Exchange)) == 1
    monkeypatch.setattr("builtins.input", lambda _question: "dwayne ellis")
    assert run("person", "erase", "dwayne@lakeshore.example") == 0
    assert console.rows(Exchange) == []


def test_a_call_for_help_that_nobody_has_seen_to_outlives_the_operator_and_retention(console, run, capsys):
    console.world.say("UROSA", "ya no quiero vivir")
    with console.world.desk.sessions() as session:
        session.get_one(Conversation, 1).last_at = datetime.now(UTC) - timedelta(days=3 * 365)
        session.commit()
    assert run("retention") == 0
    assert run("person", "erase", "rosa@lakeshore.example", "--yes") == 1
    assert "a coach has something open" in capsys.readouterr().err
    assert [handoff.state for handoff in console.rows(Handoff)] == ["waiting"]
    console.as_("carmen").post("/conversations/1/resolve")
    assert run("retention") == 0
    assert console.rows(Handoff) == []


def test_an_address_that_nobody_has_is_said_so(console, run, capsys):
    assert run("person", "export", "nobody@elsewhere.example") == 1
    assert "Nobody on the roster has the address" in capsys.readouterr().err


def test_retention_erases_what_is_older_than_the_policy_and_leaves_counts(console, run, capsys):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    console.world.say("UROSA", "qué tiempo hace el domingo")
    with console.world.desk.sessions() as session:
        old = session.get_one(Conversation, 1)
        old.last_at = datetime.now(UTC) - timedelta(days=3 * 365)
        session.get_one(Conversation, 2).last_at = datetime.now(UTC)
        session.commit()
    assert run("retention") == 0
    assert "Older than 24 months: erased" in capsys.readouterr().out
    assert [exchange.conversation_id for exchange in console.rows(Exchange)] == [2]
    assert sum(tally.count for tally in console.rows(Tally)) == 1
    assert console.rows(AuditEntry)[-1].act == "erased by retention"


def test_the_inbox_is_measured_page_by_page(run, tmp_path, capsys):
    assert (
        run("bench", "console", "--conversations", "200", "--database", f"sqlite:///{tmp_path / 'bench.db'}", "--json") == 0
    )
    timings = {timing["page"]: timing for timing in json.loads(capsys.readouterr().out)}
    assert timings["everything, latest first"]["rows"] == 50
    assert timings["search, a rare word"]["rows"] == 1
    assert run("bench", "console", "--database", f"sqlite:///{tmp_path / 'bench.db'}") == 1
    assert "needs an empty one" in capsys.readouterr().err
