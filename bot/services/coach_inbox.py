"""The coaches' inbox: what needs a person, most urgent first; filters, full-text search, counts. Only reads."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, text, tuple_
from sqlmodel import Session, col, select

from bot.domain.attention import LEVELS, NOTHING
from bot.services.audit import full_name
from storage.models import Attention, AuditEntry, CoachMessage, Exchange, Handoff, Label, OutboxItem, Person

PAGE = 50
WITHOUT_ACCENTS = (
    "translate(lower({}), 'áàâäãéèêëíìîïóòôöõúùûüñç', 'aaaaaeeeeiiiiooooouuuunc')"  # as ix_exchange_search has it
)
MOST_FOUND = 2000  # the latest matches of a search; more are not looked at
FURTHEST = 1e11  # seconds: beyond any date
BEGINNING = 160  # characters of a question shown in the list
WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Filter:
    """What a coach wants to see. Empty strings mean "all"."""

    reason: str = ""  # one of LEVELS; "everything" also shows what needs nobody
    language: str = ""
    site: str = ""
    topic: str = ""
    whose: str = ""  # mine, unassigned
    label: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""

    @property
    def is_search(self) -> bool:
        return bool(self.words.strip())


@dataclass(frozen=True)
class Entry:
    """A line of the inbox."""

    conversation_id: int
    reason: str
    since: datetime
    last_at: datetime
    who: str  # a name, or a pseudonym until the employee asked for a coach
    known: bool
    says: str  # the beginning of the latest question; "" where only the topic is kept, and where nothing asks for a coach
    topic: str
    language: str
    site: str
    assigned_to: str
    labels: tuple[str, ...]
    snoozed_until: datetime | None


@dataclass(frozen=True)
class Listed:
    """One page of the inbox; `after` asks for the next, "" when there is none."""

    entries: list[Entry]
    after: str


def list_conversations(
    session: Session, coach: Person, wanted: Filter, secret: str, now: datetime, after: str = ""
) -> Listed:
    """Up to PAGE conversations; keyset paging, so that page 1,000 costs what page 1 does."""
    rows = _conditions(select(Attention), session, coach, wanted, now)
    if wanted.is_search or wanted.reason == "everything":
        order: tuple[ColumnElement[object], ...] = (col(Attention.last_at).desc(), col(Attention.conversation_id).desc())
        if len(place := _place(after)) == 2:
            rows = rows.where(
                tuple_(col(Attention.last_at), col(Attention.conversation_id))
                < tuple_(datetime.fromtimestamp(place[0], UTC), int(place[1]))
            )
    else:
        order = (col(Attention.level), col(Attention.turn), col(Attention.conversation_id))
        if len(place := _place(after)) == 3:
            rows = rows.where(
                tuple_(col(Attention.level), col(Attention.turn), col(Attention.conversation_id))
                > tuple_(int(place[0]), place[1], int(place[2]))
            )
    found = session.exec(rows.order_by(*order).limit(PAGE + 1)).all()
    page = found[:PAGE]
    return Listed(_entries(session, page, secret), _mark(page[-1], wanted) if len(found) > PAGE else "")


def _mark(last: Attention, wanted: Filter) -> str:
    if wanted.is_search or wanted.reason == "everything":
        return f"{last.last_at.timestamp()!r}_{last.conversation_id}"
    return f"{last.level}_{last.turn!r}_{last.conversation_id}"


def _place(after: str) -> list[float]:
    """Where to go on; nothing when it is not a place that a page has named."""
    try:
        numbers = [float(number) for number in after.split("_")]
    except ValueError:
        return []
    return numbers if all(abs(number) < FURTHEST for number in numbers) else []


def _conditions(
    rows: Select[Attention], session: Session, coach: Person, wanted: Filter, now: datetime
) -> Select[Attention]:
    rows = rows.where(Attention.workspace == coach.workspace, _not_own_team(coach))
    if wanted.reason in LEVELS and wanted.reason:
        rows = rows.where(Attention.level == LEVELS[wanted.reason])
    elif not wanted.is_search and wanted.reason != "everything":
        rows = rows.where(Attention.level < NOTHING, _awake(now))
    if wanted.language:
        rows = rows.where(Attention.language == wanted.language)
    if wanted.site:
        rows = rows.where(Attention.site == wanted.site)
    if wanted.topic:
        rows = rows.where(Attention.topic == wanted.topic)
    if wanted.whose == "mine":
        rows = rows.where(Attention.assigned_to == coach.id)
    if wanted.whose == "unassigned":
        rows = rows.where(col(Attention.assigned_to).is_(None))
    if wanted.label:
        named = select(Label.person_id).where(Label.workspace == coach.workspace, Label.name == wanted.label)
        rows = rows.where(col(Attention.person_id).in_(named))
    if wanted.since:
        rows = rows.where(col(Attention.last_at) >= datetime.combine(wanted.since, time(), UTC))
    if wanted.until:
        rows = rows.where(col(Attention.last_at) < datetime.combine(wanted.until + timedelta(days=1), time(), UTC))
    if wanted.is_search:
        rows = rows.where(col(Attention.conversation_id).in_(_found(session, coach.workspace, wanted.words)))
    return rows


def _not_own_team(coach: Person) -> ColumnElement[bool]:
    """Those who report to the coach turn to another one: a manager does not even learn that there is a chat."""
    team = select(Person.id).where(Person.workspace == coach.workspace, Person.manager_id == coach.id)
    return col(Attention.person_id).not_in(team)


def _awake(now: datetime) -> ColumnElement[bool]:
    return or_(col(Attention.snoozed_until).is_(None), col(Attention.snoozed_until) <= now)


def _found(session: Session, workspace: str, words: str) -> list[int]:
    """Conversations that need someone with a question that has all the words (the last one may be a beginning), the latest
    first. What can't be read without a reason can't be searched either, and a hidden name is found by nobody."""
    terms = WORDS.findall(words)[:12]
    if not terms:
        return []
    columns = "SELECT exchange.conversation_id, exchange.question, person.first_name, person.last_name "
    joined = "JOIN attention ON attention.conversation_id = exchange.conversation_id JOIN person ON person.id = exchange.person_id "
    ours = "AND attention.level < :nothing AND exchange.workspace = :workspace "
    if session.get_bind().dialect.name == "sqlite":
        match = " AND ".join(f'question : "{term}"' for term in terms) + " *"
        query = text(
            f"{columns} FROM exchange_search JOIN exchange ON exchange.id = exchange_search.rowid {joined} "
            f"WHERE exchange_search MATCH :match {ours} ORDER BY exchange_search.rowid DESC LIMIT :most"
        )
    else:
        match = " & ".join(terms) + ":*"
        asked = f"to_tsquery('simple', {WITHOUT_ACCENTS.format(':match')})"
        query = text(
            f"{columns} FROM exchange {joined} WHERE to_tsvector('simple', "  # by the index, which has the replies as well
            + WITHOUT_ACCENTS.format("question || ' ' || reply_text")
            + f") @@ {asked} AND to_tsvector('simple', {WITHOUT_ACCENTS.format('question')}) @@ {asked} "
            + f"{ours} ORDER BY exchange.id DESC LIMIT :most"
        )
    values = {"match": match, "workspace": workspace, "most": MOST_FOUND, "nothing": NOTHING}
    rows = session.connection().execute(query, values).all()
    by_name = {row[0] for row in rows if not _says(terms, *row[1:])}
    known = known_conversations(session, list(by_name)) if by_name else set()
    return list(dict.fromkeys(row[0] for row in rows if row[0] in known or _says(terms, *row[1:])))


def _says(terms: Sequence[str], question: str, *names: str) -> bool:
    """Does the question have all the words when the person's own names are left out?"""
    wanted, own = [_folded(term) for term in terms], _own_names(*names)
    if not any(name == term for name in own for term in wanted) and not any(name.startswith(wanted[-1]) for name in own):
        return True  # as the index has found it; the names play no part
    said = {_folded(word) for word in WORDS.findall(question)} - own
    return all(term in said for term in wanted[:-1]) and any(word.startswith(wanted[-1]) for word in said)


