"""A draft that is saved half-filled, and what it is completed with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from services.change_security.models import NoticeIn
from services.placement.joint.drafts import VacancyOfDraft
from services.training.joint.drafts import ProposalOfDraft
from shared.handover.api import DraftContent, completed
from shared.handover.tables import DraftRow, DraftState
from shared.http.problems import ProblemError
from shared.http.reading import check_match, tagged

AT = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
VACANCY = {
    "title": "Kokki",
    "employer": {"business_id": "2077474-0"},
    "occupation": {"scheme": "ISCO-08", "code": "5120"},
    "municipality": "092",
}
PROPOSAL = {
    "business_id": "2077474-0",
    "municipality": "092",
    "kind": "rekry",
    "title": {"fi": "Kokki", "sv": "Kock", "en": "Cook"},
    "seats": 10,
    "training_days": 60,
    "price_eur": "1000",
    "starts_on": "2027-03-01",
}


def draft(content: dict[str, Any]) -> DraftRow:
    return DraftRow(
        draft_id=UUID(int=1),
        hand_over_id=UUID(int=2),
        contact_id=UUID(int=3),
        content=content,
        due_at=AT,
        made_at=AT,
        state=DraftState.OPEN,
    )


def test_a_draft_is_completed_with_what_was_saved_unless_something_is_given() -> None:
    saved = completed(VacancyOfDraft, None, draft({"vacancy": VACANCY}))
    assert saved.vacancy.title == "Kokki"
    given = VacancyOfDraft.model_validate({"vacancy": VACANCY | {"title": "Tarjoilija"}})
    assert completed(VacancyOfDraft, given, draft({"vacancy": VACANCY})) is given
    # Dates and numbers come back from a store as text.
    proposal = completed(ProposalOfDraft, None, draft({"proposal": PROPOSAL})).proposal
    assert str(proposal.starts_on) == "2027-03-01"


@pytest.mark.parametrize(
    ("kind", "content", "missing"),
    [
        (VacancyOfDraft, {"vacancy": {"title": "Kokki"}}, ("body", "vacancy", "employer")),
        (ProposalOfDraft, {"proposal": {"seats": 10}}, ("body", "proposal", "kind")),
        (NoticeIn, {}, ("body", "filing")),
    ],
)
def test_what_is_saved_half_filled_is_refused_as_a_request_that_lacks_the_same(
    kind: type[BaseModel], content: dict[str, Any], missing: tuple[str, ...]
) -> None:
    with pytest.raises(RequestValidationError) as refused:
        completed(kind, None, draft(content))
    assert missing in {tuple(found["loc"]) for found in refused.value.errors()}


@pytest.mark.parametrize("text", ["\ud800", float("nan"), float("inf")])
def test_what_no_store_takes_is_not_saved(text: str | float) -> None:
    assert DraftContent(content={"vacancy": {"title": None, "positions": [2]}}).content
    with pytest.raises(ValidationError):
        DraftContent(content={"vacancy": {"title": [text]}})
    with pytest.raises(ValidationError):
        DraftContent.model_validate({"content": {str(text) + "\udfff": "x"}})


def test_what_has_changed_since_it_was_read_is_not_overwritten() -> None:
    request = Request({"type": "http", "headers": []})
    tag = tagged(request, {"saved": 1}).headers["ETag"]
    check_match(tag, {"saved": 1})
    check_match(f'"other", W/{tag}', {"saved": 1})
    check_match("*", {"saved": 2})
    check_match(None, {"saved": 2})
    with pytest.raises(ProblemError) as refused:
        check_match(tag, {"saved": 2})
    assert (refused.value.problem.status, refused.value.problem.type) == (412, "urn:problem:changed-meanwhile")
