"""My plan on one page of paper: large type, boxes to tick, a code to scan back to the chat."""

from collections.abc import Sequence
from datetime import date
from io import BytesIO

import segno
from reportlab.lib.pagesizes import letter
from reportlab.lib.units import inch
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.knowledge_base.rendering import show_office
from bot.services.plan_words import GoalView, StepView

WIDTH, HEIGHT = letter
MARGIN = 0.75 * inch
TITLE, GOAL, STEP, SMALL = 24, 18, 14, 11  # points
GREEN = (0.12, 0.37, 0.29)
QR_SIZE = 1.1 * inch
BOTTOM = MARGIN + QR_SIZE + 0.2 * inch
BOLD, PLAIN = "Helvetica-Bold", "Helvetica"


def plan_pdf(
    kb: KnowledgeBase, goals: Sequence[GoalView], name: str, language: Language, today: date, address: str
) -> bytes:
    """One US letter page as PDF. What does not fit is named, not squeezed in. `address` is what the code opens."""
    buffer = BytesIO()
    page = Canvas(buffer, pagesize=letter, lang=language)
    page.setTitle(kb.say("pdf_for", language, name=name))
    page.setAuthor(kb.employer["name"])
    y = _head(page, kb, name, language, today)
    for goal in goals:
        room, y = _goal(page, kb, goal, language, y)
        if not room:
            page.setFont(PLAIN, SMALL)
            page.drawString(MARGIN, BOTTOM, kb.say("pdf_more", language))
            break
    _foot(page, kb, language, address)
    page.showPage()
    page.save()
    return buffer.getvalue()


def _head(page: Canvas, kb: KnowledgeBase, name: str, language: Language, today: date) -> float:
    y = HEIGHT - MARGIN - TITLE
    page.setFillColorRGB(*GREEN)
    page.setFont(BOLD, TITLE)
    page.drawString(MARGIN, y, kb.say("pdf_for", language, name=name))
    page.setFillColorRGB(0.3, 0.3, 0.3)
    page.setFont(PLAIN, SMALL)
    y -= SMALL + 8
    page.drawString(
        MARGIN, y, kb.say("pdf_date", language, employer=kb.employer["name"], day=show_date(kb, today, language))
    )
    return y - 26


def _goal(page: Canvas, kb: KnowledgeBase, goal: GoalView, language: Language, y: float) -> tuple[bool, float]:
    """(was there room for all of it?, where the next goal begins)"""
    heading = _wrapped(kb.say("pdf_goal", language, title=goal.title), BOLD, GOAL, WIDTH - 2 * MARGIN)
    if y - len(heading) * (GOAL + 4) - 3 * STEP < BOTTOM:
        return False, y
    page.setFillColorRGB(0, 0, 0)
    page.setFont(BOLD, GOAL)
    for line in heading:
        page.drawString(MARGIN, y, line)
        y -= GOAL + 4
    y -= 6
    for step in goal.steps:
        lines = _wrapped(step.words, PLAIN, STEP, WIDTH - 2 * MARGIN - 26)
        if y - len(lines) * (STEP + 4) - SMALL - 8 < BOTTOM:
            return False, y
        y = _step(page, step, lines, y)
    return True, y - 14


def _step(page: Canvas, step: StepView, lines: list[str], y: float) -> float:
    page.setStrokeColorRGB(*GREEN)
    page.setLineWidth(1.4)
    page.rect(MARGIN, y - 1, 13, 13)
    if step.state == "done":
        page.line(MARGIN + 3, y + 5, MARGIN + 6, y + 1)
        page.line(MARGIN + 6, y + 1, MARGIN + 12, y + 12)
    page.setFillColorRGB(0, 0, 0)
    page.setFont(PLAIN, STEP)
    for line in lines:
        page.drawString(MARGIN + 26, y, line)
        y -= STEP + 4
    page.setFillColorRGB(0.3, 0.3, 0.3)
    page.setFont(PLAIN, SMALL)
    page.drawString(MARGIN + 26, y + 2, step.when)
    return y - SMALL - 8


def _foot(page: Canvas, kb: KnowledgeBase, language: Language, address: str) -> None:
    code = segno.make(address, error="m")
    rows = [list(row) for row in code.matrix_iter(border=0)]
    cell = QR_SIZE / len(rows)
    page.setFillColorRGB(0, 0, 0)
    for number, row in enumerate(rows):
        for column, dark in enumerate(row):
            if dark:
                page.rect(MARGIN + column * cell, MARGIN + QR_SIZE - (number + 1) * cell, cell, cell, stroke=0, fill=1)
    page.setFont(PLAIN, SMALL)
    x = MARGIN + QR_SIZE + 16
    page.drawString(x, MARGIN + QR_SIZE / 2 + 6, kb.say("pdf_scan", language))
    office = show_office(kb.offices["career-center"], language)
    page.drawString(x, MARGIN + QR_SIZE / 2 - 12, kb.say("pdf_help", language, office=office))


def _wrapped(text: str, font: str, size: int, width: float) -> list[str]:
    """Words on as many lines as they need."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and stringWidth(longer, font, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
