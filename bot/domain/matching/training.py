"""Learns a matcher from the content's utterances: seconds, no programmer, the same result every time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.svm import LinearSVC

from bot.domain.matching.gate import Gate, Members, signs
from bot.domain.matching.matcher import (
    MOST_CANDIDATES,
    WORDS_SHARPNESS,
    Example,
    Learnt,
    ShapeLabels,
    log_chances,
    mix,
    shape_label,
)
from bot.domain.matching.ngrams import NGrams
from bot.domain.matching.packed import Packed
from bot.domain.matching.reading import Said

LEFT_OUT = 0.25  # of the examples: the gate learns on them, from members that have not seen them
OUTSIDE_WEIGHT = 4.0  # of an out-of-scope example in the gate: people send more kinds of them than anyone can write down
SAME = 0.8  # utterances of a card at least this alike stay on one side: else the gate would learn from echoes


def learn(examples: Sequence[Example], said: Sequence[Said], packed: Packed) -> Learnt:
    """`said` are the examples as the reader reads them, `packed` the encoders' vectors of their texts, all in one order."""
    labels, label_of = np.unique([example.card for example in examples], return_inverse=True)
    shape_labels, shape_of_label = np.unique([shape_label(label) for label in labels], return_inverse=True)
    grams, shape_grams = NGrams.learn([each.text for each in said]), NGrams.learn([each.shape for each in said])
    pile = _Pile(
        features=weigh(grams, [each.text for each in said]),
        shapes=weigh(shape_grams, [each.shape for each in said]),
        vectors=packed.unpacked(),
        outside=np.array([label.startswith("outside/") for label in labels]),
        label_of=label_of,
        shape_of=shape_of_label[label_of],
        said=said,
        labels=len(labels),
        shape_labels=len(shape_labels),
    )
    split = GroupShuffleSplit(1, test_size=LEFT_OUT, random_state=0)
    seen, unseen = next(split.split(pile.features, groups=_alike(pile.features, label_of)))
    gate = _learn_gate(pile, ShapeLabels(labels, shape_labels), _Members(pile, seen), seen, unseen)
    members = _Members(pile, np.arange(len(label_of)))
    return Learnt(
        labels=tuple(str(label) for label in labels),
        grams=grams,
        word_weights=members.words[0].astype(np.float16),
        word_shifts=members.words[1],
        meaning_weights=members.meaning[0],
        meaning_shifts=members.meaning[1],
        scope=members.scope,
        shape_labels=tuple(str(label) for label in shape_labels),
        shape_grams=shape_grams,
        shape_weights=members.shape[0].astype(np.float16),
        shape_shifts=members.shape[1],
        texts=tuple(example.text for example in examples),
        said=tuple(each.text for each in said),
        label_of=label_of.astype(np.int32),
        vectors=packed,
        gate=gate,
    )


@dataclass(frozen=True)
class _Pile:
    """All examples as features, and what they ask for."""

    features: csr_matrix
    shapes: csr_matrix
    vectors: np.ndarray
    outside: np.ndarray  # which labels are out of scope
    label_of: np.ndarray
    shape_of: np.ndarray
    said: Sequence[Said]
    labels: int
    shape_labels: int


def weigh(grams: NGrams, texts: Sequence[str]) -> csr_matrix:
    rows = [grams.of(text) for text in texts]
    ends = np.cumsum([0, *(len(row.numbers) for row in rows)])
    weights, numbers = np.concatenate([row.weights for row in rows]), np.concatenate([row.numbers for row in rows])
    return csr_matrix((weights, numbers, ends), shape=(len(texts), len(grams)))


