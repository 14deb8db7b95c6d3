"""An encoder that an operator chose instead, run by a library that the operator installed."""

from collections.abc import Sequence
from importlib import import_module

import numpy as np


class Named:
    def __init__(self, library: str, model: str) -> None:
        """Raises ImportError when the library is not installed. The library may download the model: that is the operator's choice."""
        self.name = f"{library}:{model}"
        if library == "fastembed":
            self._embed = import_module("fastembed").TextEmbedding(model).embed
        else:
            self._embed = import_module("sentence_transformers").SentenceTransformer(model, device="cpu").encode

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.asarray(list(self._embed(list(texts))), dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
