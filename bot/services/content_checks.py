"""Runs the content tests that authors write: what people ask and what should happen."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.domain.problems import Problem
from bot.domain.safety import plain
from bot.knowledge_base.reading import Reader
from bot.services.answering import Answering, Reply

EXPECTATIONS = ("card", "offers", "abstains", "handoff")


def run_content_tests(root: Path, answering: Answering, today: date) -> list[Problem]:
    """Every broken promise in content/tests, and tests copied from a card's utterances. [] when all hold."""
    reader = Reader(root)
    copied = {plain(text) for text, _, _ in answering.kb.examples()}
    problems: list[Problem] = []
    for path, cases in reader.files("tests"):
        for number, case in enumerate(cases, 1):
            problems += _check_case(path, f"test {number}", case, answering, today, copied)
    return reader.problems + problems


def _check_case(
    path: str, place: str, case: dict[str, Any], answering: Answering, today: date, copied: set[str]
) -> Iterator[Problem]:
    expected = [word for word in EXPECTATIONS if word in case]
    if len(expected) != 1 or not case.get("asks"):
        yield Problem(path, place, f"needs `asks` and exactly one of {', '.join(EXPECTATIONS)}")
        return
    for ask in case["asks"]:
        if plain(ask) in copied:
            yield Problem(path, place, f"“{ask}” is copied from a card; say it another way")
        reply, _ = answering.reply(ask, Employee(is_manager=True), Dialogue(), today)
        if not _met(expected[0], case[expected[0]], reply):
            shown = f"{reply.decision.outcome} {', '.join(reply.decision.cards)}"
            yield Problem(path, place, f"“{ask}” should give {expected[0]} {case[expected[0]]}, but gives {shown}")
        for words in case.get("says", []):
            if words not in reply.text:
                yield Problem(path, place, f"the answer to “{ask}” should say “{words}”")
        for words in case.get("never_says", []):
            if words in reply.text:
                yield Problem(path, place, f"the answer to “{ask}” must not say “{words}”")


def _met(expectation: str, value: Any, reply: Reply) -> bool:
    decision = reply.decision
    match expectation:
        case "card":
            return decision.outcome in ("answer", "handoff") and decision.cards[0] == value
        case "offers":
            return decision.outcome == "clarify" and set(value) <= set(decision.cards)
        case "abstains":
            return decision.outcome == "abstain"
    return decision.outcome == "handoff"
