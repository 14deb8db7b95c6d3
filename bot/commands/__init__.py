"""What `trellis` can be told to do: one module a topic, each adds its subcommands to the parser."""

from argparse import ArgumentParser

from bot.commands import asking, bench, checkins, coaching, content, evaluating, operating, people, serving
from bot.version import VERSION


def parser() -> ArgumentParser:
    parser = ArgumentParser(prog="trellis", description="A career coach in Slack for frontline hospital staff.")
    parser.add_argument("--version", action="version", version=f"trellis {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for topic in (serving, operating, asking, checkins, evaluating, content, people, coaching, bench):
        topic.add(commands)
    return parser
