"""What an authority may see of an employer's timeline, and what guidance may be written and approved."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.advisory.domain.contact import ContactState
from services.advisory.domain.guidance import Draft, check_draft, check_newest
from services.advisory.domain.timeline import Matter, TimelineQuestion, timeline
from services.advisory.joint.models import TimelineIn
from shared.errors import ConflictError, RefusedError
from shared.events.v1.advisory import ContactTopic, Fact, Texts, TimelineAnswered, Trilingual, Withheld

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
AUTHORITIES = frozenset({"helsinki", "espoo", "vantaa"})
TEXTS = Texts(title="Palkkatuki", body="Ohje.")


def matter(number: int, competent: str | None, acting: str | None) -> Matter:
    return Matter(UUID(int=number), ContactTopic.TRAINING, ContactState.ASSIGNED, NOW, competent, acting)


def test_an_authority_sees_its_own_contacts_and_what_each_service_shows_it_in_order() -> None:
    answer = TimelineAnswered(
        request_id=UUID(int=9),
        service="placement",
        facts=(Fact(matter_id=UUID(int=5), what="vacancy", state="open", at=NOW - timedelta(days=1)),),
        withheld=(Withheld(what="vacancy", reason="another's"),),
    )
    shown = timeline("espoo", [matter(1, "vantaa", "espoo"), matter(2, "espoo", None)], [answer])
    assert [(entry.service, entry.matter_id.int, entry.what) for entry in shown.entries] == [
        ("placement", 5, "vacancy"),
        ("advisory", 1, "contact: training"),
        ("advisory", 2, "contact: training"),
    ]
    assert [(part.service, part.reason) for part in shown.withheld] == [("placement", "another's")]


@pytest.mark.parametrize(
    ("competent", "acting", "reason"),
    [
        ("vantaa", "helsinki", "a contact of vantaa, handled by helsinki"),
        (None, None, "a contact of no known authority, handled by nobody yet"),
    ],
)
def test_another_authoritys_contact_is_withheld_with_the_reason(
    competent: str | None, acting: str | None, reason: str
) -> None:
    shown = timeline("espoo", [matter(1, competent, acting)], [])
    assert shown.entries == ()
    assert [part.reason for part in shown.withheld] == [reason]


def test_a_timeline_is_asked_for_by_a_business_id_with_or_without_its_hyphen() -> None:
    for given in ("2077474-0", "20774740"):
        assert TimelineIn(business_id=given).business_id == "2077474-0"
        assert TimelineQuestion(business_id=given, authority="vantaa").business_id == "2077474-0"


def test_an_article_is_kept_by_an_authority_of_the_region() -> None:
    texts = Trilingual(fi=TEXTS, sv=TEXTS, en=TEXTS)
    draft = Draft(topic=ContactTopic.WAGE_SUBSIDY, texts=texts, owner="espoo", review_by=date(2027, 1, 1))
    check_draft(draft, AUTHORITIES)
    with pytest.raises(RefusedError) as refused:
        check_draft(draft.model_copy(update={"owner": "turku"}), AUTHORITIES)
    assert (refused.value.pointer, refused.value.code) == ("/owner", "no-such-authority")


def test_no_version_is_approved_after_a_newer_one() -> None:
    check_newest(2, [1, 2])
    check_newest(1, [])
    with pytest.raises(ConflictError) as refused:
        check_newest(1, [2])
    assert refused.value.code == "newer-version"
