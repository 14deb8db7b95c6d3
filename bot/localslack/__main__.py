"""`python -m bot.localslack`: the local Slack alone, for an app in another process."""

import argparse
import json
import signal
import threading
from pathlib import Path

import yaml

from bot.localslack.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, LocalSlack
from bot.localslack.workspace import User


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.localslack", description=__doc__)
    parser.add_argument("--manifest", type=Path, default=Path("manifest.json"))
    parser.add_argument(
        "--people", type=Path, required=True, help="YAML: a list of {id, real_name, email, tz, locale, about}"
    )
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument(
        "--channel",
        action="append",
        default=[],
        metavar="NAME",
        help="a channel with everybody in it; several times if you like",
    )
    parser.add_argument("--request-url", help="where events go over HTTP while no socket is open")
    chosen = parser.parse_args()
    people = [User(**person) for person in yaml.safe_load(chosen.people.read_text(encoding="utf-8"))]
    manifest = json.loads(chosen.manifest.read_text(encoding="utf-8"))
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with LocalSlack(manifest, people, port=chosen.port, request_url=chosen.request_url) as slack:
        channels = {
            name: slack.workspace.add_channel(name, [person.id for person in people], _id(name)).id
            for name in chosen.channel
        }
        print(f"Page: {slack.url}  workspace: {slack.workspace.team_id}")
        print("".join(f"Channel {name}: {channel}\n" for name, channel in channels.items()), end="")
        print(f"SLACK_API_URL={slack.api_url}\nSLACK_WEB_URL={slack.url}")
        print(f"SLACK_BOT_TOKEN={BOT_TOKEN}\nSLACK_APP_TOKEN={APP_TOKEN}\nSLACK_SIGNING_SECRET={SIGNING_SECRET}")
        print(f"SLACK_CLIENT_ID={slack.openid.client_id}\nSLACK_CLIENT_SECRET={slack.openid.client_secret}", flush=True)
        stop.wait()


def _id(name: str) -> str:
    return "C0" + "".join(letter for letter in name.upper() if letter.isalnum())


if __name__ == "__main__":
    main()
