"""Redaction: what must never be stored is taken out of a text before anything keeps it."""

import re

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("ssn", re.compile(r"(?<![\d-])\d{3}[- .]\d{2}[- .]\d{4}(?![\d-])")),
    ("ssn", re.compile(r"(?i)\b(?:ssn|social(?: security)?(?: number)?|seguro social)\b\D{0,12}\d{9}\b")),
    (
        "record",
        re.compile(
            r"(?i)\b(?:mrn|medical record(?: number)?|expediente|record)\b\s*(?:number|no\.?|n[uú]mero|#|:|is|es)?\s*[A-Z]{0,3}\d{4,12}\b"
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
CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")


def redact(text: str) -> str:
    """`text` with social security, card, phone and record numbers, e-mail addresses and marked patients' names
    replaced by a word in brackets, e.g. "[phone]". Emergency numbers such as 911 and 988 stay."""
    text = UNKEEPABLE.sub("", text)
    text = CARD.sub(lambda found: "[card]" if _is_card(found.group()) else found.group(), text)
    for word, pattern in PATTERNS:
        text = pattern.sub(f"[{word}]", text)
    return text


def _is_card(digits: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1), so that other long numbers are not taken for cards."""
    numbers = [int(c) for c in digits if c.isdigit()]
    doubled = [sum(divmod(2 * n, 10)) for n in numbers[-2::-2]]
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0
