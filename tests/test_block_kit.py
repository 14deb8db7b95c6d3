"""Everything that Trellis draws is within Slack's limits, for every card, language and employee; and the limits are right."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import slackblocks
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.domain.understanding import Decision
from bot.localslack.block_kit import LIMITS, message_problems, view_problems
from bot.slack.blocks import draw_reply, feedback_reasons

TODAY = date(2026, 11, 23)
EMPLOYEES = [
    Employee(),
    Employee("Rosa", "es", "environmental-services-technician", "main", 36, "nights", date(2021, 3, 1)),
    Employee("Dwayne", "en", "patient-transporter", "west", 24, "days", date(2026, 11, 2)),
    Employee("X" * 80, "en", "nurse-manager", "south", 8, "rotating", date(2011, 3, 1), is_manager=True),
]


def text(length: int, kind: str = "plain_text") -> dict[str, str]:
    return {"type": kind, "text": "x" * length}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": text(5), **more}


def slack_takes(block: dict[str, Any]) -> bool:
    return not message_problems("text", [block])


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("employee", EMPLOYEES, ids=lambda employee: employee.first_name[:6] or "unknown")
def test_every_card_can_be_sent_to_every_employee(answering, employee, language):
    problems = []
    for card, _ in answering.kb.entries():
        reply, _ = answering.reply_with_card(card, employee, Dialogue(), TODAY, language)
        payload = draw_reply(answering.kb, reply, 12345, language)
        assert payload["text"].strip(), card
        problems += [f"{card}: {problem}" for problem in message_problems(payload["text"], payload["blocks"])]
    assert problems == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_two_answers_a_choice_or_an_abstention_can_be_sent(answering, data):
    cards = st.sampled_from([card for card, _ in answering.kb.entries()])
    roles = st.sampled_from(sorted(answering.kb.roles))
    outcome = data.draw(st.sampled_from(["answer", "clarify", "abstain"]))
    language = data.draw(st.sampled_from(["en", "es"]))
    chosen = tuple(data.draw(st.lists(cards, min_size=2, max_size=3, unique=True)))
    asked = RolesAsked(data.draw(roles), data.draw(roles), (), ())
    also = chosen[1] if outcome == "answer" else None
    decision = Decision(outcome, chosen[:2] if also else chosen, 0.7, language, asked, also=also)
    reply, _ = answering.word(decision, data.draw(st.sampled_from(EMPLOYEES)), Dialogue(), TODAY, first_contact=True)
    payload = draw_reply(answering.kb, reply, 1, language)
    assert message_problems(payload["text"], payload["blocks"]) == []


def test_the_reasons_after_a_thumb_down_can_be_sent(answering):
    for language in ("en", "es"):
        payload = feedback_reasons(answering.kb, 1, language)
        assert message_problems(payload["text"], payload["blocks"]) == []


LONGEST = [
    ("a section", 3000, lambda n: {"type": "section", "text": text(n, "mrkdwn")}),
    ("a header", 150, lambda n: {"type": "header", "text": text(n)}),
    ("a button's label", 75, lambda n: {"type": "actions", "elements": [button(text=text(n))]}),
    ("a button's value", 2000, lambda n: {"type": "actions", "elements": [button(value="x" * n)]}),
    ("an action id", 255, lambda n: {"type": "actions", "elements": [button(action_id="x" * n)]}),
    ("a picture's description", 2000, lambda n: {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "x" * n}),
    ("a row of buttons", 25, lambda n: {"type": "actions", "elements": [button(action_id=f"a{i}") for i in range(n)]}),
    ("small print", 10, lambda n: {"type": "context", "elements": [text(3)] * n}),
    ("fields", 10, lambda n: {"type": "section", "fields": [text(3)] * n}),
    ("a field", 2000, lambda n: {"type": "section", "fields": [text(n)]}),
    ("a label of an input", 2000, lambda n: {"type": "input", "label": text(n), "element": {"type": "plain_text_input", "action_id": "a"}}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "limit", "block"), LONGEST, ids=[row[0] for row in LONGEST])
def test_one_more_than_the_limit_is_refused(what, limit, block):
    assert slack_takes(block(limit))
    assert not slack_takes(block(limit + 1))


def test_the_limits_agree_with_a_second_implementation():
    for length, good in ((3000, True), (3001, False)):
        assert slack_takes({"type": "section", "text": text(length, "mrkdwn")}) is good
        assert accepted(lambda length=length: slackblocks.SectionBlock(slackblocks.Text("x" * length))) is good
    for length, good in ((75, True), (76, False)):
        assert slack_takes({"type": "actions", "elements": [button(text=text(length))]}) is good
        assert (
            accepted(
                lambda length=length: slackblocks.Button(slackblocks.Text("x" * length, slackblocks.TextType.PLAINTEXT), "a")
            )
            is good
        )
    for length, good in ((150, True), (151, False)):
        assert slack_takes({"type": "header", "text": text(length)}) is good
        assert accepted(lambda length=length: slackblocks.HeaderBlock("x" * length)) is good


def accepted(make: Any) -> bool:
    try:
        make()
    except Exception:
        return False
    return True


def test_mistakes_that_slack_would_find_are_found():
    two_the_same = {"type": "actions", "elements": [button(), button()]}
    assert "stands twice" in message_problems("t", [two_the_same])[0]
    assert "invalid additional property: colour" in message_problems("t", [{"type": "divider", "colour": "red"}])[0]
    assert "unsupported type" in message_problems("t", [{"type": "modal"}])[0]
    assert (
        "missing required field: alt_text" in message_problems("t", [{"type": "image", "image_url": "https://x.example"}])[0]
    )
    assert any("50 items" in problem for problem in message_problems("t", [{"type": "divider"}] * 51))
    assert "needs a submit button" in view_problems({"type": "modal", "title": text(5), "blocks": [LONGEST[-1][2](9)]})[0]
    assert "24 characters" in view_problems({"type": "modal", "title": text(25), "blocks": []})[0]
    assert not slack_takes({"type": "actions", "elements": [{"type": "plain_text_input", "action_id": "a"}]})


def test_the_limits_file_has_only_rules_that_are_checked():
    known = {
        "string",
        "text",
        "plain_text",
        "list",
        "elements",
        "element",
        "options",
        "option",
        "object",
        "one_of",
        "int",
        "bool",
        "groups",
        "any",
    }
    used = {
        rule["is"] for kind in ("blocks", "elements") for each in LIMITS[kind].values() for rule in each["fields"].values()
    }
    assert used <= known


def test_the_manifest_is_what_slack_takes():
    schema = json.loads(Path("tests/data/slack-manifest.schema.2.0.0.json").read_text(encoding="utf-8"))
    manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)] == []
