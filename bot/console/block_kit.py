"""Block Kit as HTML, as the employee saw it, with nothing that acts: buttons are pictures of buttons, links go only to
http, https and mailto, images are named instead of loaded. Whatever the blocks hold, only text comes out."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup, escape

LINKS = ("http://", "https://", "mailto:")
# Control characters but tab and line ends, marks that turn the reading direction round, half characters.
TRICKS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
TRICKS |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd") | {0xFEFF: None}

Block = dict[str, Any]


def inert(text: str) -> str:
    return text.translate(TRICKS)


# --- mrkdwn ------------------------------------------------------------------------------------------------------

ANGLE = re.compile(r"<([^<>\n]{1,3000})>")
STYLED = re.compile(
    "|".join(
        [r"(?P<code>`[^`\n]+`)"]
        + [
            rf"(?P<{tag}>(?<![\w{m}]){m}(?=\S)[^{m}\n]+?(?<=\S){m}(?![\w{m}]))"
            for tag, m in (("strong", r"\*"), ("em", "_"), ("s", "~"))
        ]
    )
)
DEEPEST = 3  # styles within styles


def draw_mrkdwn(text: object) -> Markup:
    """Slack's own markup. Its entities are undone first, so that nothing is escaped twice."""
    drawn, at = [], 0
    text = inert(_words(text))
    for found in ANGLE.finditer(text):
        drawn += [_styled(_plain(text[at : found.start()])), _angle(found.group(1))]
        at = found.end()
    return Markup("").join([*drawn, _styled(_plain(text[at:]))])


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _angle(inside: str) -> Markup:
    address, _, label = inside.partition("|")
    address, label = _plain(address), _plain(label)
    if address.startswith("@"):
        return _tag("span", escape(label or "@someone"), "bk-mention")
    if address.startswith("#"):
        return _tag("span", escape(f"#{label}" if label else "#channel"), "bk-mention")
    if address.startswith("!"):
        return _tag("span", escape(label or "@" + address[1:].split("^")[0]), "bk-mention")
    return _link(address, label or address)


def _link(address: str, label: str) -> Markup:
    """A link, when it leads where it says and the scheme can do no harm; else its words and its address as text."""
    if address.lower().startswith(LINKS) and address.isprintable():
        return Markup('<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>').format(address, label)
    return escape(label if label == address else f"{label} ({address})")


def _styled(text: str, depth: int = 0) -> Markup:
    """Bold, italic, struck, code; lines stay lines."""
    drawn, at = [], 0
    for found in STYLED.finditer(text) if depth < DEEPEST else ():
        tag, inside = found.lastgroup or "span", found.group()[1:-1]
        drawn.append(_lines(text[at : found.start()]))
        drawn.append(_tag(tag, escape(inside) if tag == "code" else _styled(inside, depth + 1)))
        at = found.end()
    return Markup("").join([*drawn, _lines(text[at:])])


