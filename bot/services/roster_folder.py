"""A folder into which HR's nightly files are put: each is imported once and moved aside, with its report beside it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.services.roster import Outcome, ReportLine, write_report

STILL_BEING_WRITTEN = timedelta(seconds=60)
Import = Callable[[Path, ReportLine], Outcome]


def take_files(folder: Path, import_one: Import, now: datetime) -> Iterator[tuple[Path, Outcome]]:
    """Import every .csv file of the folder, the oldest first; `done` or `refused` is where it is found afterwards.

    A file that changed less than a minute ago is left for the next time: it may not be complete.
    """
    waiting = [(file.stat().st_mtime, file) for file in folder.glob("*.csv") if file.is_file()]
    for changed, file in sorted(waiting):
        if now - datetime.fromtimestamp(changed, UTC) < STILL_BEING_WRITTEN:
            continue
        report = file.with_suffix(".report")
        with report.open("w", encoding="utf-8", newline="") as lines:
            outcome = import_one(file, write_report(lines))
            for problem in outcome.problems:
                lines.write(f"{problem.level}: {problem}\n")
            lines.write(f"{outcome.refused}\n" if outcome.refused else "")
        place = folder / ("refused" if outcome.refused else "done")
        place.mkdir(exist_ok=True)
        name = f"{now:%Y%m%d-%H%M%S}-{file.name}"
        report.rename(place / f"{name}.report.txt")
        yield file.rename(place / name), outcome
