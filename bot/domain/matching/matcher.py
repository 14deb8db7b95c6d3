"""Ranks cards for a message: what its words say, what it means, and its shape once roles are taken out; mixed.

Three members look at a message. The *words* member weighs words and letter groups, one linear border a card. The
*meaning* member looks at the sentence encoders' vectors. When roles are named, the *shape* member reads the message
without them ("from jobtitle to jobtitle"): it knows whether a role is asked about, a way to it, or two side by side, whichever the roles
are. Their log-chances are mixed, and a gate turns signs of certainty into the chance that the first card is right.
Out-of-scope messages are labels of their own (`outside/…`), so that "not for us" is something the matcher can say.
`training.py` makes all numbers in here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bot.domain.matching.gate import Gate, Members, signs
from bot.domain.matching.ngrams import NGrams
from bot.domain.matching.packed import Packed
from bot.domain.matching.reading import Reader, Said

MOST_CANDIDATES = 8
WORDS_SHARPNESS = 5.0  # turns distances from the borders into chances
WORDS_SHARE = 0.5  # of the words member beside the meaning member
SHAPE_SHARE = 0.33  # of the shape member in the whole, when roles are named; docs/matching.md says how these were found
ANY_ROLE = "roles/*"  # the shape member's one label for all roles' cards
ANOTHER_ROLE = float(np.log(1e-3))  # a role's card that was not named, when others were


class Encoder(Protocol):
    @property
    def name(self) -> str: ...
    def encode(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Example:
    """An utterance and the card (or outside topic) that it asks for."""

    text: str
    card: str


@dataclass(frozen=True)
class Candidate:
    """`nearest` is the utterance most like the message: why this card came up."""

    card: str
    probability: float
    nearest: str


@dataclass(frozen=True)
class Ranking:
    """The likeliest cards first. `confidence` is the chance that the first is right, `in_scope` that any card is."""

    candidates: tuple[Candidate, ...]
    confidence: float
    in_scope: float


@dataclass(frozen=True)
class Learnt:
    """All that training found. Columns of both members stand for `labels`; rows of `vectors` for the examples."""

    labels: tuple[str, ...]
    grams: NGrams
    word_weights: np.ndarray  # features × labels, float16
    word_shifts: np.ndarray  # labels
    meaning_weights: np.ndarray  # encoder numbers × labels
    meaning_shifts: np.ndarray  # labels
    scope: np.ndarray  # encoder numbers and a shift: how far outside a meaning lies
    shape_labels: tuple[str, ...]
    shape_grams: NGrams
    shape_weights: np.ndarray  # features × shape labels, float16
    shape_shifts: np.ndarray  # shape labels
    texts: tuple[str, ...]  # the examples
    said: tuple[str, ...]  # the examples with their spelling mended
    label_of: np.ndarray  # examples → number of the label
    vectors: Packed  # a row an example
    gate: Gate


class Matcher:
    """Ranks any message. Same content, same encoders: same ranking."""

    def __init__(self, learnt: Learnt, encoders: Sequence[Encoder], reader: Reader) -> None:
        self.learnt, self.reader, self.encoders = learnt, reader, tuple(encoders)
        self._outside = np.array([label.startswith("outside/") for label in learnt.labels])
        self._rows = [np.flatnonzero(learnt.label_of == number) for number in range(len(learnt.labels))]
        self._shapes = ShapeLabels(learnt.labels, learnt.shape_labels)

    def rank(
        self,
        message: str,
        allowed: Callable[[str], bool] = lambda card: True,
        likelier: Callable[[str], float] = lambda card: 1.0,
    ) -> Ranking:
        """The cards that `message` may ask for, among those `allowed` (outside topics always are). `likelier` says how much
        likelier than usual a card is, from what was said before."""
        said, learnt = self.reader.read(message), self.learnt
        by_words = by_grams(learnt.grams, learnt.word_weights, learnt.word_shifts, said.text)
        vector = encode(self.encoders, [said.text])[0]
        by_meaning = log_chances(vector @ learnt.meaning_weights + learnt.meaning_shifts)
        by_shape = None
        if said.roles:
            shaped = by_grams(learnt.shape_grams, learnt.shape_weights, learnt.shape_shifts, said.shape)
            by_shape = self._shapes.spread(shaped, said)
        before = np.log([likelier(label) for label in learnt.labels])
        mixed = log_chances(mix(by_words, by_meaning, by_shape) + before)
        keep = self._outside | np.array([allowed(label) for label in learnt.labels])
        chances = np.where(keep, np.exp(mixed), 0.0)  # not made to sum to one again: a card kept back lends no confidence
        best = np.argsort(-chances, kind="stable")[:MOST_CANDIDATES]
        nearest = [self._nearest(number, vector) for number in best]
        candidates = tuple(
            Candidate(learnt.labels[number], float(chances[number]), learnt.texts[row])
            for number, (row, _) in zip(best, nearest, strict=True)
        )
        likeness = [near for _, near in nearest]
        members = Members(chances, by_words, by_meaning, float(vector @ learnt.scope[:-1] + learnt.scope[-1]))
        confidence = learnt.gate.chance(signs(members, self._outside, likeness[0], max(likeness[1:]))) * chances.sum()
        return Ranking(candidates, float(confidence), float(chances[~self._outside].sum()))

    def _nearest(self, label: int, vector: np.ndarray) -> tuple[int, float]:
        """The label's example most like the message, and its likeness (cosine)."""
        rows = self._rows[label]
        likeness = self.learnt.vectors.likeness(rows, vector)
        first = int(np.argmax(likeness))
        return int(rows[first]), float(likeness[first])


