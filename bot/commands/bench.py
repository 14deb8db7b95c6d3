"""bench: speed and scale, measured on this machine. Never part of the tests."""

import argparse
import json
import os
import random
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.app import build_answering, build_console, build_desk
from bot.bench import answering, chaos, console, events, growth, lattice, planning
from bot.config import Settings
from bot.console.app import COOKIE
from bot.knowledge_base import load
from bot.services.evaluating import read_questions
from storage.database import Limits, make_sessions, migrate, open_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    bench = commands.add_parser("bench")
    what = bench.add_subparsers(required=True, metavar="what")
    _add_answering(what)
    _add_events(what)
    _add_console(what)
    _add_lattice(what)
    _add_chaos(what)
    _add_planning(what)
    _add_growth(what)


def _add_answering(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser("answering", help="milliseconds an answer, seconds until ready, memory")
    parser.add_argument("--questions", type=Path, default=Path("tests/questions"), metavar="FILE or FOLDER")
    parser.set_defaults(run=run_answering)


def run_answering(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run it twice after a change of content: the first time the matcher has to learn."""
    questions = [turn["text"] for each in read_questions(arguments.questions) for turn in each.turns]
    found = answering.measure(lambda: build_answering(settings), questions, datetime.now(UTC).date())
    print(
        f"{found.count:,} questions, {os.cpu_count()} cores: median {found.median:.1f} ms, p99 {found.p99:.1f} ms, ", end=""
    )
    print(f"slowest {found.slowest:.1f} ms; ready after {found.ready:.1f} s; at most {found.memory:.0f} MB")
    return 0


def _add_events(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser(
        "events", help="from message to reply under load, beside a bare Bolt echo; with --kill-every, is any lost?"
    )
    parser.add_argument("--rate", type=float, default=50.0, help="questions a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kill-every", type=float, metavar="SECONDS", help="kill a process at random about so often")
    parser.add_argument("--no-echo", action="store_true", help="leave out the yardstick")
    parser.set_defaults(run=run_events)


def run_events(arguments: argparse.Namespace, settings: Settings) -> int:
    """Returns 1 when a question was not answered, or answered twice."""
    load_ = events.Load(arguments.rate, arguments.seconds, arguments.people, arguments.processes, arguments.kill_every)
    kb, manifest = load(settings.content_dir), json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    questions = [text for text, card, _ in kb.examples() if not card.startswith(("safety/", "assistant/"))]
    found = {}
    if not arguments.no_echo:
        found["bare Bolt echo"] = events.measure_echo(replace(load_, processes=1, kill_every=None), manifest, questions)
    with TemporaryDirectory() as folder, chaos.own_database(arguments.database, Path(folder)) as (url, _):
        found["Trellis"] = events.measure_trellis(load_, url, kb, manifest, questions)
    print(f"{'':16}{'asked':>8}{'lost':>6}{'twice':>7}{'kills':>7}{'reply ms, median':>18}{'p99':>8}{'slowest':>9}", end="")
    print(f"{'ack ms, median':>16}{'p99':>7}{'CPU s':>8}{'MB':>6}")
    for name, each in found.items():
        reply, ack = np.percentile(each.reply, [50, 99, 100]), np.percentile(each.ack, [50, 99])
        print(f"{name:16}{each.asked:8,}{each.lost:6}{each.twice:7}{each.kills:7}{reply[0]:18.1f}{reply[1]:8.1f}", end="")
        print(f"{reply[2]:9.0f}{ack[0]:16.1f}{ack[1]:7.1f}{each.cpu:8.1f}{each.memory:6.0f}")
    print(f"{load_.rate:g} a second for {load_.seconds:g} s, {load_.people} people, {load_.processes} processes,", end=" ")
    print(f"{arguments.database}, {os.cpu_count()} cores shared with the local Slack; CPU without the database's")
    return 1 if any(each.lost or each.twice for each in found.values()) else 0


def _add_console(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser("console", help="the coaches' inbox beside very many conversations")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--database", metavar="URL", help="an empty database; a fresh SQLite file unless told")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run_console)


def run_console(arguments: argparse.Namespace, settings: Settings) -> int:
    """Whole pages in milliseconds: routing, rights, queries, template."""
    with TemporaryDirectory() as folder:
        secret = "measured, never served"
        settings = settings.model_copy(
            update={
                "database_url": arguments.database or f"sqlite:///{Path(folder) / 'bench.db'}",
                "console_url": "http://bench",
                "console_secret": secret,
                "console_access": "",
            }
        )
        migrate(settings.database_url)
        engine = open_database(settings.database_url)
        try:
            console.fill(engine, arguments.conversations, console.moment(), lambda words: print(words, file=sys.stderr))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
        engine.dispose()
        page = build_console(settings, build_desk(settings, build_answering(settings)))
        timings = console.measure(page, secret, COOKIE, console.moment())
    if arguments.json:
        print(json.dumps([asdict(timing) for timing in timings], indent=1))
        return 0
    database = "PostgreSQL" if settings.database_url.startswith("postgresql") else "SQLite"
    print(f"{arguments.conversations:,} conversations on {database}, {os.cpu_count()} cores; milliseconds for a whole page")
    print(f"{'':28}{'first':>8}{'middle':>8}{'slowest':>8}{'rows':>6}")
    for each in timings:
        print(f"{each.page:28}{each.first:8.1f}{each.middle:8.1f}{each.slowest:8.1f}{each.rows:6}")
    return 0


def _add_lattice(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser("lattice", help="routes in a large lattice, next roles for a large roster")
    parser.add_argument("--roles", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--employees", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run_lattice)


def run_lattice(arguments: argparse.Namespace, settings: Settings) -> int:
    """Routes and next roles in milliseconds; a roster of its own, gone afterwards."""
    spreads = lattice.routes(arguments.roles, arguments.steps, arguments.queries)
    with TemporaryDirectory() as folder:
        settings = settings.model_copy(update={"database_url": f"sqlite:///{Path(folder) / 'bench.db'}"})
        migrate(settings.database_url)
        engine = open_database(settings.database_url)
        answering, sessions = build_answering(settings), make_sessions(engine)
        spreads += lattice.next_roles(answering, sessions, arguments.employees, lambda words: print(words, file=sys.stderr))
        engine.dispose()
    if arguments.json:
        print(json.dumps([asdict(each) for each in spreads], indent=1))
        return 0
    print(f"{os.cpu_count()} cores; milliseconds{'':28}{'times':>9}{'median':>9}{'p99':>9}{'slowest':>9}")
    for each in spreads:
        print(f"{each.what:48}{each.count:9,}{each.median:9.2f}{each.p99:9.2f}{each.slowest:9.2f}")
    return 0


def _add_chaos(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser("chaos", help="are reminders lost or sent twice when processes, Slack and the database fail?")
    parser.add_argument("--reminders", type=int, default=5000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--processes", type=int, help="1 on SQLite, 3 on PostgreSQL unless told")
    parser.add_argument("--speed", type=float, default=10.0, help="how much faster than real the clock runs")
    parser.add_argument("--limit", type=float, default=900.0, help="real seconds after which a trial is given up")
    engine = "what rings for the jobs; procrastinate needs PostgreSQL"
    parser.add_argument("--engine", choices=["own", "procrastinate"], default="own", help=engine)
    parser.add_argument("--no-yardstick", action="store_true", help="leave out the sender that does not read back")
    parser.set_defaults(run=run_chaos)


def run_chaos(arguments: argparse.Namespace, settings: Settings) -> int:
    """Both senders under the same faults. Returns 1 when the real one lost or repeated anything."""
    processes = arguments.processes or (1 if arguments.database == "sqlite" else 3)
    wrong = 0
    print(f"{'':24}{'lost':>6}{'twice':>7}{'seconds':>9}{'kills':>7}{'freezes':>9}{'restarts':>10}{'read back':>11}")
    for read_back in (True,) if arguments.no_yardstick else (True, False):
        sizes = (arguments.reminders, processes, arguments.database, read_back, arguments.speed, arguments.limit)
        trial = chaos.Trial(*sizes, engine=arguments.engine)
        with TemporaryDirectory() as folder:
            found = chaos.run_trial(trial, Path(folder), settings.content_dir, lambda words: print(words, file=sys.stderr))
        name = "with read-back" if read_back else "naive, as a yardstick"
        print(
            f"{name:24}{found.lost:6}{found.twice:7}{found.seconds:9.0f}{found.kills:7}{found.freezes:9}{found.restarts:10}"
            f"{found.doubts:11}   {dict(found.faults)}",
            flush=True,
        )
        wrong += read_back and bool(found.lost or found.twice)
    print(f"{arguments.reminders:,} reminders, {processes} processes, {arguments.database}, clock × {arguments.speed:g}")
    return 1 if wrong else 0


def _add_planning(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser("planning", help="a day's check-ins planned beside very many employees, on PostgreSQL")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--database", metavar="URL", required=True, help="an empty PostgreSQL database")
    parser.set_defaults(run=run_planning)


def run_planning(arguments: argparse.Namespace, settings: Settings) -> int:
    migrate(arguments.database)
    sessions = make_sessions(open_database(arguments.database, limits=Limits(statement_seconds=0)))
    try:
        found = planning.measure(sessions, load(settings.content_dir), arguments.people)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{found.people:,} people: {found.due:,} check-ins planned in {found.seconds:.2f} s", end="; ")
    print(f"nothing due: {found.nothing_due * 1000:.1f} ms, nothing to send: {found.nothing_to_send * 1000:.1f} ms")
    return 0


def _add_growth(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = what.add_parser("growth", help="a question's milliseconds beside ever more cards, people and conversations")
    parser.add_argument("--cards", type=_sizes, default="200,2000,20000", metavar="N,N,…")
    parser.add_argument("--people", type=_sizes, default="1000,100000,1000000", metavar="N,N,…")
    parser.add_argument("--conversations", type=_sizes, default="1000,100000,1000000", metavar="N,N,…")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write the figures with charts")
    parser.set_defaults(run=run_growth)


def _sizes(written: str) -> list[int]:
    return sorted(int(each) for each in written.split(","))


def run_growth(arguments: argparse.Namespace, settings: Settings) -> int:
    """People and conversations on a PostgreSQL of its own, gone afterwards."""
    made = build_answering(settings)
    questions = [text for text, card, _ in made.kb.examples() if not card.startswith(("safety/", "assistant/"))]
    random.Random(1).shuffle(questions)
    found = growth.grow_cards(made.understanding.rank.__self__, questions, arguments.cards)  # type: ignore[attr-defined]
    with TemporaryDirectory() as folder, chaos.own_database("postgresql", Path(folder)) as (url, _):
        engine = open_database(
            url, limits=Limits(statement_seconds=0)
        )  # millions of rows take longer than anything else may
        desk = build_desk(settings.model_copy(update={"database_url": url}), made)
        desk.sender = growth.NoSlack()  # type: ignore[assignment]
        found += growth.grow_people(engine, desk, questions, arguments.people)
        found += growth.grow_conversations(engine, desk, questions, arguments.conversations, arguments.people[-1])
        engine.dispose()
    print(f"{os.cpu_count()} cores; milliseconds {'median':>10}{'p99':>9}{'MB held':>9}")
    for each in found:
        print(f"{each.count:>12,} {each.what:13}{each.median:9.1f}{each.p99:9.1f}{each.megabytes:9.0f}")
    if arguments.page:
        arguments.page.write_text(growth.draw_page(found), encoding="utf-8")
    return 0
