"""One line of an HR export → what Trellis keeps of a person. The map of columns and values stands in content/."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from bot.domain.cards import Content

ISO_DATES = ("%Y-%m-%d",)
SPREADSHEET_EPOCH = date(1899, 12, 30)  # some exports have a date as a number of days
TIME_OF_DAY = re.compile(r"T\d\d:\d\d.*$| 0{1,2}:00(:00)?( AM)?$")
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


class RosterRules(Content):
    """content/roster_columns.yaml, where each rule is explained."""

    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    values: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    titles: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # role slug → the employer's job titles
    dates: tuple[str, ...] = ISO_DATES
    full_time_hours: float = Field(default=40, gt=0)
    largest_drop_percent: float = Field(default=10, ge=0, le=100)
    small_drop: int = Field(default=5, ge=0)
    largest_unreadable_percent: float = Field(default=10, ge=0, le=100)


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Blank = BeforeValidator(_none_if_blank)


class RosterRow(BaseModel):
    """The columns that are kept; every other column of the file is ignored and never stored."""

    employee_id: str = Field(min_length=1, max_length=64)
    first_name: str = Field(min_length=1, max_length=100)
    last_name: str = Field(default="", max_length=100)
    email: Annotated[str | None, Blank] = None
    role: Annotated[str | None, Blank] = None
    job_title: str = Field(default="", max_length=200)
    site: Annotated[str | None, Blank] = None
    unit: str = Field(default="", max_length=200)
    hours_per_week: Annotated[Annotated[float, Field(ge=0, le=80)] | None, Blank] = None
    shift: Annotated[Literal["days", "evenings", "nights", "rotating"] | None, Blank] = None
    hired_on: Annotated[date | None, Blank] = None
    in_role_since: Annotated[date | None, Blank] = None
    language: Annotated[Literal["en", "es"] | None, Blank] = None
    zone: Annotated[str | None, Blank] = None
    access: Literal["", "coach", "lead", "content-owner", "hr"] = ""
    status: Literal["active", "leave", "terminated"] = "active"
    manager_id: Annotated[str | None, Blank] = None


KEPT_VALUES: dict[str, tuple[str, ...]] = {
    "status": ("active", "leave", "terminated"),
    "shift": ("days", "evenings", "nights", "rotating"),
    "language": ("en", "es"),
}
MEASURED = (
    "email",
    "hours_per_week",
    "fte",
    "hired_on",
    "rehired_on",
    "in_role_since",
    "ended_on",
)  # have a form of their own
NOTHING = {"", "na", "none", "null", "nil", "nan"}  # how exports write an empty cell, in plain form
KEPT_COLUMNS = {*RosterRow.model_fields, "full_name", "preferred_name", "fte", "rehired_on", "ended_on"}


@lru_cache(maxsize=50_000)
def plain(name: str) -> str:
    """Column names and values are compared without case, spaces and punctuation."""
    return re.sub(r"[^0-9a-zá-ÿ%]+", "", name.casefold())


@dataclass(frozen=True)
class Columns:
    """Which cell is what. `fields`: our field → its place in a line; `ignored`: the columns that are not read."""

    fields: Mapping[str, int]
    ignored: tuple[str, ...]
    meanings: Mapping[str, Mapping[str, str]]  # of a field's words, in plain form → ours


def columns_of(header: Sequence[str], rules: RosterRules) -> Columns:
    """Our own names are always known, then those of the rules. The first name of a field that the file has counts."""
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        places.setdefault(plain(name), place)
    fields: dict[str, int] = {}
    for field in sorted(KEPT_COLUMNS):
        names = [plain(field), *(plain(each) for each in rules.columns.get(field, ()))]
        found = next((places[name] for name in names if name in places), None)
        if found is not None:
            fields[field] = found
    ignored = tuple(name for place, name in enumerate(header) if name and place not in fields.values())
    return Columns(fields, ignored, {field: _meanings(rules, field) for field in KEPT_VALUES})


def _meanings(rules: RosterRules, field: str) -> dict[str, str]:
    own = {plain(ours): ours for ours in KEPT_VALUES[field]}
    return own | {plain(word): ours for ours, words in rules.values.get(field, {}).items() for word in words}


@dataclass(frozen=True)
class Known:
    """What the employer's content knows: job titles and site names, in plain form."""

    titles: Mapping[str, str]  # → role slug
    sites: Mapping[str, str]  # → site id
    roles: frozenset[str]


@dataclass
class Reading:
    """One line. An unreadable cell is not an empty one: it says nothing about the person, so what is known of them stays."""

    row: RosterRow | None = None  # None: the line can't be used
    told: list[str] = dataclass_field(default_factory=list)  # sentences about what is wrong or was left out
    unreadable: set[str] = dataclass_field(default_factory=set)  # fields of the row that the line says nothing about
    filled: set[str] = dataclass_field(default_factory=set)  # which of MEASURED have something in their cell
    malformed: set[str] = dataclass_field(default_factory=set)  # and in which of these it can't be read

    def left_out(self, field: str, sentence: str, *, keeps: str = "") -> None:
        self.told.append(sentence)
        self.unreadable.add(keeps or field)
        if field in MEASURED:
            self.malformed.add(field)


