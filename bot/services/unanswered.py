"""Questions that found no good answer, near-duplicates together: what to write next, and for how many people."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlmodel import Session, col, func, or_, select

from bot.domain.attention import NOTHING, UNSURE_BELOW
from bot.domain.safety import plain
from bot.services.coach_inbox import without_names
from storage.models import Attention, Exchange, Feedback, Person, Tally

MOST_QUESTIONS = 3000  # the latest are grouped
MOST_OF_ONE = 20  # of each person the latest: nobody fills the page alone, nor pushes others off it
ALIKE = 0.34  # cosine of two questions from which on they are taken for the same; chosen on made-up pairs
WEEKS = 8
EXAMPLES = 5
WORD, ENDING = re.compile(r"\w{2,}"), re.compile(r"(?<=\w{4})(ing|es|s)$")
SMALL_WORDS = [
    "a",
    "about",
    "am",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "by",
    "can",
    "could",
    "do",
    "does",
    "for",
    "from",
    "get",
    "go",
    "have",
    "how",
    "i",
    "if",
    "im",
    "in",
    "is",
    "it",
    "its",
    "me",
    "my",
    "of",
    "on",
    "or",
    "our",
    "so",
    "that",
    "the",
    "there",
    "they",
    "this",
    "to",
    "up",
    "want",
    "was",
    "we",
    "what",
    "when",
    "where",
    "which",
    "who",
    "will",
    "with",
    "would",
    "you",
    "your",
    "al",
    "algo",
    "con",
    "cual",
    "como",
    "cuando",
    "de",
    "del",
    "donde",
    "el",
    "ella",
    "en",
    "es",
    "esta",
    "este",
    "hay",
    "la",
    "las",
    "lo",
    "los",
    "me",
    "mi",
    "para",
    "pero",
    "por",
    "puedo",
    "que",
    "quien",
    "se",
    "si",
    "sin",
    "su",
    "sus",
    "un",
    "una",
    "y",
    "yo",
]


@dataclass(frozen=True)
class Group:
    """Questions that ask the same. `weeks` counts them by week, the latest last; `nearest` is what was offered most."""

    common: tuple[tuple[str, int], ...]  # the words that most people used, and how many people
    people: int
    questions: int
    weeks: tuple[int, ...]
    examples: tuple[str, ...]
    nearest: str
    languages: tuple[str, ...]
    conversations: tuple[int, ...]  # those that need someone: the others are opened for a reason only
    open_words: str  # `words` and `examples` of those conversations alone; empty when there are none
    open_examples: tuple[str, ...]

    @property
    def words(self) -> str:
        return _what_most_say(self.common, self.people, self.examples[0])

    @property
    def this_month(self) -> int:
        return sum(self.weeks[-4:])

    @property
    def trend(self) -> int:
        """The last four weeks against the four before."""
        return self.this_month - sum(self.weeks[:4])


@dataclass(frozen=True)
class Asked:
    """A question, without the names of who asked it; `open`: its conversation needs someone."""

    exchange: Exchange
    words: str
    open: bool


def unanswered_groups(session: Session, workspace: str, now: datetime, reader: Person | None = None) -> list[Group]:
    """Of the last eight weeks: not answered, asked back, thumbs down or unsure. Most people first. Without those of people
    whom `reader` manages."""
    down = select(Feedback.exchange_id).where(col(Feedback.helpful).is_(False))
    nth = func.row_number().over(partition_by=col(Exchange.person_id), order_by=col(Exchange.id).desc())
    candidates = (
        select(Exchange.id, nth.label("nth"))
        .where(
            Exchange.workspace == workspace,
            col(Exchange.asked_at) > now - timedelta(weeks=WEEKS),
            col(Exchange.asked_at) <= now,
            Exchange.question != "",
            Exchange.question_ts != "",
            or_(
                col(Exchange.outcome).in_(("abstain", "clarify")),
                (col(Exchange.outcome) == "answer") & (col(Exchange.confidence) < UNSURE_BELOW),
                col(Exchange.id).in_(down),
            ),
        )
        .subquery()
    )
    wanted = (
        select(Exchange, Person, Attention.level)
        .join(candidates, candidates.c.id == col(Exchange.id))
        .join(Person, col(Person.id) == Exchange.person_id)
        .join(Attention, col(Attention.conversation_id) == Exchange.conversation_id, isouter=True)
        .where(candidates.c.nth <= MOST_OF_ONE)
        .order_by(col(Exchange.id).desc())
        .limit(MOST_QUESTIONS)
    )
    if reader is not None:
        wanted = wanted.where(col(Person.manager_id).is_distinct_from(reader.id))
    asked = [
        Asked(exchange, without_names(exchange.question, person, known=False), level is not None and level < NOTHING)
        for exchange, person, level in session.exec(wanted)
    ]
    groups = [_group([asked[i] for i in members], now) for members in alike([each.words for each in asked])]
    return sorted(groups, key=lambda group: (-group.people, -group.questions, group.words))


def words_gone(session: Session, workspace: str) -> tuple[int, int]:
    """Changes when somebody's words were deleted or erased: what was worked out before may still hold them."""
    empty = select(func.count()).where(Exchange.workspace == workspace, Exchange.question == "")
    erased = select(func.coalesce(func.sum(Tally.count), 0)).where(Tally.workspace == workspace)
    return session.exec(empty).one(), session.exec(erased).one()


