"""The `trellis` command."""

import sys

from bot.commands import parser
from bot.config import Settings
from bot.domain.problems import ContentError


def main() -> None:
    arguments = parser().parse_args()
    try:
        sys.exit(arguments.run(arguments, Settings()))
    except ContentError as error:
        print("The content can't be used yet:", *error.problems, sep="\n  ", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
