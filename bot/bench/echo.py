"""A bare Bolt app that sends back what it reads: the yardstick for `trellis bench events`."""

import os
import threading
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient


def main() -> None:
    client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = App(client=client, token_verification_enabled=False)

    @app.event("message")
    def echo(event: dict[str, Any], say: Any) -> None:
        if not event.get("bot_id"):
            say(text=f"{event['channel']}:{event['ts']} {event.get('text', '')}")

    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).connect()
    threading.Event().wait()


if __name__ == "__main__":
    main()
