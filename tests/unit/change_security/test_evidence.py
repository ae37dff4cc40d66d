"""When a filing became available to authorities, and whose word counts."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from services.change_security import data
from services.change_security.domain.evidence import (
    Arrival,
    OwnReceipt,
    arrived_by_authority,
    arrived_by_http,
    arrived_by_topic,
)
from services.change_security.domain.notice import Channel, Rulebook
from services.change_security.joint.acting_commands import JointActing
from services.change_security.joint.advisory_view import ForAdvisory
from services.change_security.joint.app import inbound
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.drafts import prefill
from services.change_security.settings import Settings
from shared.handover.commands import JointHandOvers
from tests.support.filings import ARRIVED

EARLIER, LATER = ARRIVED - timedelta(hours=5), ARRIVED + timedelta(hours=5)


def receipts(arrival: Arrival) -> dict[str, object]:
    return {receipt.authority: receipt.arrived_at for receipt in arrival.receipts}


def test_what_a_system_states_is_a_claim_beside_the_joint_offices_own_receipt() -> None:
    arrival = arrived_by_topic("pks", ARRIVED, EARLIER, None)
    assert (arrival.at, arrival.claimed, receipts(arrival)) == (ARRIVED, EARLIER, {"pks": ARRIVED})


def test_a_receiving_authoritys_system_states_that_authoritys_own_receipt() -> None:
    arrival = arrived_by_topic("pks", ARRIVED, EARLIER, "vantaa")
    assert (arrival.at, arrival.claimed) == (EARLIER, None)
    assert receipts(arrival) == {"vantaa": EARLIER, "pks": ARRIVED}


@pytest.mark.parametrize("authority", [None, "vantaa"])
def test_an_arrival_stated_after_the_receipt_is_neither(authority: str | None) -> None:
    arrival = arrived_by_topic("pks", ARRIVED, LATER, authority)
    assert (arrival.at, arrival.claimed, receipts(arrival)) == (ARRIVED, None, {"pks": ARRIVED})


def test_a_city_that_registered_a_filing_and_the_joint_office_each_have_their_receipt() -> None:
    arrival = arrived_by_authority("pks", ARRIVED, "vantaa", EARLIER)
    assert (arrival.at, receipts(arrival)) == (EARLIER, {"vantaa": EARLIER, "pks": ARRIVED})
    assert receipts(arrived_by_authority("pks", ARRIVED, "vantaa", LATER))["vantaa"] == ARRIVED


def test_an_authority_that_receives_the_same_later_is_added_and_no_receipt_moves() -> None:
    first = arrived_by_authority("pks", ARRIVED, "vantaa", EARLIER)
    both = first.joined(arrived_by_authority("pks", LATER, "espoo", LATER))
    assert receipts(both) == {"vantaa": EARLIER, "pks": ARRIVED, "espoo": LATER}
    assert first.joined(first) == first


def test_an_arrival_is_read_back_as_it_was_kept() -> None:
    kept = TypeAdapter(Arrival)
    by_hand = arrived_by_http("helsinki", ARRIVED, Channel.OFFICER)
    for arrival in (by_hand, arrived_by_topic("pks", LATER, ARRIVED, None)):
        assert kept.validate_json(kept.dump_json(arrival, exclude_none=True)) == arrival
    assert by_hand.receipts == (OwnReceipt("helsinki", ARRIVED, Channel.OFFICER),)


def test_a_receiving_system_of_no_known_authority_is_refused_when_the_process_starts() -> None:
    book = Rulebook(data.authorities(), data.rules())
    office = JointOffice(book, shipped=data.authorities())
    acting = JointActing(book, frozenset())
    desk = JointHandOvers("change_security", ForAdvisory, prefill)
    told = {
        "office": "pks",
        "joint_office": "pks",
        "city_offices": "espoo,helsinki,vantaa",
        "database_url": "postgresql://none",
        "kafka_bootstrap_servers": "none:9092",
        "jwks_url": "http://none",
        "token_issuer": "none",
    }
    known = Settings(**told, receiving_systems='{"/systems/vantaa": "vantaa"}')  # type: ignore[arg-type]
    assert known.receiving_systems == {"/systems/vantaa": "vantaa"}
    assert inbound(known, office, acting, desk).handlers
    unknown = Settings(**told, receiving_systems={"/systems/x": "atlantis"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown authorities: atlantis"):
        inbound(unknown, office, acting, desk)