def read_line(cells: Sequence[str], columns: Columns, rules: RosterRules, known: Known, today: date) -> Reading:
    values = {field: cells[place].strip() for field, place in columns.fields.items() if place < len(cells)}
    values |= {field: "" for field in MEASURED if field in values and plain(values[field]) in NOTHING}
    reading = Reading(filled={field for field in MEASURED if values.get(field)})
    _names(values)
    _dates(values, rules, reading, today, columns)
    _hours(values, rules, reading)
    _content_words(values, known, reading)
    if values.get("email") and not EMAIL.match(values["email"]):
        reading.left_out("email", f"email: “{values.pop('email')[:60]}” is not an e-mail address; left out")
    if values.get("zone") and values["zone"] not in _zones():
        reading.left_out("zone", f"zone: “{values.pop('zone')[:40]}” is not a time zone like America/Chicago; left out")
    try:
        reading.row = RosterRow.model_validate(values)
    except ValidationError as error:
        reading.told = [_in_words(detail) for detail in error.errors()]
    return reading


def _dates(values: dict[str, str], rules: RosterRules, reading: Reading, today: date, columns: Columns) -> None:
    """Days, and what follows from them: the newest start counts, and who had a last day has left."""
    for field, keeps in (
        ("hired_on", "hired_on"),
        ("rehired_on", "hired_on"),
        ("in_role_since", "in_role_since"),
        ("ended_on", "status"),
    ):
        text = values.pop(field, "")
        day = _date(text, rules.dates) if text else None
        if text and day is None:
            reading.left_out(field, f"{field}: “{text[:30]}” is not a date in a format of roster_columns.yaml", keeps=keeps)
        elif day:
            values[field] = day.isoformat()
    for field in ("status", "shift", "language"):
        _translate(values, field, columns, reading)
    if rehired := values.pop("rehired_on", ""):
        values["hired_on"] = max(rehired, values.get("hired_on", ""))
        reading.unreadable.discard("hired_on")
    ended = values.pop("ended_on", "")
    if ended and ended >= values.get("hired_on", "") and date.fromisoformat(ended) <= today:
        values["status"] = "terminated"
    if values.get("status") == "terminated":
        reading.unreadable.discard("status")


def _in_words(detail: Mapping[str, object]) -> str:
    name = ".".join(map(str, detail["loc"]))  # type: ignore[arg-type]
    if detail["type"] == "missing" or (detail["type"] == "string_too_short"):
        return f"{name} is missing"
    return f"{name}: {str(detail['msg']).lower()}"


def _names(values: dict[str, str]) -> None:
    """First and last name, from their own columns or from “Delgado, Rosa” or “Rosa Delgado”; the preferred name wins."""
    full, preferred = values.pop("full_name", ""), values.pop("preferred_name", "")
    if full and not values.get("first_name"):
        if "," in full:
            last, _, first = full.partition(",")
        else:
            first, _, last = full.partition(" ")
        values["first_name"], values["last_name"] = first.strip(), last.strip() or values.get("last_name", "")
    if preferred:
        values["first_name"] = preferred.split(",")[-1].split()[0] if preferred.split() else preferred


@lru_cache(maxsize=50_000)
def _date(text: str, formats: tuple[str, ...]) -> date | None:
    """A day in one of the formats, with or without a time behind it, or a spreadsheet's number of days."""
    text = TIME_OF_DAY.sub("", text.strip())
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    if re.fullmatch(r"\d{5}(\.0+)?", text) and 20_000 < float(text) < 80_000:
        return SPREADSHEET_EPOCH + timedelta(days=int(float(text)))
    return None


def _translate(values: dict[str, str], field: str, columns: Columns, reading: Reading) -> None:
    """The employer's word for a status, a shift or a language → ours. Unknown shifts and languages are left out."""
    found = values.get(field, "")
    if not found:
        values.pop(field, None)
    elif ours := columns.meanings[field].get(plain(found)):
        values[field] = ours
    elif field != "status":
        sentence = f"{field}: “{found[:30]}” is not known; left out. Its meaning can be added to roster_columns.yaml"
        reading.left_out(field, sentence)
        del values[field]


def _hours(values: dict[str, str], rules: RosterRules, reading: Reading) -> None:
    fte = values.pop("fte", "")
    for field, text, factor in (
        ("hours_per_week", values.get("hours_per_week", ""), 1.0),
        ("fte", fte, rules.full_time_hours),
    ):
        text = text.replace(",", ".").removesuffix("%").strip()
        if not text:
            continue
        try:
            number = float(text) * factor
        except ValueError:
            reading.left_out(field, f"{field}: “{text[:20]}” is not a number; left out", keeps="hours_per_week")
            values.pop("hours_per_week", None)
            continue
        if field == "fte" and number > 2 * rules.full_time_hours:
            number /= 100  # a percentage
        values["hours_per_week"] = f"{number:g}"
        reading.unreadable.discard("hours_per_week")
        return


def _content_words(values: dict[str, str], known: Known, reading: Reading) -> None:
    """Job title → role, and the site's name → its id, where the content knows them."""
    role = values.get("role", "")
    if role and role not in known.roles:
        reading.left_out("role", f"“{role}” is not a role in content/")
        values["role"] = ""
    if not values.get("role") and values.get("job_title"):
        values["role"] = known.titles.get(plain(values["job_title"]), "")
    if values.get("role"):
        reading.unreadable.discard("role")
    if values.get("site"):
        values["site"] = known.sites.get(plain(values["site"]), values["site"])


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def circles(manager_of: Mapping[str, str]) -> set[str]:
    """Everybody who is their own manager by some way round. Only people who manage somebody need be given."""
    found: set[str] = set()
    clear: set[str] = set()
    for start in manager_of:
        path: list[str] = []
        on_path: set[str] = set()
        at: str | None = start
        while at is not None and at not in clear and at not in on_path:
            path.append(at)
            on_path.add(at)
            at = manager_of.get(at)
        if at in on_path:
            found.update(path[path.index(at) :])  # type: ignore[arg-type]
        clear.update(path)
    return found