def _entries(session: Session, rows: Sequence[Attention], secret: str) -> list[Entry]:
    ids = [row.conversation_id for row in rows]
    people = {
        person.id: person
        for person in session.exec(
            select(Person).where(col(Person.id).in_({row.person_id for row in rows} | {row.assigned_to for row in rows}))
        )
    }
    asked = known_conversations(session, ids)
    says = _latest_words(session, [row.conversation_id for row in rows if row.reason])
    labels: dict[int, list[str]] = {}
    for label in session.exec(select(Label).where(col(Label.person_id).in_({row.person_id for row in rows}))):
        labels.setdefault(label.person_id, []).append(label.name)
    return [
        Entry(
            conversation_id=row.conversation_id,
            reason=row.reason,
            since=row.since,
            last_at=row.last_at,
            who=full_name(people[row.person_id]) if row.conversation_id in asked else pseudonym(row.conversation_id, secret),
            known=row.conversation_id in asked,
            says=without_names(says.get(row.conversation_id, ""), people[row.person_id], row.conversation_id in asked),
            topic=row.topic,
            language=row.language,
            site=row.site,
            assigned_to=people[row.assigned_to].first_name if row.assigned_to in people else "",
            labels=tuple(sorted(set(labels.get(row.person_id, [])))),
            snoozed_until=row.snoozed_until,
        )
        for row in rows
    ]


