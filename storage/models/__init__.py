"""The tables, split by noun. Importing this package registers them all."""

import storage.models.installations  # noqa: F401  Slack's own tables
from storage.models.audit import AuditEntry
from storage.models.checkins import (
    Checkin,
    CheckinLine,
    CheckinPromise,
    CheckinReminder,
    CheckinTrouble,
    ManagerDigest,
)
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
from storage.models.plans import ClassRequest, Goal, Interest, InterestChange, PlanStep, SupportOffer, Told
from storage.models.queues import InboxItem, OutboxItem

__all__ = [
    "Attention",
    "AuditEntry",
    "Checkin",
    "CheckinLine",
    "CheckinPromise",
    "CheckinReminder",
    "CheckinTrouble",
    "ClassRequest",
    "CoachMessage",
    "Conversation",
    "Exchange",
    "Feedback",
    "Goal",
    "Handoff",
    "InboxItem",
    "Interest",
    "InterestChange",
    "Label",
    "ManagerDigest",
    "Note",
    "OutboxItem",
    "Person",
    "PlanStep",
    "QuestionEdit",
    "Review",
    "SavedFilter",
    "SavedReply",
    "SupportOffer",
    "Tally",
    "Told",
]
