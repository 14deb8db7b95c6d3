"""What is kept of what people write: without what must never be stored, and of what is very long the parts that tell most.

Everything here runs before Slack is answered, so each pattern is bounded: time grows with the length, never with its square.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from bot.domain.language import ENGLISH, SPANISH
from bot.domain.safety import plain

UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")  # no database takes them
# Signs that look alike are read as one, sign for sign: dashes, blanks, apostrophes, wide digits, invisible characters.
ALIKE = str.maketrans(
    dict.fromkeys("‐‑‒–—―−﹘﹣－", "-")
    | dict.fromkeys("\t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\xad\u200b\u200c\u200d\u2060\ufeff", " ")
    | dict.fromkeys((chr(code) for code in range(0x2000, 0x200B)), " ")
    | dict.fromkeys("’‘ʼ´`", "'")
    | {"．": ".", "／": "/", "＃": "#", "：": ":", "＋": "+", "（": "(", "）": ")"}
    | {chr(ord("０") + digit): str(digit) for digit in range(10)}
)
LONGEST = 12_000  # characters of one message that are kept and read: some four pages
GAP = " … "

_BETWEEN = r"(?: ?[-./] ?| {1,2})"  # parts of a number
_APART = r"[ ./-]{0,3}"  # digits of a number
_SOCIAL = (
    r"(?:(?:ssn|s\.s\.n|social|seguro social|n[uú]mero de seguro|itin|tax ?(?:payer)? ?id|nss)\b|ss ?#)"  # a person's number
)
_NUMBER_WORDS = r"(?: {0,3}(?:number|num\b|no\b\.?|n[uú]mero|nro\b\.?|id\b|del paciente|is|es|#|:)){0,3} {0,3}"
_BORN = r"(?:dob|d\.o\.b\.?|date of birth|birth ?da(?:te|y)|born(?: on)?|fecha de nacimiento|f\. ?nac\.?|nac(?:[ií]|i[oó]|id[oa])(?: el)?)"
_MORE = {  # how much of a number must follow the word for it
    digits: rf"[A-Z]{{0,3}}-?(?=(?:[ -]?\d){{{digits}}})(?:\d{{1,4}}(?:[ -]\d{{1,4}}){{1,4}}|\d{{1,14}})(?!\d)"
    for digits in (4, 5)
}

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")),
    ("ssn", re.compile(rf"(?i)\b{_SOCIAL}\D{{0,30}}(?P<only>\d(?:{_APART}\d){{8}})(?!\d)")),
    ("ssn", re.compile(rf"(?i)(?<!\d)\d(?:{_APART}\d){{8}}(?!\d)(?=\D{{0,30}}\b{_SOCIAL})")),
    ("ssn", re.compile(rf"(?<!\d)(?<!\d[-.])\d{{3}}{_BETWEEN}\d{{2}}{_BETWEEN}\d{{4}}(?!\d)(?![-.]\d)")),
    (
        "record",
        re.compile(
            rf"(?i)\b(?:mrn|nhc|medical record|expediente|record|historia (?:cl[ií]nica|m[eé]dica)){_NUMBER_WORDS}{_MORE[4]}"
        ),
    ),
    ("record", re.compile(rf"(?i)\bchart{_NUMBER_WORDS}{_MORE[5]}")),
    (
        "birth date",
        re.compile(rf"(?i)\b{_BORN}[^\w\0]{{1,4}}(?:\w{{1,3}} )?\d{{1,4}}{_BETWEEN}\d{{1,2}}{_BETWEEN}\d{{2,4}}(?!\d)"),
    ),
    ("phone", re.compile(rf"(?<![\d$])(?:\+?1{_BETWEEN}?)?\(?\d{{3}}\)?{_BETWEEN}?\d{{3}}{_BETWEEN}?\d{{4}}(?!\d)")),
    ("phone", re.compile(r"(?<![\d$+])\+\d(?:[ ./()-]{0,3}\d){7,14}(?!\d)")),
)
CARD = re.compile(r"(?<!\d)[2-6](?:[ .-]{0,3}\d){12,}")
CARD_DIGITS = (13, 19)
TAKEN = "\0"  # stands where something was found already; no text has it

# --- patients ------------------------------------------------------------------------------------------------------

_WORD = r"[^\W\d_]{1,40}(?:['-][^\W\d_]{1,40}){0,2}"
PATIENT = re.compile(
    r"(?<!\bbe )\b(?P<who>(?i:patient|paciente)|(?i:pt)\b\.?)(?i:'s|s(?= name))?(?P<sign>[,:]?) {1,4}"
    r"(?P<cue>(?i:named|called|name(?: is|:)?|by the name of|llamad[oa]|se llama|de nombre) {1,4})?"
    r"(?P<is>(?i:is|was|es|era) {1,4}(?P<called>(?i:named|called|mr|mrs|ms)\b\.? {1,4})?)?"
    r"(?P<title>(?i:mr|mrs|ms|miss|sr|sra|se[nñ]ora?|don|do[nñ]a)\b\.? {1,4})?"
    rf"(?=(?P<words>{_WORD}(?: {{1,4}}{_WORD}){{0,3}}))"
)
# Words that go with "patient" in jobs, units and sentences: never somebody's name.
_NO_NAMES = """
    a access accounts advocate advocacy aide aides ambassador and area areas assistance assistant associate at attendant because
    being but care caregiver census center check clerk clinic comes communication companion contact coordination coordinator day
    de del discharge education educator el en engagement escort es esta experience family financial first floor floors flow food for
    from had handling has have he her here his home hospital hygiene i in intake interaction is it job jobs la las lift lifting
    liaison live lives lo los many me medical meals mobility monitor monitoring movement my name named navigation navigator needs no
    not nurse nutrition observer of on or other our outcomes para pero placement population por portal privacy que quality records
    registration registrar relations rep representative representatives rights room rooms safety said say says scheduler scheduling
    se served service services she side sin sitter sitters specialist staff su support tech technician test that the their them then
    there they this to transfer transport transportation transporter transporters transporting trays un una unit up volume was we
    were what when where while who why will with work worker y you your
    aid assist school clinical therapy therapist position shift hours hrs days nights evenings weekends student status employee
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october
    november december lunes martes miercoles jueves viernes sabado domingo cna lpn rn evs icu er ed or pca pct ma ekg hipaa covid
    english spanish american mexican tecnico auxiliar asistente trabajo transportista camillero
