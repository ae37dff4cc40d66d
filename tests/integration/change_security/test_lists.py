"""A notice is found at once: by the employer, the filer's own reference, and what it is about."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest

from deploy.local.client import Callers, wait_for
from deploy.local.sample_data import proposal_json
from tests.support.filings import invented_business_id
from tests.support.matters import Matters


class Employer:
    """An employer of one test, and its notices."""

    def __init__(self, callers: Callers, matters: Matters) -> None:
        self.callers, self.matters = callers, matters
        self.business_id = invented_business_id(UUID(matters.unique).int)
        self.name = f"Åkeri {matters.unique[:8]} Ab"

    def file(self, reference: str | None = None, staff: int = 420, **changes: Any) -> str:
        employer = {"business_id": self.business_id, "name": self.name, "domicile": "092", "regular_staff": staff}
        filing = proposal_json(**({"sites": []} | changes | {"employer": employer}))
        told = {"filing": filing, "filer_reference": reference}
        notice_id = str(self.callers.system.send("/v1/notices", told)["notice_id"])
        self.matters.complete(notice_id)
        return notice_id


@pytest.fixture
def employer(callers: Callers, matters: Matters) -> Employer:
    """An employer that nobody else has."""
    return Employer(callers, matters)


def found(caller: Any, path: str, **filters: Any) -> list[str]:
    answer = caller.get(path, params=filters)
    assert answer.status_code == 200, answer.text
    return [line["notice_id"] for line in answer.json()["items"]]


def test_a_notice_is_found_by_employer_reference_and_content_at_both(callers: Callers, employer: Employer) -> None:
    reference = f"D-{employer.business_id}"
    layoffs = employer.file(reference, measures=[{"measure": "layoff", "count": 30}])
    other = employer.file(sites=[{"municipality": "049"}], measures=[{"measure": "termination", "count": 12}])
    for caller, path in ((callers.coordinator, "/v1/notices"), (callers.officer["vantaa"], "/v1/cases")):
        mine = {"business_id": employer.business_id}
        assert found(caller, path, **mine) == [other, layoffs]
        assert found(caller, path, business_id=employer.business_id.replace("-", "")) == [other, layoffs]
        assert found(caller, path, employer=employer.name.upper()[:14]) == [other, layoffs]
        assert found(caller, path, filer_reference=reference) == [layoffs]
        assert found(caller, path, **mine, measure="termination") == [other]
        assert found(caller, path, **mine, municipality="049") == [other]
        assert found(caller, path, **mine, municipality="999") == []
        assert found(caller, path, **mine, arrived_from="2020-01-01", arrived_until="2199-12-31") == [other, layoffs]
        assert found(caller, path, **mine, registered_until="2020-01-01") == []
        assert found(caller, path, **mine, late=True) == []
        assert found(caller, path, **mine, declined=False, acknowledged=False, kind="negotiation_proposal") == [
            other,
            layoffs,
        ]
        line = caller.read(f"{path}?filer_reference={reference}")["items"][0]
        assert (line["employer"], line["affected"], line["terminations"]) == (employer.name, 30, 0)
    assert found(callers.system, "/v1/notices", filer_reference=reference) == [layoffs]


def test_a_page_leads_to_the_next_and_is_not_sent_twice(callers: Callers, employer: Employer) -> None:
    filed = [employer.file() for _ in range(3)]
    path = f"/v1/notices?business_id={employer.business_id}&limit=2"
    first = callers.coordinator.get(path)
    rest = callers.coordinator.read(f"{path}&cursor={first.json()['next']}")
    ids = [line["notice_id"] for line in (*first.json()["items"], *rest["items"])]
    assert ids == filed[::-1]
    again = callers.coordinator.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_a_list_is_given_as_csv_when_asked(callers: Callers, employer: Employer) -> None:
    employer.name = f"=HYPERLINK {employer.name}"
    notice_id = employer.file()
    for caller, path in ((callers.coordinator, "/v1/notices"), (callers.officer["vantaa"], "/v1/cases")):
        query = {"business_id": employer.business_id}
        answer = caller.get(path, params=query, headers={"Accept": "text/csv"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (row["notice_id"], row["employer"]) == (notice_id, f"'{employer.name}")
        assert caller.get(path, params=query | {"format": "csv"}).content == answer.content
        assert caller.get(path, params=query).headers["content-type"] == "application/json"


def test_what_an_authority_no_longer_handles_is_listed_without_its_counts(
    callers: Callers, employer: Employer, matters: Matters
) -> None:
    measures = [{"measure": "termination", "count": 3}]
    notice_id = employer.file(sites=[{"municipality": "049"}], measures=measures)
    callers.system.send(
        f"/v1/notices/{notice_id}/revisions",
        {
            "predecessor": 1,
            "filing": proposal_json(
                employer={"business_id": employer.business_id, "domicile": "092"}, sites=[], measures=measures
            ),
        },
    )
    matters.complete(notice_id, version=2)
    query = f"?business_id={employer.business_id}"
    counts = {
        city: callers.of("pks", city, "officer").read(f"/v1/notices{query}")["items"][0]["affected"]
        for city in ("espoo", "vantaa")
    }
    assert counts == {"espoo": None, "vantaa": 3}
    assert callers.officer["espoo"].read(f"/v1/cases{query}")["items"][0]["affected"] is None
    assert found(callers.of("pks", "helsinki", "officer"), "/v1/notices", business_id=employer.business_id) == []


def test_an_officer_finds_the_own_cases_and_the_declined_ones(callers: Callers, employer: Employer) -> None:
    mine, declined = employer.file(), employer.file()
    vantaa = callers.officer["vantaa"]
    subject = "officer-31"
    own = callers.of("vantaa", "vantaa", "officer")
    vantaa.send(f"/v1/cases/{mine}/specialist", {"specialist": subject}, "PUT")
    query = {"business_id": employer.business_id}
    assert found(vantaa, "/v1/cases", **query, specialist=subject) == [mine]
    assert found(own, "/v1/cases", **query, mine=True) == []
    vantaa.send(f"/v1/cases/{declined}/decline", {"reason": "no_site_here"})
    assert found(vantaa, "/v1/cases", **query, declined=True) == [declined]
    wait_for(lambda: found(callers.coordinator, "/v1/notices", **query, declined=True) == [declined], "the decline")
    assert found(callers.coordinator, "/v1/notices", **query, declined=False) == [mine]


def test_every_place_of_one_notice_is_on_some_page_of_the_unrouted_queue(callers: Callers, matters: Matters) -> None:
    codes = ["901", "902", "903", "904", "905"]
    notice_id = callers.system.send(
        "/v1/notices", {"filing": proposal_json(sites=[{"municipality": code} for code in codes])}
    )["notice_id"]
    places, cursor = [], ""
    while True:
        page = callers.coordinator.read(f"/v1/unrouted?limit=2{cursor}")
        places += [line["municipality"] for line in page["items"] if line["notice_id"] == notice_id]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(places) == codes
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    assert matters.states(notice_id)


def test_what_the_employer_reduced_before_brings_a_small_one_into_scope_on_both_sides(
    callers: Callers, employer: Employer, matters: Matters
) -> None:
    twelve, nine = ([{"measure": "termination", "count": count}] for count in (12, 9))  # 20 within 90 days
    first = employer.file(staff=30, measures=twelve)
    assert callers.system.read(f"/v1/notices/{first}")["assessment"]["scope"] == "not_in_scope"
    second = employer.file(staff=30, measures=nine)
    assert callers.system.read(f"/v1/notices/{second}")["assessment"]["scope"] == "in_scope"
    assert matters.case("vantaa", second)["assessment"]["scope"] == "in_scope"
    callers.system.send(f"/v1/notices/{first}/withdrawal")
    assert callers.system.read(f"/v1/notices/{second}")["assessment"]["scope"] == "not_in_scope"
    employer_alone = {"business_id": employer.business_id, "regular_staff": 30}
    filing = proposal_json(employer=employer_alone, measures=nine)
    unknown = callers.officer["espoo"].send("/v1/notices", {"filing": filing})
    assert [number["code"] for number in unknown["assessment"]["missing_numbers"]] == ["earlier_reductions_missing"]
