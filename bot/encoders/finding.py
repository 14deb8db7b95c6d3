"""Which encoder has which name, and the one interface that they all have."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np


class Encoder(Protocol):
    """`name` changes whenever the vectors would: a trained matcher is kept under it."""

    @property
    def name(self) -> str: ...
    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One row a text, float32, each of length 1."""
        ...


@cache
def find(name: str) -> Encoder:
    """ "minilm" and "use" come with Trellis; "fastembed:MODEL" and "sentence-transformers:MODEL" need that library installed."""
    library, _, model = name.partition(":")
    if name == "minilm":
        from bot.encoders.minilm import MiniLM

        return MiniLM()
    if name == "use":
        from bot.encoders.use import MultilingualUSE

        return MultilingualUSE()
    if library in ("fastembed", "sentence-transformers") and model:
        from bot.encoders.named import Named

        return Named(library, model)
    raise ValueError(f"“{name}” is not an encoder; see ENCODERS in docs/matching.md")