"""
# The commonest given names of both languages, so that "patient john smith" is understood as well. None that is a word of its own.
_NAMES = """
    aaron abigail adam adrian alan albert alberto alejandra alejandro alex alexander alexandra alfredo alice alicia amanda amber amy
    ana andrea andres andrew angela angelica anita ann anna anne anthony antonio arthur arturo ashley barbara beatriz benjamin
    betty beverly brandon brenda brian bruce carla carlos carmen carol caroline carolyn catherine cesar charles cheryl
    christina christine christopher claudia crystal cynthia daniel daniela danielle david deborah debra denise dennis diana diane
    diego donald donna dorothy douglas dwayne edgar eduardo edward elena elizabeth ella emily emma enrique eric erica erik 
    esteban esther eugene eva evelyn felipe fernanda fernando francisca francisco frances gabriel gabriela gary george gerald gerardo
    gloria gonzalo gregory guadalupe guillermo gustavo hannah harold harry hector heather helen henry hugo ignacio irene
    isabel isabella ivan jack jacob jacqueline jaime james jane janet janice jason javier jean jeffrey jennifer jeremy jerry jesse
    jessica jesus joan joe john johnny jonathan jorge jose joseph joshua josefina joyce juan juana juanita judith judy julia julie
    julio justin karen karla katherine kathleen kathryn keith kelly kenneth kevin kimberly kyle larry laura lauren lawrence leticia
    linda lisa lorena louis lourdes lucia luis luisa madison magdalena manuel marcos margaret margarita maria mariana maribel
    marie marilyn mario marta martha martin mary matthew megan melissa michael michelle miguel monica nancy natalie nathan
    nicholas nicole nina noah norma olivia olga oscar pablo pamela patricia patrick paul paula pedro peter philip rachel rafael
    ralph ramon ramona raquel raul raymond rebeca rebecca ricardo richard robert roberto rodolfo rodrigo roger ronald rosa
    rosario roy ruben russell ruth ryan salvador samantha samuel sandra santiago sara sarah scott sean sergio sharon shirley silvia
    sofia sonia sophia stephanie stephen steven susan susana teresa terry theresa thomas timothy tyler valeria vanessa veronica
    vicente victor victoria vincent virginia walter wanda william yolanda zachary
