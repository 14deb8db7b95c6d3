"""Reviews and unanswered questions: what the content's owners should work on next."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from bot.console.access import CONTENT_OWNER, Staff
from bot.console.charts import draw_spark
from bot.console.parts import parts_of
from bot.console.views import flash, render
from bot.services.audit import names_of
from bot.services.reviewing import VERDICTS, as_content_tests, as_proposals, close_by_hand, is_settled, reviews_in
from bot.services.stepping_in import policy_of
from bot.services.unanswered import Group, unanswered_groups, words_gone

MOST = 60  # groups shown, and as many questions that were asked once

router = APIRouter()


@router.get("/reviews")
def reviews(request: Request, staff: Staff, state: str = "open") -> Response:
    parts = parts_of(request)
    answering, today = parts.desk.answering, parts.desk.clock().date()
    state = "closed" if state == "closed" else "open"
    with parts.reading() as session:
        kept = reviews_in(session, staff.workspace, state)
        names = names_of(session, [review.reviewer_id for review in kept])
    return render(
        request,
        "reviews.html",
        staff=staff,
        reviews=kept,
        names=names,
        state=state,
        verdicts=VERDICTS,
        settled={review.id for review in kept if state == "open" and is_settled(review, answering, today)},
        tests=as_content_tests(kept) if state == "open" else "",
        proposals=as_proposals(kept, answering.kb) if state == "open" else "",
    )


@router.get("/reviews/export.yaml")
def reviews_yaml(request: Request, staff: Staff) -> Response:
    with parts_of(request).reading() as session:
        words = as_content_tests(reviews_in(session, staff.workspace, "open"))
    headers = {"Content-Disposition": 'attachment; filename="reviews.yaml"'}
    return Response(words, media_type="application/yaml", headers=headers)


@router.post("/reviews/{review_id}/close")
def close_review(request: Request, staff: Staff, review_id: int) -> Response:
    parts = parts_of(request)
    with parts.desk.sessions() as session:
        close_by_hand(session, staff, review_id, parts.desk.clock())
        session.commit()
    flash(request, "Closed.")
    return RedirectResponse("/reviews", 303)


@router.get("/unanswered")
def unanswered(request: Request, staff: Staff) -> Response:
    """Groups of questions. Words show where enough people asked the same; coaches also read those of chats that need someone,
    as in their inbox."""
    parts = parts_of(request)
    kb = parts.desk.answering.kb
    with parts.reading() as session:
        now = parts.desk.clock()
        key = ("unanswered", staff.workspace, staff.id, *words_gone(session, staff.workspace))
        groups = parts.remembered.get(key, now, lambda: unanswered_groups(session, staff.workspace, now, staff))

    def said(group: Group) -> tuple[str, tuple[str, ...]]:
        if group.people >= policy_of(kb).smallest_group:
            return group.words, group.examples
        return (group.open_words, group.open_examples) if staff.access != CONTENT_OWNER else ("", ())

    return render(
        request,
        "unanswered.html",
        staff=staff,
        groups=[group for group in groups if group.questions > 1][:MOST],
        singles=[group for group in groups if group.questions == 1][:MOST],
        more=len(groups) - 2 * MOST if len(groups) > 2 * MOST else 0,
        spark=draw_spark,
        said=said,
        show_chats=staff.access != CONTENT_OWNER,
        title_of=lambda card: kb.title(card, "en"),
    )
