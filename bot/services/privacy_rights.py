"""What is stored about a person: shown in full, erased on their wish, and erased by itself when it is old."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Table, and_, delete, false, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from bot.domain.attention import LEVELS
from bot.domain.cards import Language
from bot.domain.coaching import CoachingPolicy
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.services.audit import Act, full_name, names_of, readers_of, record
from bot.services.stepping_in import CantDo, is_in_a_coachs_hands
from storage.database import Sessions
from storage.models import (
    CoachMessage,
    Conversation,
    Exchange,
    Feedback,
    Handoff,
    Person,
    QuestionEdit,
    Tally,
)
from storage.queries import forget_in_search

# Rows about somebody stand in tables with one of these columns; whoever adds such a table need not think of erasure.
ABOUT = ("person_id", "employee_id", "subject_id")
# The roster belongs to HR; the audit log must outlive what it is about, and quotes nothing.
STAYS = {"person", "audit", "tally", "alembic_version"}
# These lose their words and their link but stay: a message must not be sent again, a review is the coach's own work.
EMPTIED: dict[str, dict[str, Any]] = {
    "outbox": {"payload": {}, "exchange_id": None, "error": ""},
    "review": {"exchange_id": None},
}
LISTED = {"conversation", "exchange", "question_edit", "feedback", "handoff", "coach_message"}  # have a place of their own
COACHES_PAPERS = {"note", "label", "attention", "saved_filter", "saved_reply"}
PLAIN_TO_SEE = {*LEVELS, "assigned"}  # reasons that nobody had to give: the inbox showed them
OUTBOX_WORDS = timedelta(days=30)  # sent messages keep their words in the outbox for so long


@dataclass(frozen=True)
class Erased:
    """How many rows went, by table."""

    rows: Counter[str]

    @property
    def all(self) -> int:
        return self.rows.total()


# --- shown -------------------------------------------------------------------------------------------------------


def export_person(session: Session, kb: KnowledgeBase, person: Person, language: Language, now: datetime) -> str:
    """Everything stored about a person as readable text, in their language. Notes of coaches are named, not quoted:
    they are the coach's own working papers (docs/console.md says why)."""

    def say(message: str, **values: Any) -> str:
        return kb.say(message, language, **values)

    def when(moment: datetime) -> str:
        return f"{show_date(kb, moment.date(), language)}, {moment:%H:%M} UTC"

    lines = [say("export_title", who=full_name(person), day=show_date(kb, now.date(), language)), ""]
    lines += [say("export_roster"), *(f"- {name}: {value}" for name, value in _roster_facts(kb, person, language)), ""]
    conversations = session.exec(
        select(Conversation).where(Conversation.person_id == person.id).order_by(col(Conversation.id))
    ).all()
    lines.append(say("export_chats", number=len(conversations)))
    for conversation in conversations:
        lines += ["", say("export_chat", day=when(conversation.started_at))]
        lines += [line for _, line in sorted(_said(session, conversation, say, when), key=lambda pair: pair[0])]
    handoffs = session.exec(select(Handoff).where(Handoff.person_id == person.id).order_by(col(Handoff.id))).all()
    names = names_of(session, [handoff.claimed_by for handoff in handoffs])
    lines += ["", say("export_handoffs", number=len(handoffs))]
    lines += [
        f"- {when(handoff.asked_at)}" + (f": {names[handoff.claimed_by]}" if handoff.claimed_by in names else "")
        for handoff in handoffs
    ]
    lines += ["", say("export_readers")]
    read = [f"- {told_of(kb, act, language)}" for act in readers_of(session, person)]
    lines += read or [f"- {say('export_nobody')}"]
    lines += ["", say("export_other"), *_other_rows(session, person)]
    lines += ["", say("export_not_kept"), ""]
    return "\n".join(lines)


def told_of(kb: KnowledgeBase, act: Act, language: Language) -> str:
    """One line for the employee about somebody who read their words: who, what, when, and why where a person gave a reason."""
    who = act.actor if act.actor_id else kb.say("privacy_reader_operator", language)
    day = show_date(kb, act.at.date(), language)
    said = kb.say(f"privacy_reader_{act.act}", language, who=who, day=day)
    by_person = act.actor_id and act.reason not in PLAIN_TO_SEE
    return said + (" " + kb.say("privacy_reader_why", language, why=act.reason) if by_person else "")


