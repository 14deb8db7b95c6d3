"""A job: something done again and again, whatever goes wrong meanwhile."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb

from bot.operations.faults import is_ours, kind_of
from bot.services.delivery import Clock

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 15.0  # seconds between two tries of what fails: that much later than the database, we are back


@dataclass
class Job:
    """Something done again and again. When it fails it is tried again, after a growing pause, for ever."""

    name: str
    do: Callable[[], object]
    every: timedelta = timedelta(seconds=1)
    shared: bool = False  # about the database, not this process: any process may do it, and one is enough
    done_at: datetime | None = None  # when it last came to its end without an error
    tried_at: datetime | None = None  # when it last came to its end, well or not
    failures: int = 0  # in a row

    def once(self, clock: Clock) -> float:
        """Do it; returns the seconds until it should be done again. Never raises: one bad minute must not end the process."""
        try:
            self.do()
        except Exception as error:
            self.failures, self.tried_at = self.failures + 1, clock()
            pause = pause_after(self.failures)
            logger.error("%s failed, %s; again in %.0f s", self.name, where_from(error), pause)
            return pause
        if self.failures:
            logger.warning("%s works again after %s failures", self.name, self.failures)
        self.failures, self.done_at = 0, clock()
        self.tried_at = self.done_at
        return self.every.total_seconds()


def pause_after(failures: int) -> float:
    """1, 2, 4 … seconds, and not all processes at the same moment."""
    return min(LONGEST_PAUSE, 2.0 ** (failures - 1)) * random.uniform(0.6, 1.0)


def where_from(error: BaseException) -> str:
    """Kind of error, its code, and line of ours. Never its message: that may hold what an employee wrote."""
    ours = [frame for frame in extract_tb(error.__traceback__) if is_ours(frame.filename)]
    line = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} in {ours[-1].name}" if ours else ""
    return f"{kind_of(error)}{line}"
