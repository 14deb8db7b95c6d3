"""Runs the content tests that authors write: what people ask and what should happen."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

from bot.domain.cards import LANGUAGES
from bot.domain.content_tests import EXPECTATIONS, Alone, Conversation, Promise, wording
from bot.domain.dialogue import Dialogue
from bot.domain.problems import Problem
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.checking import file_of
from bot.knowledge_base.reading import Reader
from bot.services.replying import Answering, Reply

ContentTest = Alone | Conversation


def run_content_tests(root: Path, answering: Answering, today: date) -> list[Problem]:
    """Every broken promise in content/tests, every test that can't be run or is copied from a card, and a warning for
    each card without a test. [] when all hold."""
    reader, kb = Reader(root), answering.kb
    tests = list(_read(reader))
    copied = _wordings(kb)
    problems = list(reader.problems)
    for path, place, test in tests:
        wrong = list(_wrong(path, place, test, kb, copied))
        problems += wrong or _broken(path, place, test, answering, today)
    tested = {card for _, _, test in tests for _, promise in _promises(test, "") for card in promise.cards}
    return problems + list(_untested(kb, tested))


# --- reading -----------------------------------------------------------------------------------------------------


def _read(reader: Reader) -> Iterator[tuple[str, str, ContentTest]]:
    """(file, place, test) of every test that reads well; the others become problems of the reader."""
    for path, values in reader.files("tests"):
        if not isinstance(values, list):
            reader.problems.append(Problem(path, "", "should be a list: each test begins with `- `"))
            continue
        for number, value in enumerate(values, 1):
            place = f"test {number}"
            if not isinstance(value, dict):
                reader.problems.append(Problem(path, place, "should have lines like `card: …` and `asks: […]`"))
                continue
            kind: type[ContentTest] = Conversation if "turns" in value else Alone
            if test := reader.model(kind, path, place, value):
                yield path, place, test


def _promises(test: ContentTest, place: str) -> Iterator[tuple[str, Promise]]:
    """(place, promise): the test itself, or the turns of a conversation in order."""
    if isinstance(test, Alone):
        yield place, test
        return
    for number, turn in enumerate(test.turns, 1):
        yield f"{place}, turn {number}", turn


# --- tests that can't be run as written --------------------------------------------------------------------------


def _wrong(
    path: str, place: str, test: ContentTest, kb: KnowledgeBase, copied: Mapping[tuple[str, ...], str]
) -> Iterator[Problem]:
    if test.as_.role is not None and test.as_.role not in kb.roles:
        yield Problem(path, place, f"as: “{test.as_.role}” is not a role that exists")
    if test.as_.site is not None and test.as_.site not in kb.sites:
        yield Problem(path, place, f"as: “{test.as_.site}” is not a site that exists")
    for where, promise in _promises(test, place):
        if len(promise.expected) != 1:
            found = " and ".join(promise.expected) or "none"
            yield Problem(path, where, f"needs exactly one of {', '.join(EXPECTATIONS)}; it has {found}")
        for card in promise.cards:
            if not kb.has(card):
                yield Problem(path, where, f"“{card}” is not a card that exists")
        for ask in promise.asks:
            if source := copied.get(wording(ask)):
                yield Problem(path, where, f"“{ask}” is copied from {source}; say it another way")


def _wordings(kb: KnowledgeBase) -> dict[tuple[str, ...], str]:
    """Where each wording that the matcher learns from stands. A test with the same words would only test its memory."""
    found: dict[tuple[str, ...], str] = {}
    for card, entry in kb.entries():
        for language in LANGUAGES:
            for utterance in entry.utterances.in_(language):
                found.setdefault(wording(utterance), file_of(kb, card))
    for words, topic, _ in kb.outside_examples():
        found.setdefault(wording(words), f"outside.yaml, {topic}")
    found.pop((), None)
    return found


def _untested(kb: KnowledgeBase, tested: set[str]) -> Iterator[Problem]:
    for card, _ in kb.entries():
        if card not in tested:
            yield Problem(file_of(kb, card), "", "untested card: please add what people ask to tests/", "warning")


# --- running -----------------------------------------------------------------------------------------------------


def _broken(path: str, place: str, test: ContentTest, answering: Answering, today: date) -> list[Problem]:
    """What came instead of what was promised, for each message of a test."""
    employee, dialogue = test.as_.employee(), Dialogue()
    found: list[Problem] = []
    for where, promise in _promises(test, place):
        for ask in promise.asks:
            reply, after = answering.reply(ask, employee, dialogue, today)
            found += (Problem(path, where, sentence) for sentence in _differences(promise, ask, reply))
        if isinstance(test, Conversation):
            dialogue = after
    return found


def _differences(promise: Promise, ask: str, reply: Reply) -> Iterator[str]:
    expectation = promise.expected[0]
    value = getattr(promise, expectation)
    if not _met(expectation, value, reply):
        yield f"“{ask}” should give {_shown(expectation, promise.cards)}, but gives {_came(reply)}"
    for words in promise.says:
        if words not in reply.text:
            yield f"the answer to “{ask}” should say “{words}”; it says “{_short(reply.text)}”"
    for words in promise.never_says:
        if words in reply.text:
            yield f"the answer to “{ask}” must not say “{words}”"


def _met(expectation: str, value: Any, reply: Reply) -> bool:
    outcome, cards = reply.decision.outcome, reply.decision.cards
    answered = outcome in ("answer", "handoff") and cards[0]
    match expectation:
        case "card":
            return answered == value
        case "offers":
            return (outcome == "clarify" and set(value) <= set(cards)) or value == (answered,)
        case "abstains":
            return outcome == "abstain"
    return outcome == "handoff"


def _shown(expectation: str, cards: tuple[str, ...]) -> str:
    """ "card tuition/amount", "offers a/b, c/d", "abstains"."""
    return " ".join(part for part in (expectation, ", ".join(cards)) if part)


def _came(reply: Reply) -> str:
    """ "answer tuition/amount (61 %)": what happened and how sure Trellis was."""
    decision = reply.decision
    topics = ", ".join(filter(None, chain((decision.outside,), decision.cards)))
    return f"{_shown(decision.outcome, (topics,) if topics else ())} ({decision.confidence:.0%})"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 160 else words[:160].rsplit(" ", 1)[0] + " …"
