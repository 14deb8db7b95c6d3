"""The matcher: words and letters of an utterance, weighed by rarity, into one linear model a card.

Trained from the content in seconds; the same content gives the same model. Out-of-scope messages are labels of
their own (`outside/…`), so that "not for us" is something the model can say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from bot.domain.safety import plain

MOST_CANDIDATES = 8
SHARPNESS = 5.0  # turns distances from the borders into chances; the gate calibrates them


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


class Features:
    """Word 1-2-grams and letter 2-4-grams of the plain text, TF-IDF, side by side."""

    def __init__(self) -> None:
        common = {"sublinear_tf": True, "dtype": np.float32}
        self._words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", **common)
        self._letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2, **common)

    def learn(self, texts: Sequence[str]) -> csr_matrix:
        return self._joined(self._words.fit_transform(texts), self._letters.fit_transform(texts))

    def of(self, texts: Sequence[str]) -> csr_matrix:
        return self._joined(self._words.transform(texts), self._letters.transform(texts))

    def _joined(self, words: csr_matrix, letters: csr_matrix) -> csr_matrix:
        return csr_matrix(hstack([words, letters]))


class Matcher:
    """Use `Matcher.train`; then `rank` any message."""

    def __init__(self, examples: Sequence[Example], features: Features, vectors: csr_matrix, model: LinearSVC):
        self._texts = [example.text for example in examples]
        self._cards = np.array([example.card for example in examples])
        self._features, self._vectors, self._model = features, vectors, model
        self._gate = LogisticRegression()  # fitted in `train`

    @classmethod
    def train(cls, examples: Sequence[Example]) -> "Matcher":
        """Learn from the content's utterances. The gate learns on utterances that were left out."""
        texts = [plain(example.text) for example in examples]
        features = Features()
        vectors = features.learn(texts)
        cards = np.array([example.card for example in examples])
        matcher = cls(examples, features, vectors, _fit(vectors, cards))
        matcher._learn_gate(vectors, cards)
        return matcher

    def rank(self, text: str, allowed: Callable[[str], bool] = lambda card: True) -> Ranking:
        """The cards that `text` may ask for, among those `allowed` (outside topics always are)."""
        vector = self._features.of([plain(text)])
        chances = _chances(self._model, vector)[0]
        labels = self._model.classes_
        keep = np.array([label.startswith("outside/") or allowed(label) for label in labels])
        chances = np.where(keep, chances, 0.0)  # not made to sum to one again: a card kept back must not lend its confidence
        likeness = np.asarray((self._vectors @ vector.T).todense()).ravel()
        best = np.argsort(-chances, kind="stable")[:MOST_CANDIDATES]
        candidates = tuple(
            Candidate(str(labels[i]), float(chances[i]), self._nearest(str(labels[i]), likeness)) for i in best
        )
        outside = np.array([label.startswith("outside/") for label in labels])
        return Ranking(candidates, self._confidence(chances, likeness), float(chances[~outside].sum()))

    def _nearest(self, card: str, likeness: np.ndarray) -> str:
        own = np.flatnonzero(self._cards == card)
        return self._texts[own[np.argmax(likeness[own])]]

    def _confidence(self, chances: np.ndarray, likeness: np.ndarray) -> float:
        return float(self._gate.predict_proba([_signs(chances, float(likeness.max()))])[0, 1])

    def _learn_gate(self, vectors: csr_matrix, cards: np.ndarray) -> None:
        """Chance of being right, from the probability, the margin, and how near the nearest utterance is.

        Learnt on a fifth of the utterances, with a model that has not seen them.
        """
        seen, unseen = train_test_split(np.arange(len(cards)), test_size=0.2, stratify=cards, random_state=0)
        model = _fit(vectors[seen], cards[seen])
        chances = _chances(model, vectors[unseen])
        nearest = np.asarray((vectors[unseen] @ vectors[seen].T).max(axis=1).todense()).ravel()
        right = model.classes_[chances.argmax(axis=1)] == cards[unseen]
        signs = [_signs(row, float(near)) for row, near in zip(chances, nearest, strict=True)]
        self._gate = LogisticRegression().fit(np.array(signs), right)


def _fit(vectors: csr_matrix, cards: np.ndarray) -> LinearSVC:
    return LinearSVC(C=0.5, max_iter=1000, random_state=0).fit(vectors, cards)


def _chances(model: LinearSVC, vectors: csr_matrix) -> np.ndarray:
    scores = SHARPNESS * model.decision_function(vectors)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _signs(chances: np.ndarray, nearest: float) -> list[float]:
    first, second = np.sort(chances)[::-1][:2]
    return [float(np.log(first + 1e-6)), float(np.log(first + 1e-6) - np.log(second + 1e-6)), nearest]