"""
NO_NAMES, NAMES = frozenset(_NO_NAMES.split()), frozenset(_NAMES.split())
_PARTICLES = frozenset(("de", "del", "la", "las", "los", "da", "di", "van", "von"))
ORDINARY = ENGLISH | SPANISH | NO_NAMES


def redact(text: str) -> str:
    """`text` with social security, card, phone and record numbers, e-mail addresses, birth dates and marked patients' names
    replaced by a word in brackets, e.g. "[phone]". All else stays sign for sign, also emergency numbers such as 911 and 988."""
    text = UNKEEPABLE.sub("", text)
    read = text.translate(ALIKE)
    finders: list[tuple[str, Callable[[str], Iterable[tuple[int, int]]]]] = [("card", _cards)]
    finders += [(word, partial(_places, pattern)) for word, pattern in PATTERNS]
    found: list[tuple[int, int, str]] = []
    for word, find in (*finders, ("patient", _patients)):
        places = list(find(read))
        read = _put(read, [(begins, ends, TAKEN * (ends - begins)) for begins, ends in places])
        found += [(begins, ends, f"[{word}]") for begins, ends in places]
    return _put(text, sorted(found))


def _put(text: str, places: Iterable[tuple[int, int, str]]) -> str:
    """The text with something else at these places, which stand in order."""
    parts, at = [], 0
    for begins, ends, instead in places:
        parts += [text[at:begins], instead]
        at = ends
    return "".join((*parts, text[at:]))


def _places(pattern: re.Pattern[str], read: str) -> Iterable[tuple[int, int]]:
    return (found.span("only" if "only" in pattern.groupindex else 0) for found in pattern.finditer(read))


def _cards(read: str) -> Iterable[tuple[int, int]]:
    """Card numbers in any grouping, also right beside other numbers."""
    for run in CARD.finditer(read):
        places = [place for place in range(*run.span()) if read[place].isdecimal()]
        digits = [int(read[place]) for place in places]
        first = 0
        while first <= len(digits) - CARD_DIGITS[0]:
            begins = first == 0 or places[first] - places[first - 1] > 1
            after = _end_of_card(places, digits, first) if begins and digits[first] in range(2, 7) else None
            if after:
                yield places[first], places[after - 1] + 1
            first = after or first + 1


def _end_of_card(places: Sequence[int], digits: Sequence[int], first: int) -> int | None:
    for count in reversed(range(CARD_DIGITS[0], CARD_DIGITS[1] + 1)):
        after = first + count
        ends = after == len(digits) or (after < len(digits) and places[after] - places[after - 1] > 1)
        if ends and _is_card(digits[first:after]):
            return after
    return None


def _is_card(digits: Sequence[int]) -> bool:
    """Luhn's check (ISO/IEC 7812-1), so that other long numbers are not taken for cards."""
    doubled = [sum(divmod(2 * n, 10)) for n in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _patients(read: str) -> Iterable[tuple[int, int]]:
    """Where a patient's name stands, together with the word that says whose name it is."""
    capitals_tell: bool | None = None
    for found in PATIENT.finditer(read):
        if capitals_tell is None:
            words = re.findall(r"[^\W\d_]+", read)
            capitals_tell = len(words) < 6 or sum(word[0].isupper() for word in words) < 0.6 * len(words)
        names = list(re.finditer(_WORD, found["words"]))
        if count := _length_of_name([each.group() for each in names], found, capitals_tell):
            yield found.start(), found.start("words") + names[count - 1].end()


def _length_of_name(words: Sequence[str], found: re.Match[str], capitals_tell: bool) -> int:
    """How many of the words after "patient" are a name; 0 when they are none, as in "patient transporter"."""
    if plain(words[0]) in NO_NAMES:
        return 0
    capital = _capitals(words)
    if found["cue"] or found["title"] or found["called"] or plain(words[0]) in NAMES:
        if capital and capitals_tell:
            return capital
        return 2 if len(words) > 1 and plain(words[1]) not in ORDINARY else 1
    if not capital or not capitals_tell:
        return 0
    if found["is"] or found["sign"] == ",":  # "my patient is Spanish", "for a patient, Monday"
        return capital if capital > 1 else 0
    if words[0].isupper():  # abbreviations stand there too
        return capital if capital > 1 and not found["who"].isupper() else 0
    return 0 if found["who"] == "PT" else capital  # physical therapy, part time


def _capitals(words: Sequence[str]) -> int:
    """How many words from the first on are written like a name, "de la" and the like between them included."""
    count = 0
    for number, word in enumerate(words, 1):
        if word[0].isupper() and (word == word.capitalize() or len(word) > 1) and plain(word) not in NO_NAMES:
            count = number
        elif count == 0 or word not in _PARTICLES:
            break
    return count


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
