"""What a matcher learnt, as bytes and back: plain arrays and JSON, nothing that could run."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np

from bot.domain.matching.gate import Gate
from bot.domain.matching.matcher import Learnt
from bot.domain.matching.ngrams import NGrams
from bot.domain.matching.packed import Packed

ARRAYS = (
    "word_weights",
    "word_shifts",
    "meaning_weights",
    "meaning_shifts",
    "scope",
    "shape_weights",
    "shape_shifts",
    "label_of",
)
STRINGS = ("labels", "texts", "said", "shape_labels")
GRAMS = ("grams", "shape_grams")


class Damaged(Exception):
    """The bytes are not what was kept."""


def keep(learnt: Learnt) -> bytes:
    """SHA-256 of what follows, then an .npz."""
    strings = {name: getattr(learnt, name) for name in STRINGS}
    arrays = {name: getattr(learnt, name) for name in ARRAYS} | {"gate": np.append(learnt.gate.weights, learnt.gate.shift)}
    arrays |= {"vectors.numbers": learnt.vectors.numbers, "vectors.scales": learnt.vectors.scales}
    for name in GRAMS:
        grams: NGrams = getattr(learnt, name)
        strings |= {f"{name}.words": grams.words, f"{name}.letters": grams.letters}
        arrays[f"{name}.rarity"] = grams.rarity
    file = io.BytesIO()
    np.savez(file, **arrays, **{name: _packed(values) for name, values in strings.items()})
    body = file.getvalue()
    return hashlib.sha256(body).digest() + body


def restore(kept: BinaryIO) -> Learnt:
    """From a file that can be read twice: it is large, so it is never in memory as a whole. Raises Damaged."""
    digest, found = kept.read(32), hashlib.sha256()
    while part := kept.read(1 << 20):
        found.update(part)
    if found.digest() != digest:
        raise Damaged("the hash does not fit")
    with np.load(_Body(kept), allow_pickle=False) as file:
        gate = file["gate"]
        return Learnt(
            gate=Gate(gate[:-1], float(gate[-1])),
            vectors=Packed(file["vectors.numbers"], file["vectors.scales"]),
            **{name: file[name] for name in ARRAYS},
            **{name: _unpacked(file[name]) for name in STRINGS},
            **{name: _grams(file, name) for name in GRAMS},
        )


class _Body(io.RawIOBase):
    """What follows the hash, as a file of its own."""

    def __init__(self, kept: BinaryIO) -> None:
        self._kept = kept
        self._kept.seek(32)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._kept.tell() - 32

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._kept.seek(offset + 32 if whence == io.SEEK_SET else offset, whence) - 32

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._kept.readinto(buffer)  # type: ignore[attr-defined]


def _grams(file: Mapping[str, np.ndarray], name: str) -> NGrams:
    return NGrams(_unpacked(file[f"{name}.words"]), _unpacked(file[f"{name}.letters"]), file[f"{name}.rarity"])


def _packed(strings: Sequence[str]) -> np.ndarray:
    return np.frombuffer(json.dumps(strings, ensure_ascii=False).encode(), dtype=np.uint8)


def _unpacked(packed: np.ndarray) -> tuple[str, ...]:
    return tuple(json.loads(packed.tobytes()))