def _latest_words(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The beginning of what each employee said last, to the bot or to a coach."""
    last = (
        select(func.max(Exchange.id)).where(col(Exchange.conversation_id).in_(ids)).group_by(col(Exchange.conversation_id))
    )
    exchanges = select(Exchange.conversation_id, Exchange.asked_at, func.substr(Exchange.question, 1, BEGINNING)).where(
        col(Exchange.id).in_(last)
    )
    newest = (
        select(func.max(CoachMessage.id))
        .where(col(CoachMessage.conversation_id).in_(ids), col(CoachMessage.author_id).is_(None))
        .group_by(col(CoachMessage.conversation_id))
    )
    messages = select(CoachMessage.conversation_id, CoachMessage.at, func.substr(CoachMessage.text, 1, BEGINNING)).where(
        col(CoachMessage.id).in_(newest)
    )
    said: dict[int, tuple[datetime, str]] = {}
    for number, at, words in (*session.exec(exchanges).all(), *session.exec(messages).all()):
        if number not in said or at > said[number][0]:
            said[number] = (at, words)
    return {number: words for number, (_, words) in said.items()}


# --- names -------------------------------------------------------------------------------------------------------

ADJECTIVES = [
    "Amber",
    "Autumn",
    "Brave",
    "Bright",
    "Calm",
    "Clear",
    "Copper",
    "Coral",
    "Early",
    "Evening",
    "Gentle",
    "Golden",
    "Green",
    "Hidden",
    "Ivory",
    "Kind",
    "Late",
    "Light",
    "Little",
    "Lucky",
    "Mellow",
    "Misty",
    "Morning",
    "Northern",
    "Olive",
    "Patient",
    "Quiet",
    "Rapid",
    "River",
    "Silver",
    "Spring",
    "Steady",
    "Summer",
    "Sunny",
    "Swift",
    "Violet",
    "Warm",
    "Western",
    "Wild",
    "Winter",
]
TREES = [
    "Alder",
    "Apple",
    "Ash",
    "Aspen",
    "Beech",
    "Birch",
    "Cedar",
    "Cherry",
    "Chestnut",
    "Cypress",
    "Elder",
    "Elm",
    "Fig",
    "Fir",
    "Hazel",
    "Hickory",
    "Holly",
    "Juniper",
    "Larch",
    "Laurel",
    "Lemon",
    "Linden",
    "Magnolia",
    "Maple",
    "Mulberry",
    "Myrtle",
    "Oak",
    "Olive",
    "Palm",
    "Peach",
    "Pear",
    "Pecan",
    "Pine",
    "Plum",
    "Poplar",
    "Rowan",
    "Spruce",
    "Sycamore",
    "Walnut",
    "Willow",
]


def pseudonym(conversation_id: int, secret: str) -> str:
    """The same for a conversation everywhere, another one for each, and no way back without the secret: "Quiet Maple 41".
    Who learns the name behind one does not recognise the person's other chats by it."""
    digest = hmac.new(secret.encode(), f"pseudonym:{conversation_id}".encode(), hashlib.sha256).digest()
    return (
        f"{ADJECTIVES[digest[0] % len(ADJECTIVES)]} {TREES[digest[1] % len(TREES)]} {int.from_bytes(digest[2:4]) % 90 + 10}"
    )


def known_conversations(session: Session, ids: Sequence[int]) -> set[int]:
    """Those in which the employee asked for a coach or may be in danger: there the name is no secret."""
    asked = select(Handoff.conversation_id).where(col(Handoff.conversation_id).in_(ids), Handoff.reason != "offered")
    return {each for each in session.exec(asked) if each is not None}


def has_revealed(session: Session, coach: Person, conversation_id: int) -> bool:
    """Has this coach given a reason to learn the name here?"""
    revealed = select(AuditEntry.id).where(
        AuditEntry.workspace == coach.workspace,
        AuditEntry.act == "revealed",
        AuditEntry.conversation_id == conversation_id,
        AuditEntry.actor_id == coach.id,
    )
    return session.exec(revealed).first() is not None


def without_names(words: str, person: Person, known: bool) -> str:
    """The words, with the person's own names taken out unless they are known, with accents or without."""
    own = set() if known else _own_names(person.first_name, person.last_name)
    return WORDS.sub(lambda word: "[name]" if _folded(word[0]) in own else word[0], words) if own else words


def _own_names(*names: str) -> set[str]:
    return {_folded(part) for name in names for part in WORDS.findall(name) if len(part) > 1}


def _folded(word: str) -> str:
    """Without accents and capitals."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(letter))


# --- counts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """How many conversations stand where; `undelivered` are messages that Slack did not take, `alerts` those to coaches."""

    by_reason: dict[str, int]
    mine: int
    unassigned: int
    undelivered: int
    alerts: int

    @property
    def all(self) -> int:
        return sum(self.by_reason.values())


def count_conversations(session: Session, coach: Person, now: datetime) -> Counts:
    """Counts of what needs someone now."""
    open_ones = and_(
        Attention.workspace == coach.workspace, col(Attention.level) < NOTHING, _awake(now), _not_own_team(coach)
    )
    grouped = (
        select(
            Attention.level,
            func.count(),
            func.sum(case((col(Attention.assigned_to) == coach.id, 1), else_=0)),
            func.sum(case((col(Attention.assigned_to).is_(None), 1), else_=0)),
        )
        .where(open_ones)
        .group_by(col(Attention.level))
    )
    reasons = {level: reason for reason, level in LEVELS.items()}
    rows = session.exec(grouped).all()
    undelivered = undelivered_messages(session, coach.workspace)
    return Counts(
        by_reason={reasons[level]: count for level, count, _, _ in rows if level in reasons},
        mine=sum(mine or 0 for _, _, mine, _ in rows),
        unassigned=sum(free or 0 for _, _, _, free in rows),
        undelivered=len(undelivered),
        alerts=sum(item.key.startswith("handoff:") for item in undelivered),
    )


def undelivered_messages(session: Session, workspace: str) -> Sequence[OutboxItem]:
    """What Slack never took, the latest first. `state = 'dead'` stands as a literal so that SQLite uses its small index."""
    dead = select(OutboxItem).where(literal_column("outbox.state = 'dead'"), OutboxItem.workspace == workspace)
    return session.exec(dead.order_by(col(OutboxItem.id).desc()).limit(100)).all()
