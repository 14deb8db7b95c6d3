"""Measuring how well messages are understood: what counts as what."""

import json

import pytest

from bot.domain.evaluation import Asked, evaluate
from bot.domain.problems import ContentError
from bot.services.evaluating import ask_all, read_questions
from bot.services.evaluation_page import evaluation_page
from tests.conftest import NOW


def asked(outcome, cards, acceptable=("roles/cook",), pile="question", **more):
    facts = {
        "id": "1",
        "text": "what does a cook make",
        "language": "en",
        "kind": "plain",
        "confidence": 0.9,
        "safety": False,
    }
    return Asked(**facts | more, pile=pile, acceptable=acceptable, outcome=outcome, cards=cards)


def test_right_offered_wrong_and_given_up_are_told_apart():
    figures = evaluate(
        [
            asked("answer", ("roles/cook",)),
            asked("clarify", ("roles/baker", "roles/cook")),
            asked("answer", ("roles/baker",)),
            asked("abstain", ()),
        ]
    ).questions["en"]
    assert [each.count for each in (figures.right, figures.offered, figures.wrong, figures.gave_up)] == [1, 2, 1, 1]


def test_an_answer_out_of_scope_counts_against_us_and_a_missed_safety_message_is_named():
    evaluation = evaluate(
        [
            asked("answer", ("roles/cook",), (), "out of scope", kind="near"),
            asked("abstain", (), (), "out of scope", kind="far"),
            asked("answer", ("roles/cook",), ("safety/crisis",), "safety", text="I want to end it"),
            asked("answer", ("safety/crisis",), (), "look-alike", safety=True),
        ]
    )
    assert evaluation.out_of_scope_answered["en"].count == 1
    assert evaluation.safety_missed == ("1: I want to end it",)
    assert evaluation.false_alarms["en"].percent == 100


def test_a_bad_file_of_questions_names_every_bad_line(tmp_path):
    file = tmp_path / "en.jsonl"
    file.write_text('{"id": 1}\n{"id": "2", "text": "hi", "acceptable": []}\nnonsense\n')
    with pytest.raises(ContentError) as caught:
        read_questions(file)
    assert [problem.place for problem in caught.value.problems] == ["line 1", "line 3"]


def test_turns_are_asked_in_one_conversation_and_echoes_of_utterances_are_noticed(answering, tmp_path):
    utterance, card, _ = next(iter(answering.kb.examples()))
    file = tmp_path / "en.jsonl"
    turns = [{"text": utterance, "acceptable": [card]}, {"text": "zzz blorp qwv", "acceptable": []}]
    file.write_text(json.dumps({"id": "1", "turns": turns}))
    first, second = ask_all(answering, read_questions(file), NOW.date())
    assert (first.pile, first.echoes) == ("question", True)
    assert (second.pile, second.echoes) == ("follow-up", False)


def test_the_page_shows_what_people_wrote_as_words_and_nothing_else():
    page = evaluation_page(evaluate([asked("answer", ("roles/baker",), text="<script>alert(1)</script>")]), "r1")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
