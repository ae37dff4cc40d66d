"""Consent that ends, positions that are filled, the own pool, through the real offices."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deploy.local.client import wait_for
from deploy.local.processes import Child
from deploy.local.stack import Stack
from tests.support.placement import Placement, canary, vacancy


def problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:problem:{slug}"


def referred(placement: Placement, city: str, **changes: Any) -> tuple[str, str, dict[str, Any]]:
    """A vacancy, and a candidate of the city who consents to be referred to it."""
    vacancy_id = placement.report(**changes)["vacancy_id"]
    assignment_id = placement.ask(vacancy_id, at_most=3)
    candidates = placement.complete(assignment_id)["candidates"]
    candidate = next(one for one in candidates if one["office"] == city)
    referral_id = placement.refer(assignment_id, candidate)
    consent = {"consented": True, "how": "phone", "until": "2030-01-31"}
    placement.callers.officer[city].send(f"/v1/referrals/{referral_id}/consent", consent)
    return vacancy_id, referral_id, candidate


def offered(placement: Placement, city: str, referral_id: str, *, binding: bool = True) -> str:
    """An offer that the owning city has."""
    offer = {"binding": binding, "answer_by": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    made = placement.callers.coordinator.send(f"/v1/referrals/{referral_id}/offers", offer)
    officer = placement.callers.officer[city]
    wait_for(lambda: officer.read(f"/v1/referrals/{referral_id}")["offers"], "the offer in the owning city")
    return str(made["offers"][-1]["offer_id"])


def test_withdrawn_consent_ends_access_and_open_offers_and_the_joint_office_shows_it(placement: Placement) -> None:
    _, referral_id, _ = referred(placement, "vantaa")
    shown = placement.wait_referral(referral_id, state="consented")
    assert shown["consent_until"] == "2030-01-31"
    offer_id = offered(placement, "vantaa", referral_id)
    asker = placement.callers.of("vantaa", "helsinki", "officer")
    path = f"/v1/referrals/{referral_id}/contact-queries"
    assert asker.post(path, json={"purpose": "yhteydenotto"}).status_code == 201
    vantaa = placement.callers.officer["vantaa"]
    mistyped = vantaa.post(f"/v1/referrals/{referral_id}/consent-withdrawal", json={"how": "phone", "reson": "x"})
    problem(mistyped, 422, "invalid-request")
    withdrawn = vantaa.send(f"/v1/referrals/{referral_id}/consent-withdrawal", {"how": "in_person"})
    problem(asker.post(path, json={"purpose": "yhteydenotto"}), 403, "no-consent")
    assert [query["answered"] for query in vantaa.read(path)["items"]] == [True, False]
    (consent,) = withdrawn["consents"]
    assert (consent["how"], consent["until"], consent["ended_how"]) == ("phone", "2030-01-31", "in_person")
    assert [(one["offer_id"], one["state"]) for one in withdrawn["offers"]] == [(offer_id, "withdrawn")]
    ended = placement.wait_referral(referral_id, state="consent_withdrawn")
    assert ended["consent_ended_at"] is not None
    assert [one["state"] for one in ended["offers"]] == ["withdrawn"]
    listed = placement.callers.coordinator.read("/v1/referrals?state=consent_withdrawn&ended=false&limit=200")["items"]
    assert referral_id in {one["referral_id"] for one in listed}
    vantaa.send(f"/v1/referrals/{referral_id}/consent", {"consented": True, "how": "digital"})
    placement.wait_referral(referral_id, state="consented", consent_ended_at=None)


def test_a_hiring_fills_the_vacancy_and_the_pool_says_whether_the_jobseeker_stays(placement: Placement) -> None:
    vacancy_id, referral_id, candidate = referred(placement, "espoo", positions=1)
    placement.wait_referral(referral_id, state="consented")
    coordinator, espoo = placement.callers.coordinator, placement.callers.officer["espoo"]
    coordinator.send(f"/v1/referrals/{referral_id}/outcome", {"outcome": "hired"})
    filled = coordinator.read(f"/v1/vacancies/{vacancy_id}")
    assert (filled["state"], filled["open_positions"], filled["removed"]["reason"]) == ("filled", 0, "filled")

    def asked() -> list[Any]:
        rows = espoo.read("/v1/referrals?stay=asked&limit=200")["items"]
        return [one for one in rows if one["referral_id"] == referral_id]

    (question,) = wait_for(asked, "the question")
    jobseeker = f"/v1/jobseekers/{question['jobseeker_id']}"
    espoo.send(f"/v1/referrals/{referral_id}/stay", {"stays": False})
    assert espoo.read(jobseeker)["active"] is False
    again = placement.complete(placement.ask(placement.report()["vacancy_id"], at_most=200))["candidates"]
    assert candidate["reference"] not in {one["reference"] for one in again}
    correction = {"outcome": "not_hired", "corrects": "hired"}
    coordinator.send(f"/v1/referrals/{referral_id}/outcome", correction)
    assert coordinator.read(f"/v1/vacancies/{vacancy_id}")["state"] == "open"
    wait_for(lambda: espoo.read(jobseeker)["active"], "the jobseeker to be back in the pool")


def test_a_binding_offers_answer_has_its_consequence_in_the_owning_city(placement: Placement) -> None:
    _, referral_id, _ = referred(placement, "helsinki")
    placement.wait_referral(referral_id, state="consented")
    offer_id = offered(placement, "helsinki", referral_id)
    helsinki = placement.callers.officer["helsinki"]
    helsinki.send(f"/v1/offers/{offer_id}/answer", {"accepted": False})

    def open_ones() -> list[Any]:
        return [one for one in helsinki.read("/v1/offers/consequences")["items"] if one["offer_id"] == offer_id]

    (offer,) = wait_for(open_ones, "the consequence")
    assert (offer["consequence"], offer["rule_certainty"]) == ("assess_unemployment_security", "to_be_checked")
    helsinki.send(f"/v1/offers/{offer_id}/consequence-handling", {"handled": True})
    assert open_ones() == []


def test_the_own_city_lists_and_reads_its_pool_without_names_and_resolves_references(placement: Placement) -> None:
    vantaa = placement.callers.officer["vantaa"]
    first = vantaa.get("/v1/jobseekers?occupation=51&active=true&limit=2")
    page = first.json()
    assert len(page["items"]) == 2
    assert canary("vantaa") not in first.text
    following = vantaa.read(f"/v1/jobseekers?occupation=51&active=true&limit=2&cursor={page['next']}")["items"]
    assert not {one["jobseeker_id"] for one in following} & {one["jobseeker_id"] for one in page["items"]}
    jobseeker = vantaa.read(f"/v1/jobseekers/{page['items'][0]['jobseeker_id']}")
    assert any(code.startswith("51") for code in jobseeker["occupations"])
    purpose = {"purpose": "kutsu koulutukseen"}
    resolved = vantaa.send(f"/v1/references/{jobseeker['reference']}/resolutions", purpose)
    assert resolved["jobseeker_id"] == jobseeker["jobseeker_id"]
    assert canary("vantaa") in resolved["name"]
    path = f"/v1/jobseekers/{jobseeker['jobseeker_id']}/contact-queries"
    vantaa.send(path, purpose)
    assert [one["answered"] for one in vantaa.read(path)["items"]] == [True, True]
    stranger = placement.callers.of("vantaa", "helsinki", "officer")
    problem(stranger.get("/v1/jobseekers"), 403, "other-authority")
    problem(stranger.post(f"/v1/references/{jobseeker['reference']}/resolutions", json=purpose), 403, "other-authority")
    problem(vantaa.post("/v1/references/nobody/resolutions", json=purpose), 404, "not-found")


def test_a_uri_of_the_imported_classification_finds_candidates_and_another_is_refused(
    placement: Placement, stack: Stack, tmp_path: Any
) -> None:
    cook = "http://data.europa.eu/esco/occupation/90f75f67-495d-49fa-ab57-2f320e251d7e"
    uri = {"scheme": "ESCO", "code": cook}
    unknown = placement.system.post("/v1/vacancies", json={"vacancy": vacancy(occupation=uri)})
    problem(unknown, 422, "unknown-occupation")
    file = tmp_path / "occupations_en.csv"
    file.write_text(f'conceptUri,iscoGroup,preferredLabel,altLabels\n{cook},5120,cook,"chef\nhead cook"\nx,5120,y,\n')
    imported = Child(
        "classification",
        [sys.executable, "-m", "services.placement", "import-occupations", str(file)],
        stack.logs / "import-occupations.log",
        env=stack.environment("pks"),
    )
    imported.start()
    wait_for(lambda: not imported.running, "the import")
    assert "1 taken, 1 refused" in imported.log.read_text()
    reported = placement.report(occupation=uri)
    assert reported["isco"] == "5120"
    found = placement.complete(placement.ask(reported["vacancy_id"], at_most=2))
    assert len(found["candidates"]) == 6


def test_an_assignment_without_candidates_says_why_and_can_be_refreshed(placement: Placement) -> None:
    vacancy_id = placement.report(occupation={"scheme": "ISCO-08", "code": "0110"})["vacancy_id"]
    assignment_id = placement.ask(vacancy_id)
    found = placement.complete(assignment_id)
    assert found["candidates"] == []
    assert {pool["why_none"] for pool in found["pools"]} == {"no-near-occupation"}
    assert all(pool["stages"]["profiles"] > 0 for pool in found["pools"])
    again = placement.callers.coordinator.send(f"/v1/assignments/{assignment_id}/refreshes")
    assert (again["refreshes"], again["complete"]) == (assignment_id, False)
    placement.complete(again["assignment_id"])
    listed = placement.callers.coordinator.read(f"/v1/vacancies/{vacancy_id}/assignments")["items"]
    assert [one["assignment_id"] for one in listed] == [again["assignment_id"], assignment_id]


def test_a_missing_obligatory_language_shows_as_such(placement: Placement) -> None:
    vacancy_id = placement.report(languages=["xx", "sv"])["vacancy_id"]
    candidates = placement.complete(placement.ask(vacancy_id, at_most=5))["candidates"]
    reasons = [next(one for one in each["reasons"] if one["factor"] == "languages") for each in candidates]
    assert len(reasons) == 15
    assert all("xx" in (reason["missing"] or ()) and "missing: " in reason["why"] for reason in reasons)


def test_a_vacancy_that_is_withdrawn_takes_its_open_offers_back_and_so_does_the_end_of_a_referral(
    placement: Placement,
) -> None:
    espoo, coordinator = placement.callers.officer["espoo"], placement.callers.coordinator
    vacancy_id, referral_id, _ = referred(placement, "espoo")
    placement.wait_referral(referral_id, state="consented")
    offer_id = offered(placement, "espoo", referral_id)
    taken_back = coordinator.send(f"/v1/referrals/{referral_id}/offers/{offer_id}/withdrawal", {})
    assert [one["state"] for one in taken_back["offers"]] == ["withdrawn"]
    offer = {"binding": True, "answer_by": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    coordinator.send(f"/v1/referrals/{referral_id}/offers", offer)
    placement.move(vacancy_id, "withdrawn")

    def closed() -> bool:
        offers = espoo.read(f"/v1/referrals/{referral_id}")["offers"]
        return [one["state"] for one in offers] == ["withdrawn", "withdrawn"]

    wait_for(closed, "both offers to be closed")
    assert [one["state"] for one in coordinator.read(f"/v1/referrals/{referral_id}")["offers"]] == ["withdrawn"] * 2
    problem(coordinator.post(f"/v1/referrals/{referral_id}/offers", json=offer), 409, "vacancy-withdrawn")
    coordinator.send(f"/v1/referrals/{referral_id}/outcome", {"outcome": "not_hired"})
    wait_for(lambda: espoo.read(f"/v1/referrals/{referral_id}")["consents"][0]["ended_at"], "the end of the consent")
    assert [one for one in espoo.read("/v1/offers/consequences")["items"] if one["referral_id"] == referral_id] == []
