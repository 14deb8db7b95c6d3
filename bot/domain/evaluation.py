"""How well are labelled questions understood? Counts, by language and kind; nothing here is asserted."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
Pile = Literal["question", "follow-up", "out of scope", "safety", "look-alike"]


@dataclass(frozen=True)
class Asked:
    """One labelled message and what came back.

    `outcome` is answer, clarify, abstain or handoff; `cards` as in `trellis ask --batch`; `echoes` says that its wording stands in
    an utterance too.
    """

    id: str
    text: str
    language: str
    kind: str
    pile: Pile
    acceptable: tuple[str, ...]
    outcome: str
    cards: tuple[str, ...]
    confidence: float
    safety: bool
    echoes: bool = False

    @property
    def answered(self) -> bool:
        return self.outcome in ("answer", "handoff")

    @property
    def right(self) -> bool:
        return self.answered and self.cards[0] in self.acceptable

    @property
    def offered(self) -> bool:
        """Answered rightly, or the right card is among those offered."""
        return self.right or (self.outcome == "clarify" and any(card in self.acceptable for card in self.cards))

    @property
    def wrong(self) -> bool:
        return self.answered and not self.right

    @property
    def gave_up(self) -> bool:
        return self.outcome == "abstain"


@dataclass(frozen=True)
class Rate:
    """`count` of `of`; shown as a share."""

    count: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.count / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.percent:5.1f} % ({self.count}/{self.of})"


@dataclass(frozen=True)
class Figures:
    """The figures of the messages that belong to one language (or kind)."""

    right: Rate
    offered: Rate
    wrong: Rate
    gave_up: Rate


@dataclass(frozen=True)
class Confusion:
    """`card` was answered or offered where `wanted` was right."""

    wanted: str
    card: str
    times: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """Everything that `trellis evaluate` prints; keys of the first mappings are languages."""

    questions: dict[str, Figures]
    follow_ups: dict[str, Figures]
    out_of_scope_answered: dict[str, Rate]
    out_of_scope_by_kind: dict[str, Rate]
    safety_found: dict[str, Rate]
    false_alarms: dict[str, Rate]
    by_kind: dict[str, Figures]
    confusions: tuple[Confusion, ...]
    safety_missed: tuple[str, ...]
    echoes: Rate


def evaluate(asked: Sequence[Asked]) -> Evaluation:
    def of(*piles: Pile) -> list[Asked]:
        return [each for each in asked if each.pile in piles]

    questions, outside, safety = of("question"), of("out of scope"), of("safety")
    return Evaluation(
        questions=_by(questions, lambda each: each.language, figures),
        follow_ups=_by(of("follow-up"), lambda each: each.language, figures),
        out_of_scope_answered=_by(
            outside, lambda each: each.language, lambda those: rate(those, lambda each: each.answered)
        ),
        out_of_scope_by_kind=_by(outside, lambda each: each.kind, lambda those: rate(those, lambda each: each.answered)),
        safety_found=_by(safety, lambda each: each.language, lambda those: rate(those, lambda each: each.right)),
        false_alarms=_by(of("look-alike"), lambda each: each.language, lambda those: rate(those, lambda each: each.safety)),
        by_kind=_by(questions, lambda each: f"{each.language} {each.kind}", figures),
        confusions=_confusions(of("question", "follow-up")),
        safety_missed=tuple(f"{each.id}: {each.text}" for each in safety if not each.right),
        echoes=rate(asked, lambda each: each.echoes),
    )


def figures(asked: Iterable[Asked]) -> Figures:
    those = list(asked)
    return Figures(
        right=rate(those, lambda each: each.right),
        offered=rate(those, lambda each: each.offered),
        wrong=rate(those, lambda each: each.wrong),
        gave_up=rate(those, lambda each: each.gave_up),
    )


def rate(asked: Iterable[Asked], is_so: Callable[[Asked], bool]) -> Rate:
    those = list(asked)
    return Rate(sum(map(is_so, those)), len(those))


def _by(asked: Iterable[Asked], key: Callable[[Asked], str], count: Callable[[list[Asked]], T]) -> dict[str, T]:
    groups: dict[str, list[Asked]] = {}
    for each in asked:
        groups.setdefault(key(each), []).append(each)
    return {name: count(groups[name]) for name in sorted(groups)}


def _confusions(asked: Iterable[Asked], most: int = 25) -> tuple[Confusion, ...]:
    """Pairs of cards that are mixed up most often, those answered wrongly before those only offered."""
    seen: dict[tuple[str, str], list[Asked]] = {}
    for each in asked:
        if not each.right and each.cards and each.acceptable:
            seen.setdefault((each.acceptable[0], each.cards[0]), []).append(each)
    weight = Counter({pair: sum(2 if each.wrong else 1 for each in those) for pair, those in seen.items()})
    return tuple(
        Confusion(wanted, card, len(seen[wanted, card]), tuple(each.text for each in seen[wanted, card][:3]))
        for (wanted, card), _ in weight.most_common(most)
    )
