"""Slack, for this machine only: Web API, events, Socket Mode, interactivity and a page to chat in.

The real slack-sdk and Bolt work against it unchanged when `SLACK_API_URL` names it. It knows nothing of Trellis: it
reads the app's own manifest.json and a list of people.
"""

from bot.localslack.acting import Member
from bot.localslack.server import LocalSlack

__all__ = ["LocalSlack", "Member"]