class _Members:
    """The members' weights, a column for every label, learnt from the examples `seen`."""

    def __init__(self, pile: _Pile, seen: np.ndarray) -> None:
        with ThreadPoolExecutor(2) as pool:  # two cores; the learners let go of the interpreter
            meant = pool.submit(self._learn_meaning, pile, seen)
            self.words = _by_grams(pile.features[seen], pile.label_of[seen], pile.labels)
            self.shape = _by_grams(pile.shapes[seen], pile.shape_of[seen], pile.shape_labels)
            self.meaning, self.scope = meant.result()

    def _learn_meaning(self, pile: _Pile, seen: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        vectors, label_of = pile.vectors[seen], pile.label_of[seen]
        # With a larger tolerance it stops before it has begun where there are many even classes: gradients are that small.
        meaning = LogisticRegression(C=30, tol=1e-5, max_iter=100).fit(vectors, label_of)
        scope = LogisticRegression(C=10, class_weight="balanced", max_iter=200).fit(vectors, pile.outside[label_of])
        return _columns(meaning, pile.labels, -50.0), np.append(scope.coef_[0], scope.intercept_).astype(np.float32)

    def log_chances(self, pile: _Pile, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """By words, by meaning, by shape (over the shape labels)."""
        return (
            log_chances(WORDS_SHARPNESS * (pile.features[rows] @ self.words[0] + self.words[1])),
            log_chances(pile.vectors[rows] @ self.meaning[0] + self.meaning[1]),
            log_chances(WORDS_SHARPNESS * (pile.shapes[rows] @ self.shape[0] + self.shape[1])),
        )


def _by_grams(features: csr_matrix, label_of: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    return _columns(LinearSVC(C=0.5, tol=0.1, max_iter=200, random_state=0).fit(features, label_of), labels, -10.0)


def _columns(model: LinearSVC | LogisticRegression, labels: int, unseen: float) -> tuple[np.ndarray, np.ndarray]:
    """(weights, shifts); a label unseen in a fold is never chosen."""
    weights = np.zeros((model.coef_.shape[1], labels), dtype=np.float32)
    shifts = np.full(labels, unseen, dtype=np.float32)
    weights[:, model.classes_], shifts[model.classes_] = model.coef_.T, model.intercept_
    return weights, shifts


def _alike(features: csr_matrix, label_of: np.ndarray) -> np.ndarray:
    """A group number for each example: near-duplicates within a card share one."""
    group = np.arange(len(label_of))
    for label in np.unique(label_of):
        rows = np.flatnonzero(label_of == label)
        likeness = (features[rows] @ features[rows].T).toarray() / 2  # two kinds of features, each of length 1
        for place, row in enumerate(rows):
            group[row] = group[rows[np.argmax(likeness[place, : place + 1] >= SAME)]]
    return group


def _learn_gate(
    pile: _Pile,
    shapes: ShapeLabels,
    members: _Members,
    seen: np.ndarray,
    unseen: np.ndarray,
) -> Gate:
    """From the signs and rightness of the examples `unseen` by the members. Any outside topic is right for any other: both
    say no."""
    topic = np.where(pile.outside, -1, np.arange(pile.labels))
    signs_seen, right = [], []
    by_words, by_meaning, shaped = members.log_chances(pile, unseen)
    scope = pile.vectors[unseen] @ members.scope[:-1] + members.scope[-1]
    known = [seen[pile.label_of[seen] == label] for label in range(pile.labels)]
    for row, example in enumerate(unseen):
        said = pile.said[example]
        by_shape = shapes.spread(shaped[row], said) if said.roles else None
        chances = np.exp(mix(by_words[row], by_meaning[row], by_shape))
        best = np.argsort(-chances, kind="stable")[:MOST_CANDIDATES]
        near = [(pile.vectors[known[label]] @ pile.vectors[example]).max(initial=0.0) for label in best]
        said_by = Members(chances, by_words[row], by_meaning[row], float(scope[row]))
        signs_seen.append(signs(said_by, pile.outside, near[0], max(near[1:])))
        right.append(topic[best[0]] == topic[pile.label_of[example]])
    values = np.array(signs_seen)
    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    weight = np.where(pile.outside[pile.label_of[unseen]], OUTSIDE_WEIGHT, 1.0)
    model = LogisticRegression(C=1.0).fit((values - middle) / spread, right, sample_weight=weight)
    weights = model.coef_[0] / spread
    return Gate(weights, float(model.intercept_[0] - weights @ middle))
