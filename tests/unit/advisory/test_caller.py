"""Who may know who called, and what a city answers that keeps the caller."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.advisory.domain.caller import (
    READABLE_FOR,
    Asker,
    Concerned,
    Decision,
    QueryState,
    decide,
    keeper,
    may_know,
    require_readable,
)
from services.advisory.domain.contact import ContactState, Person
from shared.errors import ForbiddenError, UnknownError

AT = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
ESPOO = Concerned(frozenset({"espoo", "vantaa"}))
AT_TRAINING = Concerned(frozenset({None}), frozenset({"training"}))
WHO = Asker("o-1", "helsinki")
GRANTED = decide(ContactState.ASSIGNED, Person(phone="+358401234567"), AT)


def test_the_acting_and_the_competent_authority_may_know_and_the_service_that_holds_the_contact() -> None:
    assert may_know([ESPOO], "espoo", None)
    assert may_know([ESPOO], "vantaa", None)
    assert not may_know([ESPOO], "helsinki", None)
    assert may_know([AT_TRAINING], "helsinki", "training")
    assert not may_know([AT_TRAINING], "helsinki", "placement")
    assert not may_know([AT_TRAINING], "helsinki", None)


def test_who_has_to_answer_the_earlier_contact_may_know_who_called_later() -> None:
    nobodys = Concerned(frozenset({None}))
    assert not may_know([nobodys], "espoo", None)
    assert may_know([nobodys, ESPOO], "espoo", None)
    assert may_know([nobodys, AT_TRAINING], "helsinki", "training")


@pytest.mark.parametrize(
    ("state", "person"),
    [(None, None), (None, Person(phone="1")), (ContactState.ASSIGNED, None), (ContactState.ASSIGNED, Person())],
)
def test_a_city_that_keeps_nobody_refuses(state: ContactState | None, person: Person | None) -> None:
    assert decide(state, person, AT) == Decision(QueryState.REFUSED, "nobody who called is kept here")


def test_a_city_grants_for_some_days_while_the_contact_needs_something() -> None:
    for state in set(ContactState) - {ContactState.CLOSED}:
        assert decide(state, Person(email="a@b.example"), AT) == Decision(
            QueryState.GRANTED, readable_until=AT + READABLE_FOR
        )
    closed = decide(ContactState.CLOSED, Person(email="a@b.example"), AT)
    assert (closed.state, closed.readable_until) == (QueryState.REFUSED, None)


def test_only_who_asked_reads_and_only_while_it_is_granted() -> None:
    require_readable(GRANTED, WHO, WHO, AT + READABLE_FOR)
    for other in (replace(WHO, subject="o-2"), replace(WHO, authority="espoo")):
        with pytest.raises(UnknownError):
            require_readable(GRANTED, WHO, other, AT)
    with pytest.raises(ForbiddenError) as expired:
        require_readable(GRANTED, WHO, WHO, AT + READABLE_FOR + timedelta(seconds=1))
    assert expired.value.code == "expired"
    with pytest.raises(ForbiddenError) as refused:
        require_readable(Decision(QueryState.REFUSED, "why"), WHO, WHO, AT)
    assert refused.value.code == "not-granted"


def test_a_city_keeps_the_callers_of_the_contacts_that_it_took_in() -> None:
    cities = {"helsinki", "espoo"}
    assert keeper("espoo", cities) == "espoo"
    for other in ("system:espoo", "officer:espoo", "e-mail", "topic:/systems/portal"):
        assert keeper(other, cities) is None
