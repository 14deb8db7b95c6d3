"""Content that changes while Trellis runs: taken over whole when it is good; when it is not, the old stays."""

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bot.app import build_answering
from bot.config import Settings
from bot.domain.problems import ContentError
from bot.knowledge_base.base import revision
from bot.services.inbox import Desk
from bot.services.replying import Answering
from bot.services.reviewing import close_settled
from bot.workspaces import Workspaces

logger = logging.getLogger(__name__)


class ContentWatch:
    """Looks at a content folder for the desks that answer from it. `build` reads and learns it; it raises ContentError."""

    def __init__(self, desks: Sequence[Desk], folder: Path, build: Callable[[], Answering]) -> None:
        self._desks, self._folder, self._build = desks, folder, build
        self._judged = self._last_seen = desks[0].answering.kb.revision
        self._lock = threading.Lock()
        self._refused = False

    @property
    def refused(self) -> str:
        """The folder, while what stands in it is not what is answered from because it can't be used; "" otherwise."""
        return str(self._folder) if self._refused else ""

    def look(self, *, at_once: bool = False) -> bool:
        """True when new content was taken over.

        A change is acted on when the folder looked the same the time before, so that a copy in the middle of being
        written is left alone; `at_once` when somebody says that it is complete.
        """
        with self._lock:
            try:
                found = revision(self._folder)
            except OSError:  # a file is gone between being listed and being read: somebody is copying
                return False
            at_rest, self._last_seen = found == self._last_seen, found
            if found == self._judged and at_once:
                logger.info("content in %s is as it was%s", self._folder, ", and can't be used" if self._refused else "")
            if found == self._judged or not (at_rest or at_once):
                return False
            self._judged = found  # good or bad: once is enough
            self._refused = True  # until it is taken over
            return self._take_over()

    def _take_over(self) -> bool:
        try:
            answering = self._build()
        except ContentError as error:
            logger.error("the changed content in %s has errors and is not used; what was there before stays", self._folder)
            for problem in error.problems:
                logger.error("content: %s", problem)
            return False
        except Exception:  # whatever the content has brought down: Trellis goes on with what it has
            logger.exception("the changed content in %s can't be used; what was there before stays", self._folder)
            return False
        for desk in self._desks:
            desk.answering = answering
        self._refused = False
        logger.warning("content %s is in use", answering.kb.revision)
        for desk in self._desks:
            close_settled(desk.sessions, answering, desk.clock().date(), desk.clock())
        return True


def watches_of(settings: Settings, workspaces: Workspaces) -> list[ContentWatch]:
    """One for each content folder."""
    desks: dict[Path, list[Desk]] = {}
    models: dict[Path, Path] = {}
    for employer in workspaces.employers:
        folder = employer.place.content if employer.place else settings.content_dir
        desks.setdefault(folder, []).append(employer.desk)
        models.setdefault(folder, settings.model_dir / employer.id)
    return [
        ContentWatch(desks[folder], folder, partial(build_answering, own))
        for folder in desks
        if (own := settings.model_copy(update={"content_dir": folder, "model_dir": models[folder]}))
    ]


def look_when_told(watches: Sequence[ContentWatch]) -> None:
    """SIGHUP: the content is complete, look now. Not where there is no such signal, nor outside the main thread."""

    def look(*_: object) -> None:
        for watch in watches:
            threading.Thread(target=watch.look, kwargs={"at_once": True}, name="content", daemon=True).start()

    if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, look)
