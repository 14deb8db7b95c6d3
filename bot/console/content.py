"""Content, read-only: every card as Slack shows it, what expires, how often it is used, and why a question matches."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from rapidfuzz import fuzz, process

from bot.console.access import Staff
from bot.console.parts import Parts, parts_of
from bot.console.views import render
from bot.domain.cards import LANGUAGES, Language
from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.services.content_use import due, entries, use_by_card
from bot.services.replying import Reply
from bot.services.reviewing import facts_of, file_of

SHORT = Annotated[str, Query(max_length=300)]
NEAREST = 6
FIRST = 40  # cards shown at first

router = APIRouter()


def sample_employees(today: date) -> dict[str, tuple[str, Employee]]:
    """People as whom a card can be looked at: (description, employee)."""
    long_ago, lately = today - timedelta(days=1500), today - timedelta(days=20)
    cleaner, transporter = "environmental-services-technician", "patient-transporter"
    return {
        "full-time": ("Full time, days, housekeeper", Employee("Rosa", "es", cleaner, "main", 40, "days", long_ago)),
        "part-time": (
            "Part time, nights, transporter",
            Employee("Dwayne", "en", transporter, "west", 24, "nights", long_ago),
        ),
        "new": (
            "New three weeks ago, food service",
            Employee("Amina", "en", "food-service-worker", "main", 40, "evenings", lately),
        ),
        "manager": (
            "Manager",
            Employee("Marta", "en", "environmental-services-supervisor", "main", 40, "days", long_ago, is_manager=True),
        ),
    }


@router.get("/content")
def content(
    request: Request, staff: Staff, kind: SHORT = "", words: SHORT = "", due: SHORT = "", order: SHORT = "", all: SHORT = ""
) -> Response:
    parts = parts_of(request)
    kb, now = parts.desk.answering.kb, parts.desk.clock()
    with parts.reading() as session:
        uses = use_by_card(session, staff.workspace, now)
    everything = entries(kb, uses, now.date())
    shown = [
        entry
        for entry in everything
        if (not kind or entry.card.startswith(f"{kind}/"))
        and (not due or entry.due)
        and words.lower() in f"{entry.title} {entry.card}".lower()
    ]
    orders = {
        "used": lambda e: (-e.use.answers, e.card),
        "down": lambda e: (-e.use.down, e.card),
        "review": lambda e: (e.review_by, e.card),
    }
    shown.sort(key=orders.get(order, lambda e: (e.card.split("/")[0], e.title)))
    return render(
        request,
        "content.html",
        staff=staff,
        shown=shown if all else shown[:FIRST],
        more=0 if all else max(0, len(shown) - FIRST),
        kinds=sorted({entry.card.split("/")[0] for entry in everything}),
        kind=kind,
        words=words,
        only_due=bool(due),
        order=order,
        due_count=sum(bool(entry.due) for entry in everything),
        revision=kb.revision,
    )


@router.get("/content/cards/{kind}/{slug}")
def content_card(request: Request, staff: Staff, kind: str, slug: str, person: SHORT = "full-time") -> Response:
    parts = parts_of(request)
    kb, card, now = parts.desk.answering.kb, f"{kind}/{slug}", parts.desk.clock()
    entry = kb.entry(card)
    if entry is None:
        raise HTTPException(404)
    people = sample_employees(now.date())
    person = person if person in people else "full-time"
    with parts.reading() as session:
        use = use_by_card(session, staff.workspace, now).get(card)
    return render(
        request,
        "content_card.html",
        staff=staff,
        card=card,
        entry=entry,
        owner=kb.offices[entry.owner].name.en if entry.owner in kb.offices else entry.owner,
        due=due(entry.review_by, now.date()),
        use=use,
        file=file_of(card, kb),
        facts=[(fact, kb.facts[fact]) for fact in facts_of(card, kb)],
        previews=[(language, _preview(parts, card, people[person][1], language, now.date())) for language in LANGUAGES],
        people=[(key, words) for key, (words, _) in people.items()],
        person=person,
        fact_due=lambda fact: due(fact.review_by, now.date()),
    )


@router.get("/content/facts")
def content_facts(request: Request, staff: Staff) -> Response:
    parts = parts_of(request)
    kb, today = parts.desk.answering.kb, parts.desk.clock().date()
    used: dict[str, list[str]] = defaultdict(list)
    for card, _ in kb.entries():
        for fact in facts_of(card, kb):
            used[fact].append(card)
    facts = sorted(kb.facts.values(), key=lambda fact: (fact.review_by, fact.id))
    return render(request, "facts.html", staff=staff, facts=facts, used=used, due=lambda fact: due(fact.review_by, today))


@router.get("/content/try")
def content_try(request: Request, staff: Staff, question: SHORT = "", person: SHORT = "full-time") -> Response:
    """Ask as a sample employee and see why it matched; nothing is stored."""
    parts = parts_of(request)
    answering, today = parts.desk.answering, parts.desk.clock().date()
    people = sample_employees(today)
    person = person if person in people else "full-time"
    tried: dict[str, Any] | None = None
    if question.strip():
        employee = people[person][1]
        reply, _ = answering.reply(question, employee, Dialogue(), today)
        ranking = answering.understanding.rank(
            question, lambda card: employee.is_manager or not card.startswith("managers/")
        )
        tried = {
            "decision": reply.decision,
            "drawn": _draw(parts, reply, reply.decision.language),
            "candidates": [(c.card, answering.kb.title(c.card, "en"), c.probability) for c in ranking.candidates[:NEAREST]],
            "nearest": _nearest(parts, question),
        }
    return render(
        request,
        "content_try.html",
        staff=staff,
        question=question,
        tried=tried,
        people=[(key, words) for key, (words, _) in people.items()],
        person=person,
        has=answering.kb.has,
    )


def _preview(parts: Parts, card: str, employee: Employee, language: Language, today: date) -> list[dict[str, Any]]:
    reply, _ = parts.desk.answering.reply_with_card(card, employee, Dialogue(), today, language)
    return _draw(parts, reply, language)


def _draw(parts: Parts, reply: Reply, language: Language) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = parts.desk.draw(parts.desk.answering.kb, reply, 0, language).get("blocks", [])
    return blocks


def _nearest(parts: Parts, question: str) -> list[tuple[str, str, float]]:
    """Utterances that are spelled most like the question: (utterance, card, 0..1)."""
    examples = list(parts.desk.answering.kb.examples())
    found = process.extract(question, [words for words, _, _ in examples], scorer=fuzz.token_set_ratio, limit=NEAREST)
    return [(words, examples[index][1], score / 100) for words, score, index in found]