def _said(session: Session, conversation: Conversation, say: Any, when: Any) -> list[tuple[datetime, str]]:
    lines: list[tuple[datetime, str]] = []
    for exchange in session.exec(select(Exchange).where(Exchange.conversation_id == conversation.id)):
        question = exchange.question or say("export_no_words")
        lines.append((exchange.asked_at, f"{when(exchange.asked_at)}  {say('export_you')}: {question}"))
        lines.append((exchange.asked_at, f"  Trellis: {exchange.reply_text}"))
        lines += [
            (exchange.asked_at, f"  {say('export_edited')} {when(edit.edited_at)}: {edit.question}")
            for edit in session.exec(select(QuestionEdit).where(QuestionEdit.exchange_id == exchange.id))
        ]
        lines += [
            (
                exchange.asked_at,
                f"  {say('export_thumb_up' if each.helpful else 'export_thumb_down')} {each.reason}".rstrip(),
            )
            for each in session.exec(select(Feedback).where(Feedback.exchange_id == exchange.id))
        ]
    messages = session.exec(select(CoachMessage).where(CoachMessage.conversation_id == conversation.id)).all()
    names = names_of(session, [message.author_id for message in messages])
    for message in messages:
        author = names.get(message.author_id or 0) or say("export_you")
        lines.append((message.at, f"{when(message.at)}  {author}: {message.text}"))
    return lines


def _roster_facts(kb: KnowledgeBase, person: Person, language: Language) -> list[tuple[str, str]]:
    """The roster row as it is stored, by the names of its columns."""
    left_out = {"id", "workspace", "manager_id", "access", "sessions_ended", "created_at", "updated_at"}
    values = {name: value for name, value in person.model_dump().items() if name not in left_out and value not in (None, "")}
    return [
        (kb.say(f"export_{name}", language) if f"export_{name}" in kb.messages else name, str(v))
        for name, v in values.items()
    ]


def _other_rows(session: Session, person: Person) -> list[str]:
    """Plans, check-ins and whatever else has rows about them, as they are stored; coaches' papers only by number."""
    lines = []
    for table, condition in _rows_about(person).items():
        if table.name in LISTED or table.name in STAYS or table.name in EMPTIED:
            continue
        rows = session.connection().execute(select_columns(table).where(condition)).mappings().all()
        lines += [f"- {table.name.replace('_', ' ')}: {len(rows)}"] if rows else []
        if table.name not in COACHES_PAPERS:
            lines += [f"    {_as_words(row)}" for row in rows]
    return lines or ["- 0"]


def _as_words(row: Any) -> str:
    shown = {name: value for name, value in row.items() if not name.endswith("id") and name != "workspace"}
    return ", ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in shown.items() if value not in (None, "", [], {})
    )


# --- erased ------------------------------------------------------------------------------------------------------


def erase_person(session: Session, person: Person, by: Person | None, now: datetime, reason: str = "") -> Erased:
    """Everything that was said and noted goes; counts stay. `by` is None for the operator's command line.

    Raises CantDo while a coach talks with them, or must look after them at once: that call for help would go unheard.
    """
    if is_in_a_coachs_hands(session, person):
        raise CantDo("Nothing was erased: a coach has something open with this person. A lead coach can see to it first.")
    channels = [person.slack_id or "-"]
    channels += session.exec(select(Conversation.channel).where(Conversation.person_id == person.id)).all()
    roots = _rows_about(person)
    outbox, inbox = _table("outbox"), _table("inbox")
    theirs = and_(outbox.c.workspace == person.workspace, outbox.c.channel.in_(channels))
    roots[outbox] = or_(roots.get(outbox, false()), theirs)
    _wait_for_nothing(session, inbox, person.workspace, channels, now)
    erased = _erase(session, roots)
    record(session, by, "erased", now, workspace=person.workspace, subject_id=person.id, reason=reason)
    return erased


