"""Every authority's own receipt is kept and shown; what a stranger states moves no clock."""

from typing import Any
from uuid import uuid4

import pytest

from deploy.local.client import Callers, wait_for
from deploy.local.sample_data import proposal_json
from deploy.local.stack import Stack
from tests.support.matters import Matters, submit

EARLIER = "2026-11-20T07:00:00Z"
SUBMITTED = "change-security.notice-submitted.v1"


def receipts(ledger: dict[str, Any]) -> list[tuple[int, str, bool]]:
    return [(one["revision"], one["authority"], one["earliest"]) for one in ledger["receipts"]]


def test_a_city_and_the_joint_office_each_have_their_own_receipt_and_each_revision_its_arrival(
    callers: Callers, matters: Matters
) -> None:
    vantaa = callers.officer["vantaa"]
    notice_id = vantaa.send("/v1/notices", {"filing": proposal_json(), "arrived_at": EARLIER})["notice_id"]
    matters.complete(notice_id)
    revised = "2026-11-21T07:00:00Z"
    vantaa.send(
        f"/v1/cases/{notice_id}/revisions",
        {"predecessor": 1, "filing": proposal_json(measures=[]), "arrived_at": revised},
    )
    ledger = matters.complete(notice_id, version=2)
    assert receipts(ledger) == [(1, "vantaa", True), (1, "pks", False), (2, "vantaa", True), (2, "pks", False)]
    assert ledger["receipts"][0]["arrived_at"] == ledger["earliest_receipt"] == EARLIER
    at_joint = callers.coordinator.read(f"/v1/notices/{notice_id}/revisions")["items"]
    at_espoo = callers.officer["espoo"].read(f"/v1/cases/{notice_id}/revisions")["items"]
    for rows in (at_joint, at_espoo):
        assert [row["arrived_at"] for row in rows] == [EARLIER, revised]
    notice = callers.coordinator.read(f"/v1/notices/{notice_id}")
    assert (notice["arrived_at"], notice["revision_arrived_at"]) == (EARLIER, revised)


@pytest.mark.parametrize(("source", "counts"), [("/systems/portal", False), ("/systems/vantaa-portal", True)])
def test_an_arrival_stated_on_the_topic_counts_only_from_a_receiving_authoritys_system(
    callers: Callers, matters: Matters, stack: Stack, source: str, *, counts: bool
) -> None:
    notice_id = str(uuid4())
    body = {"type": SUBMITTED, "notice_id": notice_id, "filing": proposal_json(), "arrived_at": EARLIER}
    submit(stack.kafka.bootstrap, (notice_id, SUBMITTED, body, notice_id), source=source)
    ledger = matters.complete(notice_id)
    notice = callers.coordinator.read(f"/v1/notices/{notice_id}")
    assert (notice["arrived_at"] == EARLIER) is counts
    assert notice["arrived_at_claimed"] == (None if counts else EARLIER)
    assert matters.case("vantaa", notice_id)["arrived_at_claimed"] == notice["arrived_at_claimed"]
    own = [(1, "vantaa", True), (1, "pks", False)] if counts else [(1, "pks", True)]
    assert receipts(ledger) == own


def test_two_authorities_that_received_the_same_revision_are_both_shown(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    revision = {"predecessor": 1, "filing": proposal_json(measures=[])}
    joint = stack.child("change_security", "pks")
    joint.freeze()
    try:  # each city registers what the employer sent to both, before it can hear of the other
        for city in ("espoo", "vantaa"):
            callers.officer[city].send(f"/v1/cases/{notice_id}/revisions", revision)
    finally:
        joint.thaw()

    def both() -> bool:
        authorities = {authority for number, authority, _ in receipts(matters.ledger(notice_id)) if number == 2}
        return authorities >= {"espoo", "vantaa"}

    wait_for(both, "both receipts of the revision")
    assert callers.coordinator.read(f"/v1/notices/{notice_id}")["revision"] == 2
