"""What an employee has, needs and can do about it, for a role; and two roles side by side."""

from bot.domain.gaps import GapItem, gap
from bot.services.class_hours import open_cohorts
from bot.services.map_words import MapWords

MOST_COMPETENCIES = 3
MOST_COMPARED = 3
LETTERS = "ABC"  # the titles are long; a letter stands for each in the rows


def gap_lines(words: MapWords, goal: str) -> list[str]:
    """Have, need, to be asked: item by item, each need with how to close it."""
    items = gap(words.kb.roles[goal], words.employee, words.kb.roles, words.kb.programs)
    lines = [words.say("gap_head", to=words.title(goal))]
    lines.append(words.say("gap_needs", needs=words.kb.roles[goal].needs.in_(words.language)))
    for head, state, key in (
        ("gap_have", "met", "gap_item_have"),
        ("gap_need", "not_met", "gap_item_need"),
        ("gap_ask", "unknown", "gap_item_ask"),
    ):
        shown = [item for item in items if item.state == state]
        if shown:
            lines += [
                "",
                words.say(head),
                *(words.say(key, name=_name(words, each), how=_how(words, each)) for each in shown),
            ]
    told = [words.say(f"gap_{kind}") for kind in sorted(words.employee.experience)]
    return [*lines, "", *told, words.say("gap_counts")]


def _name(words: MapWords, item: GapItem) -> str:
    if item.kind == "education":
        name = words.say(f"education_{item.ref}")
        return name[:1].upper() + name[1:]
    if item.kind == "competency":
        return next(
            text.in_(words.language) for role in words.kb.roles.values() for text in role.competencies if text.en == item.ref
        )
    name = words.kb.credentials[item.ref].name.in_(words.language)
    return words.say("gap_helps", name=name) if item.helpful else name


def _how(words: MapWords, item: GapItem) -> str:
    """The first program that closes it, with its next start; else what the credential takes."""
    for name in item.closed_by[:1]:
        program = words.kb.programs[name]
        cohorts = open_cohorts(program, words.today)
        starts = words.date(cohorts[0].starts) if cohorts else ""
        return words.say("gap_program", program=program.title.in_(words.language), starts=starts)
    if item.kind == "credential" and item.state != "met":
        return words.kb.credentials[item.ref].needs.in_(words.language).rstrip(".")
    return ""


def compare_lines(words: MapWords, roles: tuple[str, ...]) -> list[str]:
    """Two or three roles side by side, a line for each thing that people choose by."""
    known = [role for role in dict.fromkeys(roles) if role in words.kb.roles][:MOST_COMPARED]
    if len(known) < 2:
        return []
    yes, no = words.say("compare_yes"), words.say("compare_no")
    of = {role: words.kb.roles[role] for role in known}
    rows: list[tuple[str, list[str]]] = []
    if all(words.pay(role) for role in known):
        pay = [words.say("compare_pay_value", pay=words.pay(role)) for role in known]
        rows.append((words.say("compare_pay", year=words.pay_year), pay))
    rows.append((words.say("compare_school"), [words.say(f"education_{role.education}") for role in of.values()]))
    if start := words.employee.role:
        rows.append((words.say("compare_way", role=words.title(start)), [_way(words, start, role) for role in known]))
    patients = [words.say(f"compare_patients_{role.patient_contact}") for role in of.values()]
    rows.append((words.say("compare_patients"), patients))
    rows.append((words.say("compare_blood"), [yes if role.blood else no for role in of.values()]))
    rows.append((words.say("compare_nights"), [yes if role.evenings_nights else no for role in of.values()]))
    if growth := _growth(words, known):
        rows.append((words.say("compare_growth"), growth))
    doors = [words.say("compare_doors_value", jobs=words.jobs(words.lattice.doors(role).roles)) for role in known]
    rows.append((words.say("compare_doors"), doors))
    names = [
        words.say("compare_name", letter=letter, role=words.title(role))
        for letter, role in zip(LETTERS, known, strict=False)
    ]
    lines = [words.say("compare_row", name=name, values=_lettered(words, values)) for name, values in rows]
    return [*names, "", *lines, *_which_pays_more(words, known)]


def _lettered(words: MapWords, values: list[str]) -> str:
    """ "A: none · B: some"; one value when all are the same."""
    if len(set(values)) == 1:
        return f"{'/'.join(LETTERS[: len(values)])}: {values[0]}"
    return " · ".join(
        words.say("compare_value", letter=letter, value=each) for letter, each in zip(LETTERS, values, strict=False)
    )


def _way(words: MapWords, start: str, goal: str) -> str:
    if start == goal:
        return words.say("compare_here")
    routes = words.lattice.routes(start, goal, most=1)
    if not routes:
        return "–"
    return words.say("compare_way_value", months=words.months(routes[0].months), cost=words.cost(routes[0].cost))


def _growth(words: MapWords, roles: list[str]) -> list[str]:
    outlooks = [words.kb.outlooks.get(words.kb.roles[role].soc) for role in roles]
    if words.today > words.kb.datasets["outlook"].review_by or None in outlooks:
        return []
    return [f"{outlook.change_pct:+g}%" for outlook in outlooks if outlook]


def _which_pays_more(words: MapWords, roles: list[str]) -> list[str]:
    pay = {role: float(words.pay(role)) for role in roles if words.pay(role)}
    if len(pay) < 2:
        return []
    if len(set(pay.values())) == 1:
        return [words.say("compare_same")]
    return [words.say("compare_more", role=words.title(max(pay, key=lambda role: pay[role])))]
