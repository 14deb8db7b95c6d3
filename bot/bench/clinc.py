"""The public CLINC150 protocol (Larson et al. 2019, "An Evaluation Dataset for Intent Classification and Out-of-Scope
Prediction") with the matcher as it is: same encoders, same learning, same gate.

*oos-train*: the 100 out-of-scope messages of the training split are one more class. In-scope accuracy counts a message called
out of scope as wrong; out-of-scope recall is the share of out-of-scope test messages called so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.domain.matching import Encoder, Example, Matcher, Reader, Speller
from bot.domain.role_mentions import RoleReader
from bot.encoders.words import ordinary_words
from bot.services.trained_matcher import trained_matcher

OUTSIDE = "outside/oos"
SPLITS = ("train", "oos_train", "val", "oos_val", "test", "oos_test")
# In-scope accuracy and out-of-scope recall, as the paper has them for oos-train.
PUBLISHED = {"BERT": (96.9, 40.3), "MLP": (93.5, 47.4), "Rasa": (91.5, 45.3), "Dialogflow": (91.7, 14.0)}


@dataclass(frozen=True)
class Point:
    """Percent. A message counts as out of scope when its confidence is below `threshold`, or the class says so."""

    accuracy: float
    recall: float
    threshold: float


@dataclass(frozen=True)
class Read:
    """One message of a split: the class it belongs to, the one it was given, and how sure the matcher was."""

    wanted: str
    given: str
    confidence: float


def run_protocol(file: Path, encoders: Sequence[Encoder], folder: Path) -> tuple[Point, Point]:
    """(as the matcher decides, at the threshold that is best balanced on the validation split).

    `file` is the data set's data_full.json; what is learnt is kept in `folder`. Raises ValueError when it is another file.
    """
    data = json.loads(file.read_text(encoding="utf-8"))
    if missing := [split for split in SPLITS if split not in data]:
        raise ValueError(f"{file} is not CLINC150's data_full.json: it has no {', '.join(missing)}.")
    examples = [
        Example(text, OUTSIDE if intent == "oos" else intent) for text, intent in (*data["train"], *data["oos_train"])
    ]
    reader = Reader(Speller([], [each.text for each in examples], ordinary_words(), {}), RoleReader({}, {}))
    matcher = trained_matcher(examples, encoders, reader, folder)
    validation, test = (_read(matcher, (*data[part], *data[f"oos_{part}"])) for part in ("val", "test"))
    thresholds = np.unique([each.confidence for each in validation])
    balanced = max(thresholds, key=lambda threshold: _balance(_at(validation, threshold)))
    return _at(test, 0.0), _at(test, float(balanced))


def _read(matcher: Matcher, messages: Sequence[tuple[str, str]]) -> list[Read]:
    read = []
    for text, intent in messages:
        ranking = matcher.rank(text)
        read.append(Read(OUTSIDE if intent == "oos" else intent, ranking.candidates[0].card, ranking.confidence))
    return read


def _at(read: Sequence[Read], threshold: float) -> Point:
    given = [OUTSIDE if each.confidence < threshold else each.given for each in read]
    right = np.array([each.wanted == one for each, one in zip(read, given, strict=True)])
    inside = np.array([each.wanted != OUTSIDE for each in read])
    return Point(100 * float(right[inside].mean()), 100 * float(right[~inside].mean()), threshold)


def _balance(point: Point) -> float:
    return min(point.accuracy, point.recall) + (point.accuracy + point.recall) / 2
