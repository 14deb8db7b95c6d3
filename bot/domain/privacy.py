"""What is kept of what people write: without what must never be stored, and of what is very long the parts that tell most.

Everything here runs before Slack is answered, so each pattern is bounded: time grows with the length, never with its square.
"""

import re
from collections.abc import Callable

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")),
    ("ssn", re.compile(r"(?<![\d-])\d{3}[- .]\d{2}[- .]\d{4}(?![\d-])")),
    ("ssn", re.compile(r"(?i)\b(?:ssn|social(?: security)?(?: number)?|seguro social)\b\D{0,12}\d{9}\b")),
    (
        "record",
        re.compile(
            r"(?i)\b(?:mrn|medical record(?: number)?|expediente|record)\b\s{0,3}(?:number|no\.?|n[uú]mero|#|:|is|es)?\s{0,3}[A-Z]{0,3}\d{4,12}\b"
        ),
    ),
    ("phone", re.compile(r"(?<![\d$])(?:\+?1[\s.-]?)?\(?\d{3}\)?[\s.-]?\d{3}[\s.-]?\d{4}(?!\d)")),
    (
        "patient",
        re.compile(
            r"(?:(?i:\b(?:patient|paciente|pt)))\s+(?:(?i:named|name is|llamad[oa]|se llama)\s+)?(?:(?i:mr|mrs|ms|sra?)\.?\s+)?[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+(?:\s+[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+){0,2}"
        ),
    ),
)
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")  # no database takes them
LONGEST = 12_000  # characters of one message that are kept and read: some four pages
GAP = " … "

CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")


def redact(text: str) -> str:
    """`text` with social security, card, phone and record numbers, e-mail addresses and marked patients' names
    replaced by a word in brackets, e.g. "[phone]". Emergency numbers such as 911 and 988 stay."""
    text = UNKEEPABLE.sub("", text)
    text = CARD.sub(lambda found: "[card]" if _is_card(found.group()) else found.group(), text)
    for word, pattern in PATTERNS:
        text = pattern.sub(f"[{word}]", text)
    return text


def shortened(text: str, must_stay: Callable[[str], object], longest: int = LONGEST) -> str:
    """The text, or of a longer one at most `longest` characters: its beginning, its end, and from between them the first
    passage that `must_stay`. Cut between words where there are any."""
    if len(text) <= longest:
        return text
    quarter = longest // 4
    beginning, end = text[: longest - 2 * quarter - 2 * len(GAP)], text[-quarter:]
    overlapping = range(
        len(beginning) - quarter // 2, len(text) - quarter, quarter // 2
    )  # nothing is halved at an edge only
    passage = next(filter(must_stay, (text[at : at + quarter] for at in overlapping)), "")
    return GAP.join(part for part in (_until_a_word_ends(beginning), passage, _from_a_word_on(end)) if part)


def _until_a_word_ends(part: str) -> str:
    return part.rstrip().rpartition(" ")[0] or part


def _from_a_word_on(part: str) -> str:
    return part.lstrip().partition(" ")[2] or part


def _is_card(digits: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1), so that other long numbers are not taken for cards."""
    numbers = [int(c) for c in digits if c.isdigit()]
    doubled = [sum(divmod(2 * n, 10)) for n in numbers[-2::-2]]
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0
