"""Authors write promises in plain YAML; a broken one names the file, the place, what was said and what came instead."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.services.content_checks import run_content_tests

TODAY = date(2026, 11, 23)
Promise = Callable[[str], list[str]]


@pytest.fixture
def promise(tmp_path: Path, answering) -> Promise:
    """What the checker says about a file of content tests: its sentences, without the cards that lack a test."""
    (tmp_path / "tests").mkdir()

    def check(text: str) -> list[str]:
        (tmp_path / "tests/ours.yaml").write_text(text, encoding="utf-8")
        return [str(problem) for problem in run_content_tests(tmp_path, answering, TODAY) if problem.level == "error"]

    return check


def test_a_promise_that_holds_is_not_mentioned(promise):
    assert promise('- card: careers/resume\n  asks: ["can you help me write my resume please"]') == []


def test_a_broken_promise_names_file_place_what_was_said_and_what_came_instead(promise):
    [sentence] = promise("""
- card: careers/resume
  asks: ["can you help me write my resume please"]
- card: tuition/taxes
  asks: ["can you help me write my resume please"]
""")
    assert sentence.startswith(
        "tests/ours.yaml: test 2: “can you help me write my resume please” should give card tuition/taxes"
    )
    assert "but gives answer careers/resume" in sentence


def test_a_broken_turn_says_which_turn(promise):
    [sentence] = promise("""
- turns:
    - {asks: "does Lakeshore pay for college", card: tuition/overview}
    - {asks: "what if I fail", card: tuition/taxes}
""")
    assert sentence.startswith("tests/ours.yaml: test 1, turn 2: “what if I fail” should give card tuition/taxes")


def test_a_turn_leans_on_the_turn_before_it_and_messages_of_one_test_do_not(promise):
    conversation = """
- turns:
    - {asks: "¿cómo paso de limpieza a enfermera registrada?", card: pathways/path-to}
    - {asks: "¿y a flebotomista?", card: pathways/path-to, says: ["a Flebotomista"]}
"""
    alone = """
- card: pathways/path-to
  asks: ["¿cómo paso de limpieza a enfermera registrada?", "¿y a flebotomista?"]
"""
    assert promise(conversation) == []
    assert any("“¿y a flebotomista?” should give card pathways/path-to" in sentence for sentence in promise(alone))


def test_the_same_question_is_answered_for_the_employee_who_asks(promise):
    question = '  asks: ["what is the most tuition help I can get in a year"]\n  says: ["Part time, you may be eligible"]\n'
    assert promise(f"- card: tuition/amount\n{question}  as: {{hours_per_week: 24}}") == []
    [sentence] = promise(f"- card: tuition/amount\n{question}  as: {{hours_per_week: 40}}")
    assert "should say “Part time, you may be eligible”; it says “*How much tuition help pays*" in sentence


def test_only_a_manager_gets_what_is_for_managers(promise):
    question = '- card: managers/run-a-check-in\n  asks: ["how do I hold a career check-in with someone on my team"]\n'
    assert promise(question + "  as: {manager: true}") == []
    assert promise(question) != []


def test_words_that_must_not_be_said_are_found(promise):
    [sentence] = promise(
        '- card: safety/crisis\n  asks: ["honestly i want to end my life"]\n  says: ["988"]\n  never_says: ["911"]'
    )
    assert sentence == "tests/ours.yaml: test 1: the answer to “honestly i want to end my life” must not say “911”"


def test_a_card_that_may_be_offered_may_also_be_answered_and_several_must_all_be_offered(promise):
    asks = 'asks: ["can you help me write my resume please"]'
    assert promise(f"- offers: careers/resume\n  {asks}") == []
    [sentence] = promise(f"- offers: [careers/resume, careers/interview]\n  {asks}")
    assert "should give offers careers/resume, careers/interview, but gives answer careers/resume" in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- asks: [hm]", "test 1: needs exactly one of card, offers, abstains, handoff; it has none"),
        ("- asks: [hm]\n  card: tuition/amount\n  handoff: true", "it has card and handoff"),
        ("- card: tuition/amount", "test 1 asks: is missing"),
        ("- card: tuition/amount\n  asks: []", "test 1 asks:"),
        ("- card: tuition/amout\n  asks: [hm]", "test 1: “tuition/amout” is not a card that exists"),
        ("- card: tuition/amount\n  ask: [hm]", "test 1 ask: is not a word that this file knows"),
        ("- abstains: true\n  asks: [hm]\n  as: {role: nures}", "test 1: as: “nures” is not a role that exists"),
        ("- abstains: true\n  asks: [hm]\n  as: {site: moon}", "test 1: as: “moon” is not a site that exists"),
        ("- abstains: true\n  asks: [hm]\n  as: {shift: sometimes}", "test 1 as.shift: “sometimes” is not one of"),
        ("- turns:\n  - {asks: [one, two], handoff: true}", "test 1 turns.0.asks:"),
        ("- turns:\n  - {asks: hm, card: tuition/amout}", "test 1, turn 1: “tuition/amout” is not a card that exists"),
        ("card: tuition/amount", "tests/ours.yaml: should be a list"),
        ("- just words", "test 1: should have lines like"),
        ("- card: [tuition/amount", "tests/ours.yaml: line"),
    ],
)
def test_a_test_file_that_is_written_wrongly_gets_a_sentence(promise, text, sentence):
    assert any(sentence in problem for problem in promise(text)), promise(text)


def test_a_test_copied_from_a_card_is_refused_even_in_another_order(promise, answering):
    utterance = max(answering.kb.cards["careers/resume"].utterances.en, key=len)
    turned = " ".join(reversed(utterance.split()))
    for copied in (utterance, turned):
        [sentence] = promise(f"- card: careers/resume\n  asks:\n    - {copied!r}")
        assert sentence.endswith("is copied from cards/careers/resume.yaml; say it another way")


def test_a_card_without_a_test_is_a_warning(tmp_path, answering):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/ours.yaml").write_text('- card: careers/resume\n  asks: ["can you help me write my resume please"]')
    problems = run_content_tests(tmp_path, answering, TODAY)
    assert {problem.level for problem in problems} == {"warning"}
    files = {problem.file for problem in problems if "untested card" in problem.sentence}
    assert "cards/careers/interview.yaml" in files
    assert "roles/cook.yaml" in files
    assert "cards/careers/resume.yaml" not in files