def _lines(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


# --- blocks ------------------------------------------------------------------------------------------------------


def draw_blocks(blocks: object, mask: Callable[[str], str] = lambda text: text) -> Markup:
    """All blocks of a message. `mask` goes over every text first (to hide a name)."""
    return Markup("").join(_block(block, mask) for block in _many(blocks))


def _block(block: Block, mask: Callable[[str], str]) -> Markup:
    def text(value: object) -> Markup:
        return _text(value, mask)

    match block.get("type"):
        case "section":
            body = [_tag("p", text(block.get("text")))] if block.get("text") else []
            body += [_tag("p", text(each), "bk-field") for each in _many(block.get("fields"))]
            if isinstance(accessory := block.get("accessory"), dict):
                body.append(_element(accessory, mask))
            return _tag("div", Markup("").join(body), "bk-section")
        case "header":
            return _tag("p", text(block.get("text")), "bk-header")
        case "context":
            return _tag("p", Markup(" ").join(_context(each, mask) for each in _many(block.get("elements"))), "bk-context")
        case "actions" | "context_actions":
            elements = Markup(" ").join(_element(each, mask) for each in _many(block.get("elements")))
            return _tag("p", elements, "bk-actions")
        case "divider":
            return Markup('<hr class="bk-divider">')
        case "image":
            return _image(block, mask)
        case "input":
            return _tag("p", text(block.get("label")) + " " + _tag("span", Markup("…"), "bk-button"), "bk-section")
        case "markdown":
            return _tag("p", _styled(mask(inert(_words(block.get("text"))))), "bk-section")
        case "rich_text":
            return _tag("div", Markup("").join(_rich(each, mask) for each in _many(block.get("elements"))), "bk-section")
        case "table":
            return _table(block, mask)
    return _tag("p", escape(f"[{inert(_words(block.get('type')))[:40] or 'block'}]"), "bk-context")


def _context(element: Block, mask: Callable[[str], str]) -> Markup:
    return _image(element, mask) if element.get("type") == "image" else _text(element, mask)


def _element(element: Block, mask: Callable[[str], str]) -> Markup:
    if element.get("type") == "image":
        return _image(element, mask)
    if element.get("type") == "feedback_buttons":
        sides = [element.get(side) for side in ("positive_button", "negative_button")]
        labels = [_text(side.get("text"), mask) for side in sides if isinstance(side, dict)]
        return Markup(" ").join(_tag("span", label, "bk-button") for label in labels)
    label = element.get("text") or element.get("placeholder") or {"text": "…"}
    return _tag("span", _text(label, mask), "bk-button")


def _image(block: Block, mask: Callable[[str], str]) -> Markup:
    return _tag("span", escape(f"Picture: {mask(inert(_words(block.get('alt_text'))))}"), "bk-image")


def _rich(element: Block, mask: Callable[[str], str]) -> Markup:
    if element.get("type") == "rich_text_list":
        items = [_tag("li", _rich(each, mask)) for each in _many(element.get("elements"))]
        return _tag("ol" if element.get("style") == "ordered" else "ul", Markup("").join(items))
    drawn = Markup("")
    for part in _many(element.get("elements")):
        if part.get("type") == "link":
            address = _words(part.get("url"))
            drawn += _link(address, mask(inert(_words(part.get("text")) or address)))
        elif part.get("type") == "emoji":
            drawn += escape(f":{_words(part.get('name'))}:")
        elif part.get("type") in ("user", "usergroup", "channel", "broadcast"):
            drawn += _tag("span", Markup("@…"), "bk-mention")
        else:
            drawn += _weighted(part, mask)
    wrap = {"rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}.get(_words(element.get("type")), "p")
    return _tag(wrap, drawn)


def _weighted(part: Block, mask: Callable[[str], str]) -> Markup:
    words = _lines(mask(inert(_words(part.get("text")))))
    style = part.get("style")
    for name, tag in (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code")):
        if isinstance(style, dict) and style.get(name):
            words = _tag(tag, words)
    return words


def _table(block: Block, mask: Callable[[str], str]) -> Markup:
    rows = block.get("rows")
    drawn = [
        _tag("tr", Markup("").join(_tag("td", _text(cell, mask)) for cell in _many(row)))
        for row in (rows if isinstance(rows, list) else [])
    ]
    return _tag("table", Markup("").join(drawn), "bk-table")


def _text(value: object, mask: Callable[[str], str]) -> Markup:
    """A text object: mrkdwn is drawn, plain text is only escaped."""
    if isinstance(value, str):
        return escape(mask(inert(value)))
    if not isinstance(value, dict):
        return Markup("")
    if value.get("type") == "rich_text":
        return Markup("").join(_rich(each, mask) for each in _many(value.get("elements")))
    words = mask(inert(_words(value.get("text"))))
    return draw_mrkdwn(words) if value.get("type") == "mrkdwn" else _lines(words)


def _tag(name: str, inside: Markup, css: str = "") -> Markup:
    """`name` and `css` are ours; `inside` is escaped already."""
    attribute = Markup(' class="{}"').format(css) if css else ""
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), attribute, inside)


def _many(value: object) -> Iterable[Block]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""
