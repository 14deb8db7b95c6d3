"""The development questions can be trusted as a measure: their labels exist and content has not learned them by heart."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bot.domain.content_tests import wording

FOLDER = Path("tests/questions")


def messages() -> Iterator[tuple[str, dict[str, Any]]]:
    """(where it stands, labelled message): each line, and each turn of a conversation."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            question = json.loads(line)
            for number, message in enumerate(question.get("turns", [question]), 1):
                yield f"{question['id']}, turn {number}", message


def test_every_label_is_a_card_or_a_role_that_exists(answering):
    kb = answering.kb
    wrong = [
        (where, name)
        for where, message in messages()
        for name, known in (
            *((card, kb.has(card)) for card in message["acceptable"]),
            *(
                (role, role in kb.roles)
                for role in (message.get("from"), message.get("to"), *message.get("compare", ()))
                if role
            ),
        )
        if not known
    ]
    assert wrong == []


def test_every_id_stands_once():
    ids = Counter(json.loads(line)["id"] for path in FOLDER.glob("*.jsonl") for line in path.read_text().splitlines())
    assert [name for name, count in ids.items() if count > 1] == []


def test_every_card_is_asked_for_at_least_twice():
    asked = Counter(
        card
        for name in ("en.jsonl", "es.jsonl")
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()
        for card in json.loads(line)["acceptable"]
    )
    assert [card for card in Path("tests/card_ids.txt").read_text().split() if asked[card] < 2] == []


def test_content_has_not_learned_the_questions_by_heart(answering):
    learned = {wording(text) for text, _, _ in (*answering.kb.examples(), *answering.kb.outside_examples())} - {()}
    copied = [where for where, message in messages() if wording(message["text"]) in learned]
    assert len(copied) <= 0.01 * sum(1 for _ in messages()), copied


def test_no_content_test_is_a_question_that_we_measure_with():
    measured = {wording(message["text"]): where for where, message in messages()}
    promised = [
        ask
        for path in Path("content/tests").glob("*.yaml")
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))
        for promise in test.get("turns", [test])
        for ask in ([promise["asks"]] if isinstance(promise["asks"], str) else promise["asks"])
    ]
    assert [(ask, measured[wording(ask)]) for ask in promised if wording(ask) in measured] == []