def alike(questions: list[str]) -> list[list[int]]:
    """Indexes of questions that ask nearly the same, largest group first; a question alone is a group of one."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # 100 MB: only who looks at these pages pays for it
    from sklearn.pipeline import FeatureUnion

    said = [plain(question)[:400] for question in questions]
    if not any(said):
        return [[i] for i in range(len(said))]
    features = FeatureUnion(
        [
            ("words", TfidfVectorizer(tokenizer=_stems, token_pattern=None, sublinear_tf=True)),
            ("parts", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)),
        ],
        transformer_weights={"words": 0.7, "parts": 0.3},
    )
    try:
        vectors = features.fit_transform(said)
    except ValueError:  # nothing but small words
        return [[i] for i in range(len(said))]
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1.0
    near = (vectors @ vectors.T).tocsr()
    neighbours = []
    for i in range(len(said)):
        row = slice(near.indptr[i], near.indptr[i + 1])
        close = near.data[row] / (lengths[i] * lengths[near.indices[row]]) >= ALIKE
        neighbours.append(near.indices[row][close])
    left, groups = set(range(len(said))), []
    for i in sorted(left, key=lambda i: (-len(neighbours[i]), i)):
        if i in left:
            members = sorted({i, *(int(n) for n in neighbours[i])} & left)
            left -= set(members)
            groups.append(members)
    return groups


def _stems(words: str) -> list[str]:
    """The words that carry meaning, without the endings in which near-duplicates differ: parking and park, classes and class."""
    return [ENDING.sub("", word) for word in WORD.findall(words) if word not in SMALL_WORDS]


def _group(asked: list[Asked], now: datetime) -> Group:
    exchanges = [each.exchange for each in asked]
    open_ones = [each for each in asked if each.open]
    weeks = [0] * WEEKS
    for exchange in exchanges:
        weeks[WEEKS - 1 - min(WEEKS - 1, (now - exchange.asked_at).days // 7)] += 1
    nearest = Counter(exchange.cards[0] for exchange in exchanges if exchange.cards)
    return Group(
        common=_in_common(asked),
        people=_people(asked),
        questions=len(exchanges),
        weeks=tuple(weeks),
        examples=_examples([each.words for each in asked]),
        nearest=nearest.most_common(1)[0][0] if nearest else "",
        languages=tuple(sorted({exchange.language for exchange in exchanges})),
        conversations=tuple(dict.fromkeys(each.exchange.conversation_id for each in open_ones))[:EXAMPLES],
        open_words=_what_most_say(_in_common(open_ones), _people(open_ones), open_ones[0].words) if open_ones else "",
        open_examples=_examples([each.words for each in open_ones]),
    )


def _people(asked: list[Asked]) -> int:
    return len({each.exchange.person_id for each in asked})


def _examples(questions: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(question[:200] for question in questions))[:EXAMPLES]


def _in_common(asked: list[Asked]) -> tuple[tuple[str, int], ...]:
    said: dict[str, set[int]] = defaultdict(set)
    for each in asked:
        for word in plain(each.words).split():
            if word not in SMALL_WORDS:
                said[word].add(each.exchange.person_id)
    return tuple((word, len(people)) for word, people in sorted(said.items(), key=lambda each: -len(each[1]))[:3])


def _what_most_say(common: tuple[tuple[str, int], ...], people: int, example: str) -> str:
    """What at least half of the people say, else one of the questions."""
    return " ".join(word for word, by in common if by * 2 >= people) or plain(example)[:60]
