"""The `trellis` command."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from pydantic import ValidationError

from bot.commands import parser
from bot.config import Settings
from bot.domain.problems import ContentError, WorkspacesFileError


def main() -> None:
    os.umask(0o077)  # database, logs, backups, reports: what Trellis writes is for its owner only
    arguments, settings = parser().parse_args(), read_settings()
    # Both bring the database's library along, which the list of commands can do without.
    from bot.operations.logs import set_up_logs
    from bot.operations.settings_faults import sentence_about

    set_up_logs(settings.log_format, level_for(arguments, settings), secrets_of(settings))
    try:
        sys.exit(arguments.run(arguments, settings))
    except ContentError as error:
        print("The content can't be used yet:", *error.problems, sep="\n  ", file=sys.stderr)
        sys.exit(1)
    except WorkspacesFileError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        if not (sentence := sentence_about(error, settings)):
            raise
        print(sentence, file=sys.stderr)
        sys.exit(1)


def read_settings() -> Settings:
    try:
        return Settings()
    except OSError as error:
        print(
            f"{Path('.env').absolute()} can't be read: {error.strerror}. Give it to the user that runs Trellis; or, when all "
            "settings stand in the environment (systemd: /etc/trellis.env), take it away.",
            file=sys.stderr,
        )
        sys.exit(2)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
        print("A setting can't be used; see .env.example:", *wrong, sep="\n  ", file=sys.stderr)
        sys.exit(2)


def level_for(arguments: Namespace, settings: Settings) -> str:
    """What serves tells what it does; a command that somebody waits for speaks up only when something is wrong."""
    return settings.log_level if "serves" in arguments or settings.log_level != "INFO" else "WARNING"


def secrets_of(settings: Settings) -> list[str]:
    """Everything that must never be seen in a log."""
    hidden = ("slack_bot_token", "slack_app_token", "slack_signing_secret", "slack_client_secret", "console_secret")
    return [getattr(settings, name) for name in hidden]


if __name__ == "__main__":
    main()
