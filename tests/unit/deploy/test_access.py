"""What the table of topics gives to whom: by hand for some, and by what processes really read for all."""

from importlib import import_module

import pytest

from deploy.access import Grant, Parties
from deploy.local.stack import OFFICES, SERVICES, principal_of
from shared.topics import Role, read_by

CITIES = ("helsinki", "espoo", "vantaa")
PARTIES = Parties("pks", CITIES, {"portal": frozenset({Role.FILES_NOTICES})})
SHARED = {
    ("topic", name, "read")
    for name in (
        "shared.change-security.v1",
        "shared.placement.vacancies.v1",
        "shared.training.v1",
        "shared.advisory.v1",
    )
}


def of(principal: str) -> set[tuple[str, str, str]]:
    return {(one.resource, one.name, one.operation) for one in PARTIES.grants() if one.principal == principal}


def test_a_citys_process_reads_what_is_addressed_to_it_and_writes_its_own_word() -> None:
    assert of("change-security.vantaa") == SHARED | {
        ("topic", "to.vantaa.change-security.v1", "read"),
        ("topic", "from.vantaa.change-security.v1", "write"),
        ("group", "change-security.vantaa", "read"),
    }


def test_a_joint_process_reads_every_citys_word_and_no_other_services() -> None:
    assert of("training.pks") == SHARED | {
        *(("topic", f"from.{city}.training.v1", "read") for city in CITIES),
        *(("topic", f"to.{city}.training.v1", "write") for city in CITIES),
        ("topic", "shared.training.v1", "write"),
        ("topic", "between.placement.training.v1", "read"),
        ("topic", "between.training.placement.v1", "write"),
        ("topic", "between.advisory.services.v1", "read"),
        ("topic", "between.services.advisory.v1", "write"),
        ("group", "training.pks", "read"),
    }


def test_another_system_does_what_its_role_says() -> None:
    assert of("portal.systems") == {
        ("topic", "inbound.change-notices.v1", "write"),
        ("topic", "receipts.change-notices.v1", "read"),
        ("group", "portal.systems", "read"),
    }


def test_the_console_has_no_business_on_kafka() -> None:
    assert PARTIES.console in PARTIES.principals
    assert of(PARTIES.console) == set()


def test_no_grant_is_by_prefix() -> None:
    assert [one for one in PARTIES.grants() if one.prefixed] == []
    assert str(Grant("a.b", "topic", "x.", "read", prefixed=True)) == "a.b read topic x.*"


@pytest.mark.parametrize("office", OFFICES)
@pytest.mark.parametrize("service", SERVICES)
def test_each_process_subscribes_to_nothing_that_it_may_not_read(service: str, office: str) -> None:
    settings = import_module(f"services.{service}.settings").Settings(
        office=office,
        joint_office="pks",
        city_offices=",".join(CITIES),
        database_url="postgresql://127.0.0.1:1/none",
        kafka_bootstrap_servers="127.0.0.1:1",
        kafka_security="plaintext",
        jwks_url="http://127.0.0.1/none",
        token_issuer="none",
        pool_key="a city's own secret",
    )
    app = import_module(f"services.{service}.app").build(settings)
    (subscriber,) = app.state.broker.subscribers
    assert {topic.name for topic in subscriber.topics} <= set(read_by(service, office, CITIES))
    assert subscriber.group_id == principal_of(service, office)
