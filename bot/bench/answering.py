"""How long an answer takes inside the process, how long until the first one, and how much memory it all needs."""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.services.replying import Answering


@dataclass(frozen=True)
class Answered:
    """Milliseconds an answer; seconds until ready; megabytes of the process at its largest."""

    count: int
    median: float
    p99: float
    slowest: float
    ready: float
    memory: float


def measure(build: Callable[[], Answering], questions: Sequence[str], today: date) -> Answered:
    """Each question once, one after the other, by somebody unknown. `ready` is what `build` takes."""
    started = time.perf_counter()
    answering = build()
    ready = time.perf_counter() - started
    answering.reply("hello", Employee(), Dialogue(), today)  # the first loads lazily what all others share
    took = []
    for question in questions:
        begun = time.perf_counter()
        answering.reply(question, Employee(), Dialogue(), today)
        took.append(1000 * (time.perf_counter() - begun))
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return Answered(len(took), float(np.median(took)), float(np.percentile(took, 99)), max(took), ready, size)