def erase_old(sessions: Sessions, policy: CoachingPolicy, now: datetime) -> Erased:
    """Retention: conversations older than the policy keeps, everything that belongs to them, and old words in the outbox.

    Of the workspaces that `sessions` see: each employer has a policy of its own.
    """
    before = now - relativedelta(months=policy.keep_months)
    with sessions() as session:
        conversation, outbox = _table("conversation"), _table("outbox")
        workspaces = session.exec(select(Conversation.workspace).where(col(Conversation.last_at) < before).distinct()).all()
        own = session.exec(select(Person.workspace).distinct()).all()
        sent = update(outbox).where(outbox.c.due_at.is_(None), outbox.c.created_at < now - OUTBOX_WORDS)
        session.connection().execute(sent.where(outbox.c.workspace.in_(own)).values(payload={}))
        old = and_(conversation.c.workspace.in_(workspaces), conversation.c.last_at < before, ~_in_danger(conversation))
        erased = _erase(session, {conversation: old})
        for workspace in workspaces:
            record(session, None, "erased by retention", now, workspace=workspace, reason=f"older than {before.date()}")
        session.commit()
        return erased


def _in_danger(conversation: Table) -> ColumnElement[bool]:
    """Somebody must still be looked after here."""
    open_calls = select(Handoff.id).where(col(Handoff.urgent), Handoff.state != "resolved")
    return open_calls.where(col(Handoff.conversation_id) == conversation.c.id).exists()


def _rows_about(person: Person) -> dict[Table, ColumnElement[bool]]:
    roots: dict[Table, ColumnElement[bool]] = {}
    for table in SQLModel.metadata.sorted_tables:
        columns = [table.c[name] for name in ABOUT if name in table.c and table.c[name].foreign_keys]
        about = [column == person.id for column in columns if _points_to(column) == "person"]
        if about and table.name not in STAYS:
            roots[table] = or_(*about)
    return roots


def _erase(session: Session, roots: dict[Table, ColumnElement[bool]]) -> Erased:
    """Delete the rows of `roots` and whatever points to them, children first."""
    session.flush()
    conditions: dict[str, ColumnElement[bool]] = {table.name: condition for table, condition in roots.items()}
    for table in SQLModel.metadata.sorted_tables:  # parents come before children
        pointing = []
        for column in table.c:
            parent = _points_to(column)
            if parent in conditions and parent not in STAYS and parent not in EMPTIED and parent != table.name:
                rows = select_columns(_table(parent).primary_key.columns.values()[0]).where(conditions[parent])
                pointing.append(column.in_(rows))
        if pointing and table.name not in STAYS:
            conditions[table.name] = or_(*pointing, *([conditions[table.name]] if table.name in conditions else []))
    _keep_counts(session, conditions.get("exchange"))
    connection, gone = session.connection(), Counter[str]()
    for table in reversed(SQLModel.metadata.sorted_tables):
        if table.name not in conditions:
            continue
        if table.name in EMPTIED:
            connection.execute(update(table).where(conditions[table.name]).values(**EMPTIED[table.name]))
        else:
            gone[table.name] = connection.execute(delete(table).where(conditions[table.name])).rowcount
    session.expire_all()
    if gone["exchange"]:
        forget_in_search(session)
    return Erased(+gone)


def _keep_counts(session: Session, going: ColumnElement[bool] | None) -> None:
    """Counts without names: by week, outcome, card and language."""
    if going is None:
        return
    counts: Counter[tuple[Any, ...]] = Counter()
    columns = (Exchange.workspace, Exchange.asked_at, Exchange.outcome, Exchange.cards, Exchange.language)
    for workspace, asked_at, outcome, cards, language in session.connection().execute(select_columns(*columns).where(going)):  # type: ignore[call-overload]
        week = asked_at.date() - timedelta(days=asked_at.weekday())
        counts[workspace, week, outcome, cards[0] if cards else "", language] += 1
    for (workspace, week, outcome, card, language), count in counts.items():
        same = select(Tally).where(Tally.workspace == workspace, Tally.week == week, Tally.outcome == outcome)
        tally = session.exec(same.where(Tally.card == card, Tally.language == language)).first()
        tally = tally or Tally(workspace=workspace, week=week, outcome=outcome, card=card, language=language)
        tally.count += count
        session.add(tally)
    session.flush()


def _wait_for_nothing(session: Session, inbox: Table, workspace: str, channels: list[str], now: datetime) -> None:
    """What is still waiting in the inbox from them is not answered any more."""
    theirs = (
        inbox.c.workspace == workspace,
        or_(*(inbox.c.conversation.startswith(f"{channel}:") for channel in set(channels))),
    )
    values = {"body": {}, "done_at": now, "error": "erased"}
    session.connection().execute(update(inbox).where(*theirs, inbox.c.done_at.is_(None)).values(**values))


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


def _points_to(column: Any) -> str:
    return next((key.column.table.name for key in column.foreign_keys), "")
