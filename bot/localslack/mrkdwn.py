"""Slack's own markup as safe HTML."""

import html
import re
from collections.abc import Mapping

from markupsafe import Markup

ANGLE = re.compile(r"<([^<>\n]+)>")
CODE_BLOCK = re.compile(r"```(.+?)```", re.S)
INLINE = [
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), r"<em>\1</em>"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), r"<s>\1</s>"),
]
SAFE_LINK = re.compile(r"^(?:https?://|mailto:|tel:)", re.I)


def draw_mrkdwn(text: str, names: Mapping[str, str]) -> Markup:
    """`names`: what `<@U…>` and `<#C…>` stand for. Links only to http, https, mailto and tel; everything else is text."""
    parts, at = [], 0
    for found in ANGLE.finditer(text):
        parts += [_styled(text[at : found.start()]), _angle(found[1], names)]
        at = found.end()
    return Markup("".join([*parts, _styled(text[at:])]))


def _angle(inside: str, names: Mapping[str, str]) -> str:
    target, _, label = inside.partition("|")
    if target.startswith(("@", "#")):
        name = html.escape(label or names.get(target[1:], target[1:]))
        return f'<span class="mention">{target[0]}{name}</span>'
    target = html.unescape(target)
    if SAFE_LINK.match(target):
        shown = html.escape(html.unescape(label or target))
        return f'<a href="{html.escape(target)}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    return html.escape(html.unescape(label or inside))


def _styled(text: str) -> str:
    pieces = CODE_BLOCK.split(html.escape(html.unescape(text)))
    return "".join(f"<pre>{piece}</pre>" if number % 2 else _lines(piece) for number, piece in enumerate(pieces))


def _lines(text: str) -> str:
    for pattern, drawn in INLINE:
        text = pattern.sub(drawn, text)
    return text.replace("\n", "<br>")
