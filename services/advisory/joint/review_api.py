"""The joint office's API of resourcing reviews: asked for, read, reported, kept, approved; the trend by quarter."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.advisory.domain.kept_review import ReviewState
from services.advisory.domain.resources import Review, WorkQuestion
from services.advisory.joint import resourcing_report
from services.advisory.joint.agreement_models import KeptReviewOut, NextReviewIn, NextReviewOut, QuarterOut, ReasonIn
from services.advisory.joint.api import ManagementGroup, Staff, TheDatabase, TheReviews
from services.advisory.joint.models import RequestOut, ReviewOut
from services.advisory.joint.review_commands import JointKeptReviews
from services.advisory.joint.review_store import KeptReviews
from shared.http.auth import part
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["review"])
TheKeptReviews = Annotated[JointKeptReviews, Depends(part(JointKeptReviews))]


@router.post("/reviews", status_code=202)
async def ask_review(
    response: Response, who: Staff, body: WorkQuestion, reviews: TheReviews, tx: WriteTx
) -> RequestOut:
    """Ask every service for its acts of handling within some days."""
    request_id = await reviews.ask(tx, body, who.actor)
    response.headers["Location"] = f"/v1/reviews/{request_id}"
    return RequestOut(request_id=request_id)


@router.get("/reviews/{request_id}", response_model=ReviewOut)
async def read_review(request: Request, _: Staff, request_id: UUID, kept: TheKeptReviews, tx: ReadTx) -> Response:
    """Read a review as it was kept, or as far as services have answered."""
    return tagged(request, _shown(request_id, await kept.read(tx, request_id)))


@router.get("/reviews/{request_id}/report.{kind}", response_class=Response)
async def read_report(
    _: Staff,
    request_id: UUID,
    kind: Literal["html", "pdf"],
    kept: TheKeptReviews,
    database: TheDatabase,
    lang: resourcing_report.Lang = "fi",
) -> Response:
    """Get the review as a report with the trend of the approved quarters, in one of the service languages."""
    async with database.read() as tx:
        review = await kept.read(tx, request_id)
        quarters = [each for each in await kept.quarters(tx) if each.until <= review.until]
    if kind == "html":
        page = await asyncio.to_thread(resourcing_report.html, review, lang, quarters)
        return Response(page, media_type="text/html")
    document = await asyncio.to_thread(resourcing_report.pdf, review, lang, quarters)
    return Response(document, media_type="application/pdf")


@router.post("/reviews/{request_id}/keeping")
async def keep(who: Staff, request_id: UUID, body: NextReviewIn, kept: TheKeptReviews, tx: WriteTx) -> KeptReviewOut:
    """Keep a review as it is now, for the management group to approve; say when the next one is due."""
    return KeptReviewOut.model_validate(await kept.keep(tx, request_id, body.next_due, who))


@router.post("/reviews/{request_id}/approval")
async def approve(who: ManagementGroup, request_id: UUID, kept: TheKeptReviews, tx: WriteTx) -> KeptReviewOut:
    """Approve a kept review, as another officer than the one who kept it."""
    return KeptReviewOut.model_validate(await kept.approve(tx, request_id, who))


@router.post("/reviews/{request_id}/rejection")
async def reject(
    who: ManagementGroup, request_id: UUID, body: ReasonIn, kept: TheKeptReviews, tx: WriteTx
) -> KeptReviewOut:
    """Reject a kept review, with a reason."""
    return KeptReviewOut.model_validate(await kept.reject(tx, request_id, body.reason, who))


@router.get("/kept-reviews")
async def list_kept(
    _: Staff, tx: ReadTx, state: ReviewState | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[KeptReviewOut]:
    """List kept reviews, the last kept first."""
    rows = await KeptReviews(tx).page(state, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.kept_at, row.request_id), KeptReviewOut.model_validate)


@router.get("/review-trend")
async def read_trend(
    _: Staff, kept: TheKeptReviews, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[QuarterOut]:
    """Show the approved reviews of whole calendar quarters, in order."""
    after = read_single_cursor(cursor, date.fromisoformat)
    quarters = [review for review in await kept.quarters(tx) if after is None or review.since > after]
    return Page.of(quarters[:limit], limit, lambda review: (review.since,), _quarter)


@router.get("/next-review", response_model=NextReviewOut)
async def read_next(request: Request, _: Staff, kept: TheKeptReviews, tx: ReadTx) -> Response:
    """Tell when the next review is due, and whether it is time to make it."""
    due_on, is_due = await kept.next_due(tx)
    return tagged(request, NextReviewOut(due_on=due_on, is_due=is_due))


def _quarter(review: Review) -> QuarterOut:
    return QuarterOut(since=review.since, until=review.until, rows=list(review.rows), totals=list(review.totals))


def _shown(request_id: UUID, review: Review) -> ReviewOut:
    return ReviewOut(
        request_id=request_id,
        since=review.since,
        until=review.until,
        rows=list(review.rows),
        totals=list(review.totals),
        spans=list(review.spans),
        missing_services=list(review.missing_services),
        to_be_checked=review.to_be_checked,
    )
