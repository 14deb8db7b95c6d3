"""The tables, split by noun. Importing this package registers them all."""

from storage.models.conversations import Conversation, Exchange, Feedback, Handoff, QuestionEdit
from storage.models.people import Person
from storage.models.queues import InboxItem, OutboxItem

__all__ = ["Conversation", "Exchange", "Feedback", "Handoff", "InboxItem", "OutboxItem", "Person", "QuestionEdit"]
