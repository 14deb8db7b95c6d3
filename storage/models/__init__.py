"""The tables, split by noun. Importing this package registers them all."""

from storage.models.audit import AuditEntry
from storage.models.coaching import (
    Attention,
    CoachMessage,
    Label,
    Note,
    Review,
    SavedFilter,
    SavedReply,
    Tally,
)
from storage.models.conversations import Conversation, Exchange, Feedback, Handoff, QuestionEdit
from storage.models.people import Person
from storage.models.queues import InboxItem, OutboxItem

__all__ = [
    "Attention",
    "AuditEntry",
    "CoachMessage",
    "Conversation",
    "Exchange",
    "Feedback",
    "Handoff",
    "InboxItem",
    "Label",
    "Note",
    "OutboxItem",
    "Person",
    "QuestionEdit",
    "Review",
    "SavedFilter",
    "SavedReply",
    "Tally",
]
