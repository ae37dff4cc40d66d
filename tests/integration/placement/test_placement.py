"""Vacancies, three pools, referrals and offers through all offices, on the real broker and databases."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.client import Caller, Callers, has_read_everything, wait_for
from deploy.local.observing import records_on, spans_of
from deploy.local.processes import Child
from deploy.local.stack import CITIES, OFFICES, Stack
from shared.topics import expanded
from tests.support.filings import TEST_IDENTITY_CODE, termination_notice
from tests.support.placement import Placement, canary, vacancy


def problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:problem:{slug}"


async def query(stack: Stack, office: str, sql: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(stack.databases[office].url)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()


# -- vacancies and the feed


def test_a_vacancy_is_reported_once_and_shown_to_everyone(placement: Placement) -> None:
    key = uuid4().hex
    first = placement.system.post("/v1/vacancies", json={"vacancy": vacancy()}, headers={"Idempotency-Key": key})
    again = placement.system.post("/v1/vacancies", json={"vacancy": vacancy()}, headers={"Idempotency-Key": key})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["vacancy_id"] == again.json()["vacancy_id"]
    other = placement.system.post(
        "/v1/vacancies", json={"vacancy": vacancy(title="Muu")}, headers={"Idempotency-Key": key}
    )
    problem(other, 422, "idempotency-key-reused")
    draft = placement.system.post(
        "/v1/vacancies", json={"vacancy": vacancy(), "state": "draft"}, headers={"Idempotency-Key": key}
    )
    problem(draft, 422, "idempotency-key-reused")


def test_a_report_that_is_sent_again_after_a_revision_is_answered_as_at_first(placement: Placement) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first = placement.system.post("/v1/vacancies", json={"vacancy": vacancy()}, headers=key)
    vacancy_id = first.json()["vacancy_id"]
    revision = {"predecessor": 1, "vacancy": vacancy(title="Keittiömestari")}
    placement.system.send(f"/v1/vacancies/{vacancy_id}/revisions", revision)
    again = placement.system.post("/v1/vacancies", json={"vacancy": vacancy()}, headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    now = placement.system.read(f"/v1/vacancies/{vacancy_id}")
    assert (now["version"], now["revision"], now["vacancy"]["title"]) == (2, 2, "Keittiömestari")


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"employer": {"business_id": "2077474-1"}}, 422, "wrong-business-id"),
        ({"description": f"soita {TEST_IDENTITY_CODE}"}, 422, "personal-identity-code"),
        ({"title": None}, 422, "invalid-request"),
    ],
)
def test_a_vacancy_that_is_none_is_refused(placement: Placement, change: Any, status: int, slug: str) -> None:
    answer = placement.system.post("/v1/vacancies", json={"vacancy": vacancy(**change)})
    problem(answer, status, slug)
    assert TEST_IDENTITY_CODE not in answer.text


def test_the_feed_is_filtered_by_municipality_occupation_and_language(placement: Placement) -> None:
    code = "7212"
    here = placement.report(occupation={"scheme": "ISCO-08", "code": code}, municipality="049", language="sv")
    read = placement.system.read
    assert [one["vacancy_id"] for one in read(f"/v1/vacancies?occupation={code}")["items"]] == [here["vacancy_id"]]
    assert [one["vacancy_id"] for one in read("/v1/vacancies?occupation=72&municipality=049&language=sv")["items"]] == [
        here["vacancy_id"]
    ]
    assert read(f"/v1/vacancies?occupation={code}&municipality=091")["items"] == []
    assert read(f"/v1/vacancies?occupation={code}&language=en")["items"] == []


def test_a_reader_who_follows_the_change_stream_misses_nothing(placement: Placement) -> None:
    known: dict[str, str] = {}
    start = placement.system.read("/v1/vacancies?limit=200")
    cursor = start["changes"]
    reported = [placement.report()["vacancy_id"] for _ in range(5)]
    placement.move(reported[0], "paused")
    placement.move(reported[1], "filled")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and {known.get(one) for one in reported[:2]} != {"paused", "filled"}:
        page = placement.system.read(f"/v1/vacancies/changes?limit=2&cursor={cursor}")
        for one in page["items"]:
            known[one["vacancy_id"]] = one["state"]
            assert (one["vacancy"] is None) is (one["state"] != "open")
        cursor = page["next"]
    assert [known.get(one) for one in reported] == ["paused", "filled", "open", "open", "open"]


def test_the_same_page_of_the_feed_is_not_sent_again(placement: Placement) -> None:
    vacancy_id = placement.report()["vacancy_id"]
    first = placement.callers.coordinator.get(f"/v1/vacancies/{vacancy_id}")
    again = placement.callers.coordinator.get(
        f"/v1/vacancies/{vacancy_id}", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_stopped_advertisement_is_masked_for_others_and_a_draft_is_nobody_elses(
    placement: Placement, stack: Stack
) -> None:
    other = Caller(stack.url("placement", "pks"), stack.issuer.system("reader", "vacancies:read"))
    told = {"vacancy": vacancy(), "state": "draft"}
    draft = placement.system.send("/v1/vacancies", told)["vacancy_id"]
    assert other.get(f"/v1/vacancies/{draft}").status_code == 404
    placement.move(draft, "open")
    assert other.read(f"/v1/vacancies/{draft}")["vacancy"]["title"].startswith("Kokki")
    placement.move(draft, "filled")
    assert other.read(f"/v1/vacancies/{draft}")["vacancy"] is None
    problem(placement.system.put(f"/v1/vacancies/{draft}/state", json={"state": "open"}), 409, "invalid-state")
    problem(other.put(f"/v1/vacancies/{draft}/state", json={"state": "open"}), 403, "scope-needed")


def test_the_compacted_topic_holds_each_vacancys_newest_version_last(placement: Placement, stack: Stack) -> None:
    vacancy_id = placement.report()["vacancy_id"]
    placement.move(vacancy_id, "withdrawn")

    async def newest() -> dict[str, Any]:
        consumer = AIOKafkaConsumer(
            "shared.placement.vacancies.v1",
            bootstrap_servers=stack.kafka.bootstrap,
            auto_offset_reset="earliest",
            group_id=None,
        )
        await consumer.start()
        try:
            last: dict[str, Any] = {}
            async with asyncio.timeout(20):
                while last.get("status") != "withdrawn":
                    for records in (await consumer.getmany(timeout_ms=500)).values():
                        for record in records:
                            if record.key == vacancy_id.encode():
                                last = json.loads(record.value)
            return last
        finally:
            await consumer.stop()

    removed = asyncio.run(newest())
    assert datetime.fromisoformat(removed.pop("removed_at")) <= datetime.now(UTC)
    assert removed == {
        "type": "placement.vacancy-published.v1",
        "vacancy_id": vacancy_id,
        "version": 2,
        "status": "withdrawn",
    }


def test_another_systems_vacancy_comes_in_by_the_topic_and_a_bad_one_is_parked(
    placement: Placement, stack: Stack
) -> None:
    good, bad = str(uuid4()), str(uuid4())
    kind = "placement.vacancy-submitted.v1"

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap)
        await producer.start()
        for vacancy_id, told in ((good, vacancy()), (bad, vacancy(employer={"business_id": "1"}))):
            body = {"type": kind, "vacancy_id": vacancy_id, "vacancy": told}
            headers = [("ce_id", vacancy_id.encode()), ("ce_type", kind.encode()), ("ce_source", b"/systems/jobs")]
            for _ in range(2):
                await producer.send_and_wait(
                    "inbound.vacancies.v1", json.dumps(body).encode(), key=vacancy_id.encode(), headers=headers
                )
        await producer.stop()

    asyncio.run(send())
    wait_for(lambda: placement.callers.coordinator.get(f"/v1/vacancies/{good}").is_success, "the vacancy")
    assert placement.callers.coordinator.read(f"/v1/vacancies/{good}")["version"] == 1
    operator = placement.callers.operator
    (parked,) = wait_for(lambda: operator.read("/v1/parked?state=parked")["items"], "the parked record")
    assert parked["code"] == "wrong-business-id"
    operator.send(f"/v1/parked/{parked['id']}/discard", {"reason": "the sender was told"})
    for held in operator.read("/v1/parked?state=parked")["items"]:
        operator.send(f"/v1/parked/{held['id']}/discard", {"reason": "the sender was told"})


# -- three pools


def test_three_pools_answer_and_every_candidate_is_explained(placement: Placement) -> None:
    assignment_id = placement.ask(placement.report()["vacancy_id"], at_most=5)
    found = placement.complete(assignment_id)
    assert found["missing_pools"] == []
    assert {pool["office"]: pool["state"] for pool in found["pools"]} == dict.fromkeys(sorted(CITIES), "answered")
    assert {one["office"] for one in found["candidates"]} == set(CITIES)
    assert len(found["candidates"]) == 15
    scores = [one["score"] for one in found["candidates"]]
    assert scores == sorted(scores, reverse=True)
    for one in found["candidates"]:
        assert sum(reason["points"] for reason in one["reasons"]) == one["score"]
        assert len(one["reasons"]) == 5


def test_asking_again_gives_the_same_candidates_in_the_same_order(placement: Placement) -> None:
    vacancy_id = placement.report()["vacancy_id"]
    first, second = (placement.complete(placement.ask(vacancy_id))["candidates"] for _ in range(2))
    assert first == second


def test_references_of_two_cities_have_nothing_in_common(placement: Placement) -> None:
    found = placement.complete(placement.ask(placement.report()["vacancy_id"], at_most=50))
    references = [one["reference"] for one in found["candidates"]]
    assert len(references) == len(set(references))
    assert not any(city in reference for reference in references for city in CITIES)


def test_a_city_that_is_down_is_named_and_its_answer_merged_later(placement: Placement, stack: Stack) -> None:
    vantaa = stack.child("placement", "vantaa")
    vantaa.stop()
    try:
        assignment_id = placement.ask(placement.report()["vacancy_id"], answer_within_seconds=2)
        wait_for(lambda: placement.answers(assignment_id)["missing_pools"] == ["vantaa"], "two answers")
        partial = placement.answers(assignment_id)
        assert partial["complete"] is False
        assert {one["office"] for one in partial["candidates"]} == {"helsinki", "espoo"}
        wait_for(lambda: _state(placement, assignment_id, "vantaa") == "did_not_answer", "the deadline")
    finally:
        vantaa.start()
        stack.wait_ready("placement", "vantaa")
    whole = placement.complete(assignment_id, 60)
    assert {one["office"] for one in whole["candidates"]} == set(CITIES)
    assert _state(placement, assignment_id, "vantaa") == "answered_late"


def test_a_city_killed_in_the_middle_of_its_answers_doubles_and_loses_none(placement: Placement, stack: Stack) -> None:
    vacancy_id = placement.report()["vacancy_id"]
    espoo = stack.child("placement", "espoo")
    asked = []
    for number in range(30):
        asked.append(placement.ask(vacancy_id, at_most=10))
        if number in {10, 20}:
            espoo.kill()
            espoo.start()
    stack.wait_ready("placement", "espoo")
    for assignment_id in asked:
        found = placement.complete(assignment_id, 60)
        assert len([one for one in found["candidates"] if one["office"] == "espoo"]) == 10
    sent = asyncio.run(
        query(
            stack,
            "espoo",
            "SELECT key, count(*) AS n FROM placement.outbox WHERE type LIKE '%candidates-answered%' AND key = ANY($1)"
            " GROUP BY key",
            asked,
        )
    )
    assert {row["key"]: row["n"] for row in sent} == dict.fromkeys(asked, 1)


def test_a_pools_first_answer_counts(placement: Placement, stack: Stack) -> None:
    assignment_id = placement.ask(placement.report()["vacancy_id"], at_most=2)
    first = placement.complete(assignment_id)["candidates"]

    async def answer_again() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap)
        await producer.start()
        body = {
            "type": "placement.candidates-answered.v1",
            "assignment_id": assignment_id,
            "office": "vantaa",
            "considered": 0,
            "candidates": [],
            "answered_at": "2026-11-24T07:00:00Z",
        }
        kind = str(body["type"]).encode()
        headers = [("ce_id", uuid4().hex.encode()), ("ce_type", kind), ("ce_source", b"/x")]
        await producer.send_and_wait(
            "from.vantaa.placement.v1", json.dumps(body).encode(), key=assignment_id.encode(), headers=headers
        )
        await producer.stop()

    asyncio.run(answer_again())
    wait_for(lambda: has_read_everything(placement.callers.operator), "the joint office to read the second answer")
    assert placement.answers(assignment_id)["candidates"] == first


def test_an_assignment_needs_an_open_vacancy(placement: Placement) -> None:
    vacancy_id = placement.report()["vacancy_id"]
    placement.move(vacancy_id, "paused")
    problem(
        placement.callers.coordinator.post("/v1/assignments", json={"vacancy_id": vacancy_id}), 409, "invalid-state"
    )
    nobody = placement.callers.coordinator.post("/v1/assignments", json={"vacancy_id": str(uuid4())})
    problem(nobody, 404, "not-found")


def test_why_a_jobseeker_is_not_matched_is_told_to_the_owning_citys_officer_alone(placement: Placement) -> None:
    assignment_id = placement.ask(placement.report()["vacancy_id"], at_most=1)
    placement.complete(assignment_id)
    helsinki = placement.callers.officer["helsinki"]
    verdicts = {
        helsinki.read(f"/v1/assignments/{assignment_id}/why/helsinki-{number:06d}")["verdict"] for number in range(60)
    }
    assert any("no occupation" in verdict for verdict in verdicts)
    assert any("others score" in verdict for verdict in verdicts)
    foreign = placement.callers.of("helsinki", "vantaa", "officer")
    problem(foreign.get(f"/v1/assignments/{assignment_id}/why/helsinki-000001"), 403, "other-authority")


# -- consent, contact, offers


def candidate_of(placement: Placement, city: str) -> tuple[str, dict[str, Any]]:
    assignment_id = placement.ask(placement.report()["vacancy_id"], at_most=3)
    found = placement.complete(assignment_id)
    return assignment_id, next(one for one in found["candidates"] if one["office"] == city)


def test_name_and_contact_come_after_consent_by_a_logged_query_to_the_owning_city(placement: Placement) -> None:
    assignment_id, candidate = candidate_of(placement, "vantaa")
    referral_id = placement.refer(assignment_id, candidate)
    path = f"/v1/referrals/{referral_id}/contact-queries"
    asker = placement.callers.of(
        "vantaa", "helsinki", "officer"
    )  # the requesting authority's officer, at Vantaa's door
    problem(asker.post(path, json={"purpose": "yhteydenotto"}), 403, "no-consent")
    vantaa = placement.callers.officer["vantaa"]
    vantaa.send(f"/v1/referrals/{referral_id}/consent", {"consented": True, "how": "phone"})
    placement.wait_referral(referral_id, state="consented")
    contact = asker.send(path, {"purpose": "yhteydenotto"})
    assert canary("vantaa") in contact["name"]
    stranger = placement.callers.of("vantaa", "espoo", "officer")
    problem(stranger.post(path, json={"purpose": "uteliaisuus"}), 404, "not-found")
    log = vantaa.read(path)["items"]
    assert [(one["authority"], one["answered"]) for one in log] == [("helsinki", False), ("helsinki", True)]
    problem(asker.get(path), 403, "other-authority")
    again = placement.callers.coordinator.post(
        f"/v1/assignments/{assignment_id}/referrals",
        json={"office": "vantaa", "reference": candidate["reference"], "purpose": "uudestaan"},
    )
    problem(again, 409, "invalid-state")


def test_without_consent_there_is_no_offer_and_no_contact(placement: Placement) -> None:
    assignment_id, candidate = candidate_of(placement, "espoo")
    referral_id = placement.refer(assignment_id, candidate)
    espoo = placement.callers.officer["espoo"]
    espoo.send(f"/v1/referrals/{referral_id}/consent", {"consented": False})
    placement.wait_referral(referral_id, state="declined")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    offer = {"binding": True, "answer_by": tomorrow}
    problem(placement.callers.coordinator.post(f"/v1/referrals/{referral_id}/offers", json=offer), 409, "invalid-state")
    changed = espoo.post(f"/v1/referrals/{referral_id}/consent", json={"consented": True, "how": "phone"})
    problem(changed, 409, "invalid-state")


def test_a_candidate_nobody_answered_with_cannot_be_referred(placement: Placement) -> None:
    assignment_id, candidate = candidate_of(placement, "espoo")
    told = {"office": "vantaa", "reference": candidate["reference"], "purpose": "väärä kaupunki"}
    problem(
        placement.callers.coordinator.post(f"/v1/assignments/{assignment_id}/referrals", json=told), 404, "not-found"
    )


@pytest.mark.parametrize(("accepted", "state"), [(True, "accepted"), (False, "declined")])
def test_a_job_offer_is_answered_once_and_the_outcome_told_back(
    placement: Placement, stack: Stack, state: str, *, accepted: bool
) -> None:
    referral_id, offer_id = _offered(placement, "helsinki", timedelta(days=1))
    helsinki = placement.callers.officer["helsinki"]
    helsinki.send(f"/v1/offers/{offer_id}/answer", {"accepted": accepted})
    helsinki.send(f"/v1/offers/{offer_id}/answer", {"accepted": accepted})
    problem(helsinki.post(f"/v1/offers/{offer_id}/answer", json={"accepted": not accepted}), 409, "invalid-state")
    wait_for(lambda: _offer_state(placement, referral_id) == state, "the answer")
    outcome = "hired" if accepted else "not_hired"
    placement.callers.coordinator.send(f"/v1/referrals/{referral_id}/outcome", {"outcome": outcome})

    def told() -> bool:
        rows = asyncio.run(
            query(stack, "helsinki", "SELECT outcome FROM placement.own_referral WHERE referral_id = $1", referral_id)
        )
        return bool(rows[0]["outcome"] == outcome)

    wait_for(told, "the outcome in the owning city")


def test_an_offer_that_is_not_answered_expires_at_the_owning_city(placement: Placement) -> None:
    referral_id, offer_id = _offered(placement, "espoo", timedelta(seconds=2))
    wait_for(lambda: _offer_state(placement, referral_id) == "expired", "the expiry")
    late = placement.callers.officer["espoo"].post(f"/v1/offers/{offer_id}/answer", json={"accepted": True})
    problem(late, 409, "invalid-state")


def _offered(placement: Placement, city: str, within: timedelta) -> tuple[str, str]:
    assignment_id, candidate = candidate_of(placement, city)
    referral_id = placement.refer(assignment_id, candidate)
    officer = placement.callers.officer[city]
    officer.send(f"/v1/referrals/{referral_id}/consent", {"consented": True, "how": "phone"})
    placement.wait_referral(referral_id, state="consented")
    offer = {"binding": True, "answer_by": (datetime.now(UTC) + within).isoformat()}
    found = placement.callers.coordinator.send(f"/v1/referrals/{referral_id}/offers", offer)
    offer_id = found["offers"][0]["offer_id"]
    second = placement.callers.coordinator.post(f"/v1/referrals/{referral_id}/offers", json=offer)
    assert second.status_code == 409

    def arrived() -> bool:
        url = placement.stack
        return bool(asyncio.run(query(url, city, "SELECT 1 FROM placement.own_offer WHERE offer_id = $1", offer_id)))

    wait_for(arrived, "the offer in the owning city")
    return referral_id, offer_id


def _offer_state(placement: Placement, referral_id: str) -> str:
    return str(placement.callers.coordinator.read(f"/v1/referrals/{referral_id}")["offers"][0]["state"])


def _state(placement: Placement, assignment_id: str, office: str) -> str:
    pools = placement.answers(assignment_id)["pools"]
    return str(next(pool["state"] for pool in pools if pool["office"] == office))


# -- expected supply


def test_what_change_security_expects_to_be_released_raises_the_supply_and_suggests_employers(
    placement: Placement, stack: Stack
) -> None:
    vacancy_id = placement.report(occupation={"scheme": "ISCO-08", "code": "8219"})["vacancy_id"]
    employer = Callers(stack, "change_security").system
    filing = termination_notice(40, 3).model_dump(mode="json")  # 8210 and 8211, in Vantaa
    coordinator = placement.callers.coordinator

    def known() -> int:
        found = coordinator.read("/v1/supply?occupation=8210&municipality=092")["items"]
        return int(found[0]["known"]) if found else 0

    start = known()
    notice_id = employer.send("/v1/notices", {"filing": filing})["notice_id"]
    wait_for(lambda: known() == start + 40, "the supply")
    masked = wait_for(lambda: coordinator.read("/v1/supply?occupation=8211")["items"], "the masked supply")
    assert masked[0]["masked_groups"] >= 1
    suggested = coordinator.read("/v1/supply/suggestions?occupation=821")["items"]
    assert vacancy_id in {one["vacancy_id"] for line in suggested for one in line["vacancies"]}
    employer.send(f"/v1/notices/{notice_id}/withdrawal")
    wait_for(lambda: known() == start, "the withdrawal to take it back")


# -- expiry


def test_a_vacancy_whose_last_day_has_gone_expires(placement: Placement) -> None:
    vacancy_id = placement.report(expires_on="2026-01-01")["vacancy_id"]
    wait_for(
        lambda: placement.callers.coordinator.read(f"/v1/vacancies/{vacancy_id}")["state"] == "expired", "the expiry"
    )


# -- the pool


def test_an_import_reports_what_it_took_and_what_it_refused(stack: Stack, tmp_path: Any) -> None:
    file = tmp_path / "profiles.csv"
    file.write_text(
        "jobseeker_id,name,municipality,occupations,removed\n"
        "imported-1,Aino Esimerkki,092,2144,\nimported-2,Eero Mallinen,92,2144,\nimported-9,,,,true\n"
    )
    import sys

    imported = Child(
        "import",
        [sys.executable, "-m", "services.placement", "import-jobseekers", str(file)],
        stack.logs / "import-jobseekers.log",
        env=stack.environment("vantaa"),
    )
    imported.start()
    wait_for(lambda: not imported.running, "the import")
    log = imported.log.read_text()
    assert "1 taken, 1 removed, 1 refused" in log
    assert "Mallinen" not in log
    rows = asyncio.run(query(stack, "vantaa", "SELECT name FROM placement.jobseeker WHERE jobseeker_id = 'imported-1'"))
    assert len(rows) == 1
    file.write_text(f"jobseeker_id,name,municipality,occupations\nimported-3,{TEST_IDENTITY_CODE},092,2144\n")
    imported.start()
    wait_for(lambda: not imported.running, "the import")
    assert "contains a personal identity code" in imported.log.read_text()


def test_a_profile_is_written_and_removed_by_the_own_officer(placement: Placement) -> None:
    told = {"name": "Aino Esimerkki", "municipality": "091", "occupations": ["2144"]}
    helsinki = placement.callers.officer["helsinki"]
    written = helsinki.put("/v1/jobseekers/new-1", json=told)
    assert written.status_code == 200
    assert written.json()["occupations"] == ["2144"]
    assert "Aino" not in written.text
    problem(helsinki.put("/v1/jobseekers/new-1", json=told | {"occupations": ["kokki"]}), 422, "invalid-request")
    assert helsinki.http.delete("/v1/jobseekers/new-1").status_code == 204
    problem(helsinki.http.delete("/v1/jobseekers/new-1"), 404, "not-found")
    foreign = placement.callers.of("helsinki", "espoo", "officer")
    problem(foreign.put("/v1/jobseekers/new-1", json=told), 403, "other-authority")


# -- the border (last: it looks at all that the tests above have sent)


def test_nothing_personal_of_one_city_stands_in_another_on_a_topic_in_a_log_or_in_a_span(
    placement: Placement, stack: Stack
) -> None:
    assignment_id, candidate = candidate_of(placement, "vantaa")
    referral_id = placement.refer(assignment_id, candidate)
    placement.callers.officer["vantaa"].send(
        f"/v1/referrals/{referral_id}/consent", {"consented": True, "how": "phone"}
    )
    placement.wait_referral(referral_id, state="consented")
    canaries = {city: canary(city).encode() for city in CITIES}

    async def tables(office: str) -> set[tuple[str, str]]:
        connection = await asyncpg.connect(stack.databases[office].url)
        try:
            found = set()
            for row in await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('placement', 'change_security')"
            ):
                for city, one in canaries.items():
                    if await connection.fetchval(
                        f"SELECT EXISTS (SELECT FROM {row['schemaname']}.{row['tablename']} AS t"
                        " WHERE position($1 IN t::text) > 0 OR position(encode($2, 'hex') IN t::text) > 0)",
                        one.decode(),
                        one,
                    ):
                        found.add((city, row["tablename"]))
            return found
        finally:
            await connection.close()

    where = {office: asyncio.run(tables(office)) for office in OFFICES}
    assert where == {"pks": set(), **{city: {(city, "jobseeker")} for city in CITIES}}

    async def on_topics() -> set[str]:
        records = await records_on(stack, *expanded(CITIES))
        assert len(records) > 100
        return {
            f"{city} on {record.topic}"
            for record in records
            for city, one in canaries.items()
            if one in (record.value or b"") + (record.key or b"") + repr(record.headers).encode()
        }

    assert asyncio.run(on_topics()) == set()
    logs = "".join(path.read_text() for path in stack.logs.iterdir())
    assert not any(one.decode() in logs for one in canaries.values())
    trace_id = placement.answers(assignment_id)["trace_id"]
    spans = wait_for(lambda: spans_of(stack, trace_id), "the trace", 20)
    assert not any(one.decode() in str(spans) for one in canaries.values())
