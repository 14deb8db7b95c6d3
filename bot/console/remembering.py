"""What costs seconds to work out and hardly changes is worked out once for a few minutes, whoever looks."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

Found = TypeVar("Found")
LASTS = timedelta(minutes=5)


class Remembered:
    """One for each console; the lock lets a second viewer wait for the first one's result instead of making another."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[datetime, Any]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, now: datetime, make: Callable[[], Found]) -> Found:
        """What `make` returned within the last minutes for this key, else what it returns now."""
        with self._lock:
            self._kept = {each: kept for each, kept in self._kept.items() if abs(now - kept[0]) < LASTS}
            if key not in self._kept:
                self._kept[key] = (now, make())
            return self._kept[key][1]  # type: ignore[no-any-return]
