"""Puts labelled questions to the understanding and counts. A measurement: nothing is stored, nothing is asserted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bot.domain.dialogue import Dialogue
from bot.domain.evaluation import Asked, Pile
from bot.domain.people import Employee
from bot.domain.problems import ContentError, Problem
from bot.domain.safety import plain
from bot.services.replying import Answering

SAME_WORDING = 0.8  # share of words in common from which a question counts as an echo of an utterance


@dataclass(frozen=True)
class Labelled:
    """A line of a file of questions: one message, or the turns of a conversation."""

    id: str
    language: str
    turns: tuple[dict[str, Any], ...]
    pile: Pile
    kind: str
    manager: bool


def read_questions(place: Path) -> list[Labelled]:
    """One file, or every *.jsonl of a folder; files for Spanish begin with “es”. Raises ContentError with all bad lines."""
    files = sorted(place.glob("*.jsonl")) if place.is_dir() else [place]
    found, problems = [], []
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(_labelled(json.loads(line), file))
            except (ValueError, KeyError, TypeError) as error:
                problems.append(Problem(file.name, f"line {number}", f"not a labelled question: {error!r}"))
    if not found and not problems:
        problems = [Problem(str(place), "", "no questions here; a folder needs files that end in .jsonl")]
    if problems:
        raise ContentError(problems)
    return found


def _labelled(row: dict[str, Any], file: Path) -> Labelled:
    turns = tuple(row.get("turns") or [row])
    for turn in turns:
        turn["text"], turn["acceptable"]
    safety = "look_alike" in row
    pile: Pile = "question"
    if safety:
        pile = "look-alike" if row["look_alike"] else "safety"
    elif not turns[0]["acceptable"]:
        pile = "out of scope"
    language = "es" if file.name.startswith("es") else "en"
    return Labelled(str(row["id"]), language, turns, pile, row.get("kind", ""), row.get("persona") != "employee")


def ask_all(answering: Answering, questions: Sequence[Labelled], today: date) -> Iterator[Asked]:
    """What comes back for each message. Later turns of a conversation are the pile “follow-up”."""
    wording = _Wording(answering)
    for question in questions:
        dialogue, now = Dialogue(), datetime.now(UTC)
        employee = Employee(is_manager=question.manager)
        for number, turn in enumerate(question.turns):
            reply, after = answering.reply(turn["text"], employee, Dialogue.recall(dialogue.keep(now), now), today)
            dialogue, decision = after, reply.decision
            yield Asked(
                id=question.id,
                text=turn["text"],
                language=question.language,
                kind=question.kind or ("conversation" if len(question.turns) > 1 else ""),
                pile="follow-up" if number else question.pile,
                acceptable=tuple(turn["acceptable"]),
                outcome=decision.outcome,
                cards=decision.cards,
                confidence=decision.confidence,
                safety=decision.safety,
                echoes=wording.stands_in_an_utterance(turn["text"]),
            )


class _Wording:
    def __init__(self, answering: Answering) -> None:
        utterances = [text for text, _, _ in (*answering.kb.examples(), *answering.kb.outside_examples())]
        self._bags = {frozenset(plain(text).split()) for text in utterances}
        self._with: dict[str, list[frozenset[str]]] = {}
        for bag in self._bags:
            for word in bag:
                self._with.setdefault(word, []).append(bag)

    def stands_in_an_utterance(self, text: str) -> bool:
        words = frozenset(plain(text).split())
        if len(words) < 3 or words in self._bags:
            return words in self._bags
        rarest = sorted(words, key=lambda word: len(self._with.get(word, ())))[: len(words) // 5 + 1]
        near = {bag for word in rarest for bag in self._with.get(word, ())}
        return any(len(words & bag) / len(words | bag) >= SAME_WORDING for bag in near)
