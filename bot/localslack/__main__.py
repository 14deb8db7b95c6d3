"""`python -m bot.localslack`: the local Slack alone, for an app in another process."""

import argparse
import json
import signal
import threading
from pathlib import Path

import yaml

from bot.localslack.server import LocalSlack
from bot.localslack.workspace import User


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.localslack", description=__doc__)
    parser.add_argument("--manifest", type=Path, default=Path("manifest.json"))
    parser.add_argument(
        "--people", type=Path, required=True, help="YAML: a list of {id, real_name, email, tz, locale, about}"
    )
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--request-url", help="where events go over HTTP while no socket is open")
    chosen = parser.parse_args()
    people = [User(**person) for person in yaml.safe_load(chosen.people.read_text(encoding="utf-8"))]
    manifest = json.loads(chosen.manifest.read_text(encoding="utf-8"))
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with LocalSlack(manifest, people, port=chosen.port, request_url=chosen.request_url) as slack:
        print(f"Page: {slack.url}\nSLACK_API_URL={slack.api_url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
