"""What is being worked on right now: one line in the log, and one span for who traces, for each question, each round of
delivery and each message sent. Ids only, never words."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

logger = logging.getLogger(__name__)

Ids = dict[str, int | str]
Trace = Callable[[str, Ids], AbstractContextManager[Any]]

_at_work: ContextVar[Ids | None] = ContextVar("at_work", default=None)
_last_end = time.monotonic()
_trace: Trace = lambda act, ids: nullcontext()  # noqa: E731


def trace_with(trace: Trace) -> None:
    """From now on each act is traced: `trace(act, ids)` is entered before it and left after it, with the ids as they are then."""
    global _trace
    _trace = trace


@contextmanager
def watched(act: str, level: int = logging.INFO) -> Iterator[None]:
    """Around one act; a function's decorator, too. An act that ends with an error is logged by who handles the error."""
    global _last_end
    started, ids = time.perf_counter(), dict[str, int | str]()
    token = _at_work.set(ids)
    try:
        with _trace(act, ids):
            yield
        ids["ms"] = round((time.perf_counter() - started) * 1000)
        logger.log(level, "%s", act)
    finally:
        _at_work.reset(token)
        _last_end = time.monotonic()


def since_last_act() -> timedelta:
    """For how long nothing has come to its end in this process, by a clock that nobody sets."""
    return timedelta(seconds=time.monotonic() - _last_end)


def note(**ids: int | str | None) -> None:
    """These ids, and words from closed lists, belong to the act at hand; what is None is left out."""
    at_work = _at_work.get()
    if at_work is not None:
        at_work.update({name: value for name, value in ids.items() if value is not None})


def noted() -> Ids:
    """The ids of the act at hand."""
    return dict(_at_work.get() or {})
