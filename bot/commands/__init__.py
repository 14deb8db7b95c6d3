"""What `trellis` can be told to do: one module a topic, each adds its subcommands to the parser.

Only the topic of the command that is given is imported: together they bring the web, SciPy and much else along, seconds of it.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from bot.version import VERSION

COMMANDS = {  # command → its topic, and what the list of commands says
    "demo": ("serving", "the whole product on this machine, with a Slack of its own"),
    "run": ("serving", "serve Slack: Socket Mode with SLACK_APP_TOKEN, else HTTP at /slack/events"),
    "db": ("serving", "db upgrade: brings the database up to date"),
    "deliver": ("serving", "send what is due in the outbox, once"),
    "sweep": ("serving", "answer what a crash left behind in the inbox, once"),
    "backup": ("operating", "backup FILE: the whole database, while Trellis runs"),
    "restore": ("operating", "restore FILE: a backup in the place of the database; stop Trellis first"),
    "doctor": ("operating", "is everything as it should be, and how to mend what is not"),
    "ask": ("asking", "answer one question, or a file of them; nothing is stored"),
    "checkins": ("checkins", "career check-ins: plan, send, report"),
    "evaluate": ("evaluating", "accuracy on labelled questions"),
    "content": ("content", "content check: validates all content and runs its tests"),
    "roster": ("people", "roster import FILE.csv: people, with a report a line"),
    "reviews": ("coaching", "reviews export: coaches' open reviews as content tests and proposals"),
    "person": ("coaching", "person export|erase EMAIL: what is stored about somebody"),
    "retention": ("coaching", "erase what is older than content/employer.yaml keeps, once"),
    "bench": ("bench", "bench console|lattice|…: speed and scale, measured on this machine"),
}


class _Command(ArgumentParser):
    """Stands in the list of commands; what it takes is known, and imported, when it is used."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Namespace | None = None) -> Any:  # type: ignore[override]
        program, _, name = self.prog.rpartition(" ")
        own = ArgumentParser(prog=program).add_subparsers(prog=program)
        import_module(f"bot.commands.{COMMANDS[name][0]}").add(own)
        return own.choices[name].parse_known_args(args, namespace)


def parser() -> ArgumentParser:
    parser = ArgumentParser(prog="trellis", description="A career coach in Slack for frontline hospital staff.")
    parser.add_argument("--version", action="version", version=f"trellis {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="command", parser_class=_Command)
    for name, (_, says) in COMMANDS.items():
        commands.add_parser(name, help=says)
    return parser
