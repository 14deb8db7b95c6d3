"""The gate: how likely is it that the first card is the right one?"""

from dataclasses import dataclass

import numpy as np

SIGNS = (
    "chance",
    "margin",
    "first by words",
    "first by meaning",
    "agreement",
    "likeness",
    "likeness margin",
    "mass on the first's side",
    "scope agrees",
)


@dataclass(frozen=True)
class Gate:
    """A logistic regression over the signs: `weights` (one a sign) and `shift`."""

    weights: np.ndarray
    shift: float

    def chance(self, signs: np.ndarray) -> float:
        return float(1 / (1 + np.exp(-(signs @ self.weights + self.shift))))


@dataclass(frozen=True)
class Members:
    """What the members say about one message, all over the labels: chances mixed, and logarithms by words and by meaning.

    `scope` is how far the meaning lies outside of what Trellis is for (above 0: outside)."""

    chances: np.ndarray
    by_words: np.ndarray
    by_meaning: np.ndarray
    scope: float


def signs(members: Members, outside: np.ndarray, near: float, near_other: float) -> np.ndarray:
    """The signs for one message.

    `outside` marks the labels that are out of scope; `near` is the likeness of the first label's nearest utterance, `near_other`
    that of the likeliest others.
    """
    chances = members.chances
    first, second = np.argsort(-chances, kind="stable")[:2]
    log_first, log_second = np.log(chances[[first, second]] + 1e-6)
    same_side = chances[outside == outside[first]].sum()
    return np.array(
        [
            log_first,
            log_first - log_second,
            max(members.by_words[first], -14.0),
            max(members.by_meaning[first], -14.0),
            float(members.by_words.argmax() == members.by_meaning.argmax()),
            near,
            near - near_other,
            np.log(same_side + 1e-3),
            members.scope if outside[first] else -members.scope,
        ]
    )
