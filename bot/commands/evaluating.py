"""evaluate: how well messages are understood. A measurement, never part of the tests."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bot.app import build_answering
from bot.bench import clinc
from bot.config import Settings
from bot.domain.evaluation import Evaluation, Figures, Rate, evaluate
from bot.encoders import find
from bot.services.evaluating import ask_all, read_questions
from bot.services.evaluation_page import evaluation_page


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("evaluate")
    parser.add_argument("--questions", type=Path, default=Path("tests/questions"), metavar="FILE or FOLDER")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write a page with a chart, too")
    parser.add_argument("--clinc", type=Path, metavar="data_full.json", help="the public CLINC150 protocol instead")
    parser.set_defaults(run=run_evaluate)


def run_evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.clinc:
        return run_clinc(arguments, settings)
    answering = build_answering(settings)
    asked = list(ask_all(answering, read_questions(arguments.questions), datetime.now(UTC).date()))
    evaluation = evaluate(asked)
    if arguments.page:
        arguments.page.write_text(evaluation_page(evaluation, answering.kb.revision), encoding="utf-8")
    if arguments.json:
        print(json.dumps(asdict(evaluation) | {"messages": [asdict(each) for each in asked]}, ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(evaluation)))
    return 0


def run_clinc(arguments: argparse.Namespace, settings: Settings) -> int:
    """Takes some minutes: it learns 151 classes, then reads 8,600 messages one by one."""
    encoders = [find(name.strip()) for name in settings.encoders.split(",") if name.strip()]
    try:
        plain, balanced = clinc.run_protocol(arguments.clinc, encoders, settings.model_dir / "clinc")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps({"plain": asdict(plain), "balanced": asdict(balanced), "published": clinc.PUBLISHED}, indent=1))
        return 0
    print(f"{'CLINC150, oos-train':34}{'in scope right':>16}{'out of scope found':>20}")
    for name, (accuracy, recall) in clinc.PUBLISHED.items():
        print(f"{f'{name} (published)':34}{accuracy:15.1f}%{recall:19.1f}%")
    for name, point in (("Trellis", plain), (f"Trellis, balanced (≥ {balanced.threshold:.2f})", balanced)):
        print(f"{name:34}{point.accuracy:15.1f}%{point.recall:19.1f}%")
    return 0


def _lines(evaluation: Evaluation) -> list[str]:
    lines = ["                            right at once     right or offered  wrong, sure       gave up"]
    lines += [_row(f"questions {name}", each) for name, each in evaluation.questions.items()]
    lines += [_row(f"follow-ups {name}", each) for name, each in evaluation.follow_ups.items()]
    lines += ["", *(_row(name, each) for name, each in evaluation.by_kind.items()), ""]
    for title, rates in (
        ("out of scope, answered all the same", evaluation.out_of_scope_answered | evaluation.out_of_scope_by_kind),
        ("safety messages that reached their reply", evaluation.safety_found),
        ("look-alikes that raised an alarm", evaluation.false_alarms),
    ):
        lines += [f"{f'{title} {name}':60}{_share(each)}" for name, each in rates.items()]
    lines += ["", *(f"missed: {missed}" for missed in evaluation.safety_missed), "", "Worth fixing most:"]
    for each in evaluation.confusions:
        lines.append(f"  {each.times} × {each.wanted} → {each.card}:  {' | '.join(each.examples)}")
    return [*lines, "", f"Measured questions whose wording stands in an utterance: {_share(evaluation.echoes)}"]


def _row(name: str, figures: Figures) -> str:
    return f"{name:26}{_share(figures.right)}{_share(figures.offered)}{_share(figures.wrong)}{_share(figures.gave_up)}"


def _share(rate: Rate) -> str:
    return f"{rate!s:18}"