class ShapeLabels:
    """From the shape member's labels to all labels: "a role's card" is spread over the roles that were named."""

    def __init__(self, labels: Sequence[str], shape_labels: Sequence[str]) -> None:
        number = {label: place for place, label in enumerate(shape_labels)}
        self._columns = np.array([number[shape_label(label)] for label in labels])
        self._role_of = [(place, label.removeprefix("roles/")) for place, label in enumerate(labels) if is_role(label)]

    def spread(self, shaped: np.ndarray, said: Said) -> np.ndarray:
        """Log-chances over all labels, from those over the shape labels (one row each)."""
        spread = shaped[self._columns]
        for place, role in self._role_of:
            spread[place] += -np.log(len(said.roles)) if role in said.roles else ANOTHER_ROLE
        return spread


def shape_label(label: str) -> str:
    return ANY_ROLE if is_role(label) else label


def is_role(label: str) -> bool:
    return label.startswith("roles/")


def by_grams(grams: NGrams, weights: np.ndarray, shifts: np.ndarray, text: str) -> np.ndarray:
    """Log-chances over the labels of one plain text, by its words and letter groups."""
    weighed = grams.of(text)
    return log_chances(WORDS_SHARPNESS * (weighed.weights @ weights[weighed.numbers].astype(np.float32) + shifts))


def encode(encoders: Sequence[Encoder], texts: Sequence[str]) -> np.ndarray:
    """The encoders' vectors side by side, scaled so that a row has length 1."""
    return np.hstack([encoder.encode(texts) for encoder in encoders]) / np.float32(np.sqrt(len(encoders)))


def log_chances(scores: np.ndarray) -> np.ndarray:
    """Scores (one or many rows of labels) as logarithms of chances that sum to one."""
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def mix(by_words: np.ndarray, by_meaning: np.ndarray, by_shape: np.ndarray | None = None) -> np.ndarray:
    """The members' log-chances as one; without roles there is no shape to look at."""
    mixed = WORDS_SHARE * by_words + (1 - WORDS_SHARE) * by_meaning
    return log_chances(mixed if by_shape is None else (1 - SHAPE_SHARE) * mixed + SHAPE_SHARE * by_shape)
