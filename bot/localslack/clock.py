"""A clock that can be moved on. Timers fire when it passes their time, by itself or because somebody moved it."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STEP = timedelta(hours=1)
TICK = 0.2  # seconds between two looks at the timers


class Clock:
    """Aware UTC. It runs like any clock, ahead of the real one by what `advance` has added."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._timers: list[tuple[datetime, Callable[[], None]]] = []
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._last_ts = 0.0
        self.on_step: Callable[[], None] = lambda: None  # called after every hour that `advance` lets pass

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + self._ahead

    def start_at(self, moment: datetime) -> None:
        """Before anything has happened; may be in the past."""
        self._ahead = moment - datetime.fromtimestamp(time.time(), UTC)

    def set_to(self, moment: datetime) -> None:
        """Only forwards: Slack's messages are ordered by time."""
        self.advance(moment - self.now())

    def advance(self, by: timedelta) -> None:
        """Hour by hour, so that what happens in between happens in its order."""
        while by > timedelta():
            step = min(by, STEP)
            with self._lock:
                self._ahead += step
            by -= step
            self.fire_due()
            self.on_step()

    def ts(self) -> str:
        """A message's id: seconds with six places, never twice."""
        with self._lock:
            self._last_ts = max(self.now().timestamp(), self._last_ts + 0.000002)
            return f"{self._last_ts:.6f}"

    def later(self, after: timedelta, do: Callable[[], None]) -> None:
        with self._lock:
            self._timers.append((self.now() + after, do))

    @property
    def waits(self) -> bool:
        """Something is to happen later."""
        with self._lock:
            return bool(self._timers)

    def fire_due(self) -> None:
        now = self.now()
        with self._lock:
            due = [timer for timer in self._timers if timer[0] <= now]
            self._timers = [timer for timer in self._timers if timer[0] > now]
        for _, do in sorted(due, key=lambda timer: timer[0]):
            do()

    def start(self) -> None:
        def run() -> None:
            while not self._stopped.wait(TICK):
                self.fire_due()

        threading.Thread(target=run, name="localslack clock", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
