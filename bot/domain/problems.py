"""Problems found in what people wrote: each a sentence, with the file and the place in it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Problem:
    file: str
    place: str
    sentence: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        return f"{where}: {self.sentence}"


class ContentError(Exception):
    """The content can't be used. `problems` has every reason, not the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class WorkspacesFileError(Exception):
    """The workspaces file can't be used; the message says what is wrong, a line each."""


def errors_in(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.level == "error"]
