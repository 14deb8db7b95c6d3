"""Turns a card's lines into what this employee reads today."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import FunctionType
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template
from jinja2.nodes import (
    Assign,
    AssignBlock,
    Block,
    CallBlock,
    Extends,
    FilterBlock,
    For,
    FromImport,
    Import,
    Include,
    Macro,
    Node,
)
from jinja2.sandbox import SandboxedEnvironment, SecurityError

from bot.domain.cards import Fact, Language, Office
from bot.domain.people import Employee

TAG = re.compile(r"^\[([a-z-]+)\]\s*")
BRACKET = re.compile(r"[][(){}]")
DEEPEST = 40  # conditions and brackets inside one another: what we have goes to six
TOO_DEEP = "too much stands inside one another; please make it simpler"
TAGS = frozenset({"full-time", "part-time", "per-diem", "nights", "days", "new-hire", "manager"})


class OnlyWords(SandboxedEnvironment):
    """Content says words, figures and conditions. It can't reach Python, nor keep a machine busy or fill its memory: no loops,
    no calculating, no filters, no calls but those of the functions that it is given."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
        self.globals.clear()
        self.filters.clear()

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> NoReturn:
        raise SecurityError(f"a text can't calculate (“{operator}”)")

    def wrap_str_format(self, value: Any) -> None:
        """`format` is a call like any other, and so refused; by itself the sandbox would allow it."""

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, FunctionType)

    def read(self, template: str) -> Template:
        """Compiled. Raises jinja2.TemplateError, also for what would bring the compiler down here or where it is used."""
        if _brackets(template) > DEEPEST:
            raise SecurityError(TOO_DEEP)
        try:
            parsed = self.parse(template)
        except RecursionError:
            raise SecurityError(TOO_DEEP) from None
        if _levels(parsed) > DEEPEST:
            raise SecurityError(TOO_DEEP)
        if found := next(parsed.find_all(NOT_FOR_CONTENT), None):
            raise SecurityError(f"a text can't have “{type(found).__name__.lower()}”")
        return self.from_string(parsed)


NOT_FOR_CONTENT = (
    For,
    Macro,
    CallBlock,
    FilterBlock,
    Import,
    FromImport,
    Include,
    Extends,
    Block,
    Assign,
    AssignBlock,
)

_templates = OnlyWords()


def _brackets(template: str) -> int:
    """How many stand open at once, at most."""
    depth = deepest = 0
    for sign in BRACKET.findall(template):
        depth = depth + 1 if sign in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _levels(parsed: Node) -> int:
    """How deep things stand inside one another; counted level by level, not by calling itself."""
    levels, here = 0, [parsed]
    while here:
        levels, here = levels + 1, [child for node in here for child in node.iter_child_nodes()]
    return levels


class ExpiredFact(Exception):
    """The figure's review date has passed; `owner` is the office that knows."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        super().__init__(owner)


def fill(template: str, values: dict[str, Any]) -> str:
    """A template with its placeholders filled in. Raises jinja2.TemplateError for an unknown or broken one."""
    return _compiled(template).render(values)


@lru_cache(maxsize=8192)
def _compiled(template: str) -> Template:
    return _templates.read(template)


def show_fact(fact: Fact, language: Language, today: date) -> str:
    """The figure with its year; raises ExpiredFact past its review date."""
    if today > fact.review_by:
        raise ExpiredFact(fact.owner)
    words = fact.show.in_(language)
    return f"{words} ({fact.year})" if fact.year and str(fact.year) not in words else words


def show_office(office: Office, language: Language) -> str:
    name = office.name.in_(language)
    return f"{name} ({office.phone})" if office.phone else name


def line_fits(tag: str, employee: Employee, today: date) -> bool:
    """Is a tagged line meant for this employee? Lines about hours are shown to all whose hours we don't know."""
    if tag in ("full-time", "part-time", "per-diem"):
        return employee.hours_band in (None, tag)
    if tag == "nights":
        return employee.shift in ("nights", "rotating")
    if tag == "days":
        return employee.shift in (None, "days", "evenings")
    if tag == "new-hire":
        return employee.is_new(today)
    return employee.is_manager


@dataclass(frozen=True)
class Lines:
    """The lines that apply, as paragraphs; `expired` are the owners of figures that were left out."""

    text: str
    expired: tuple[str, ...]


def render_lines(template: str, values: dict[str, Any], employee: Employee, today: date) -> Lines:
    """Each line is a sentence. One that quotes an expired figure is left out whole, never half."""
    kept: list[str] = []
    expired: list[str] = []
    for line in template.strip().splitlines():
        tag = TAG.match(line)
        if tag and not line_fits(tag.group(1), employee, today):
            continue
        try:
            kept.append(fill(line[tag.end() :] if tag else line, values).strip())
        except ExpiredFact as fact:
            expired.append(fact.owner)
    return Lines(_paragraphs(kept), tuple(dict.fromkeys(expired)))


def _paragraphs(lines: list[str]) -> str:
    """Sentences of a paragraph run on; an empty line parts paragraphs, a bullet keeps its own line."""
    text = ""
    for line in lines:
        if not line:
            text = text.rstrip() + "\n\n"
        elif line.startswith("- "):
            text = text.rstrip(" ") + ("" if text.endswith("\n") or not text else "\n") + "• " + line[2:] + "\n"
        else:
            text += line + " "
    return re.sub(r"\n{3,}", "\n\n", text).strip()
