"""The HTTP APIs as their callers see them."""

import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.client import Caller, Callers
from deploy.local.issuer import Issuer
from deploy.local.sample_data import proposal_json
from deploy.local.stack import Stack
from tests.support.filings import ARRIVED, BAD_BUSINESS_ID, TEST_IDENTITY_CODE
from tests.support.matters import Matters


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Check that an answer is this problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"urn:problem:{slug}"
    assert body["status"] == status
    return dict(body)


def body(**changes: Any) -> dict[str, Any]:
    return {"filing": proposal_json(**changes)}


def test_a_filed_notice_is_answered_after_commit_and_can_be_read_at_once(callers: Callers) -> None:
    answer = callers.system.post("/v1/notices", json=body())
    assert answer.status_code == 201
    notice = callers.system.read(answer.headers["location"])
    assert notice["state"] == "open"
    assert notice["missing"] == []
    clocks = {clock["name"]: clock for clock in notice["assessment"]["clocks"]}
    assert clocks["earliest_end_of_employment"]["to_be_checked"] is True


def test_a_filing_with_fields_missing_is_accepted_and_they_are_listed(callers: Callers) -> None:
    least = {"filing": {"kind": "negotiation_proposal", "employer": {"business_id": "2077474-0"}}}
    answer = callers.system.post("/v1/notices", json=least)
    assert answer.status_code == 201
    notice = answer.json()
    assert "/negotiations/starts_at" in notice["missing"]
    assert notice["completion_asked_at"] == notice["registered_at"]
    path = f"/v1/notices/{notice['notice_id']}/revisions"
    completed = callers.system.send(path, {"predecessor": 1, "filing": proposal_json()})
    assert (completed["missing"], completed["completion_asked_at"]) == ([], None)


def test_what_is_not_a_notice_is_refused_and_nothing_of_it_echoed(callers: Callers) -> None:
    answer = callers.system.post("/v1/notices", json={"filing": {"kind": "salaisuus"}})
    told = problem(answer, 422, "invalid-request")
    assert {error["pointer"] for error in told["errors"]} == {"/filing/kind", "/filing/employer"}
    assert "salaisuus" not in answer.text


def test_broken_json_is_a_problem_too(callers: Callers) -> None:
    answer = callers.system.post("/v1/notices", content=b"{", headers={"content-type": "application/json"})
    problem(answer, 422, "invalid-request")


def test_a_wrong_business_id_is_refused(callers: Callers) -> None:
    answer = callers.system.post("/v1/notices", json=body(employer={"business_id": BAD_BUSINESS_ID}))
    told = problem(answer, 422, "wrong-business-id")
    assert told["errors"] == [{"pointer": "/filing/employer/business_id", "code": "wrong-business-id"}]


@pytest.mark.parametrize("place", ["known", "unknown", "escaped"])
def test_a_personal_identity_code_anywhere_is_refused_and_not_echoed(callers: Callers, place: str) -> None:
    told = body()
    if place == "known":
        told["filing"]["negotiations"]["matters"] = f"koskee {TEST_IDENTITY_CODE}"
    else:
        told["somewhere"] = [{"deep": TEST_IDENTITY_CODE}]
    content = json.dumps(told)
    if place == "escaped":
        content = content.replace("131052", "\\u0031\\u0033\\u0031052")
    answer = callers.system.post("/v1/notices", content=content, headers={"content-type": "application/json"})
    problem(answer, 422, "personal-identity-code")
    assert TEST_IDENTITY_CODE not in answer.text


def test_a_nul_character_is_refused_before_any_store_sees_it(callers: Callers) -> None:
    content = json.dumps(body()).replace("Helsinki", "Hel\\u0000sinki")
    answer = callers.system.post("/v1/notices", content=content, headers={"content-type": "application/json"})
    problem(answer, 422, "nul-character")


def test_the_same_key_with_the_same_body_has_one_effect(callers: Callers, matters: Matters) -> None:
    first = callers.system.post("/v1/notices", json=body(), headers={"Idempotency-Key": matters.unique})
    again = callers.system.post("/v1/notices", json=body(), headers={"Idempotency-Key": matters.unique})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert matters.complete(first.json()["notice_id"])["version"] == 1


def test_the_same_key_with_another_body_is_refused(callers: Callers, matters: Matters) -> None:
    callers.system.post("/v1/notices", json=body(), headers={"Idempotency-Key": matters.unique})
    other = callers.system.post("/v1/notices", json=body(sites=[]), headers={"Idempotency-Key": matters.unique})
    problem(other, 422, "idempotency-key-reused")


def test_the_same_key_sent_at_the_same_time_has_one_effect(callers: Callers, matters: Matters) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: callers.system.post("/v1/notices", json=body(), headers={"Idempotency-Key": matters.unique}),
                range(8),
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["notice_id"] for answer in answers}) == 1


@pytest.mark.parametrize("office", ["pks", "vantaa"])
def test_every_act_with_a_key_has_one_effect(callers: Callers, matters: Matters, office: str) -> None:
    """A revision sent twice would be stale the second time; with its key it is answered as at first."""
    caller, kind = (callers.coordinator, "notices") if office == "pks" else (callers.officer[office], "cases")
    filed = caller.post("/v1/notices", json=body(), headers={"Idempotency-Key": f"{matters.unique}-1"})
    path = f"/v1/{kind}/{filed.json()['notice_id']}/revisions"
    revision = {"predecessor": 1, "filing": proposal_json(sites=[{"municipality": "092"}])}
    first, again = (
        caller.post(path, json=revision, headers={"Idempotency-Key": f"{matters.unique}-2"}) for _ in range(2)
    )
    assert (first.status_code, first.json()["revision"]) == (200, 2)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = caller.post(path, json=revision | {"predecessor": 2}, headers={"Idempotency-Key": f"{matters.unique}-2"})
    problem(other, 422, "idempotency-key-reused")
    problem(caller.post(path, json=revision), 409, "stale-predecessor")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_256_kib_is_refused_before_it_is_parsed(callers: Callers, *, announced: bool) -> None:
    content = b'{"filing": "' + b"x" * 262_144 + b'"}'
    sent: Any = content if announced else iter([content[:100_000], content[100_000:]])
    answer = callers.system.post("/v1/notices", content=sent, headers={"content-type": "application/json"})
    problem(answer, 413, "body-too-large")


# -- who may call


def test_without_a_token_every_route_answers_401(stack: Stack) -> None:
    for office in ("pks", "vantaa"):
        anyone = Caller(stack.url("change_security", office), None)
        paths = anyone.read("/openapi.json")["paths"]
        assert len(paths) > 8
        for path, methods in paths.items():
            for method in methods:
                answer = anyone.http.request(method, path.replace("{notice_id}", str(uuid4())), json={"code": "x"})
                if path.endswith("/{token}"):  # the pages of letters: their link is all that there is
                    problem(answer, 404, "not-found")
                    continue
                problem(answer, 401, "unauthenticated")
                assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_of_another_issuer_or_expired_or_for_another_audience_is_refused(stack: Stack) -> None:
    other = Issuer()
    other.name = stack.issuer.name
    base = stack.url("change_security", "pks")
    for token in (
        other.officer("helsinki", "coordinator"),
        stack.issuer.officer("helsinki", "coordinator", lifetime=-60),
        "not.a.token",
        "e30.e30.",
    ):
        problem(Caller(base, token).get("/v1/notices"), 401, "unauthenticated")


def test_another_citys_officer_may_not_use_a_citys_api(callers: Callers) -> None:
    foreign = callers.of("vantaa", "helsinki", "officer", "coordinator", "operator")
    for path in ("/v1/cases", "/v1/parked", f"/v1/cases/{uuid4()}"):
        problem(foreign.get(path), 403, "other-authority")


def test_an_officer_sees_at_the_joint_office_what_concerns_the_own_authority_alone(
    callers: Callers, matters: Matters
) -> None:
    notice_id = matters.file(sites=[])["notice_id"]  # Helsinki alone
    assert callers.of("pks", "helsinki", "officer").get(f"/v1/notices/{notice_id}").status_code == 200
    problem(callers.of("pks", "vantaa", "officer").get(f"/v1/notices/{notice_id}"), 404, "not-found")


def test_a_system_sees_what_it_filed_and_nothing_else(callers: Callers, stack: Stack, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    token = stack.issuer.system("another-portal", "notices:read", "notices:write")
    other = Caller(stack.url("change_security", "pks"), token)
    problem(other.get(f"/v1/notices/{notice_id}"), 404, "not-found")
    problem(other.post(f"/v1/notices/{notice_id}/withdrawal"), 404, "not-found")


def test_a_role_or_scope_that_is_lacking_is_named(callers: Callers, stack: Stack) -> None:
    problem(callers.of("pks", "vantaa", "officer").get("/v1/unrouted"), 403, "role-needed")
    reader = Caller(stack.url("change_security", "pks"), stack.issuer.system("reader", "notices:read"))
    problem(reader.post("/v1/notices", json=body()), 403, "scope-needed")
    problem(callers.system.get("/v1/unrouted"), 403, "officer-needed")


def test_an_authority_outside_the_region_is_nobody_here(callers: Callers) -> None:
    problem(callers.of("pks", "turku", "coordinator").get("/v1/notices"), 403, "other-authority")


# -- reading


def test_a_read_carries_an_entity_tag_and_the_same_content_is_not_sent_again(
    callers: Callers, matters: Matters
) -> None:
    path = f"/v1/notices/{matters.file()['notice_id']}"
    first = callers.coordinator.get(path)
    again = callers.coordinator.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    callers.system.send(f"{path}/revisions", {"predecessor": 1, "filing": proposal_json(sites=[])})
    assert callers.coordinator.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_list_is_read_page_by_page_without_gaps_or_repeats(callers: Callers, matters: Matters) -> None:
    filed = {matters.file()["notice_id"] for _ in range(5)}
    seen: list[str] = []
    cursor = ""
    while not filed <= set(seen):
        page = callers.coordinator.read(f"/v1/notices?limit=2{cursor}")
        seen += [line["notice_id"] for line in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen))
    problem(callers.coordinator.get("/v1/notices?cursor=bm9uc2Vuc2U"), 400, "invalid-cursor")


def test_the_api_describes_itself_in_openapi_3_1(stack: Stack) -> None:
    for office in ("pks", "espoo"):
        described = Caller(stack.url("change_security", office), None).read("/openapi.json")
        assert described["openapi"].startswith("3.1")


def test_liveness_readiness_and_metrics_are_told(stack: Stack) -> None:
    anyone = Caller(stack.url("change_security", "vantaa"), None)
    assert anyone.read("/readyz") == {"database": True, "consumer": True, "relay": True}
    assert anyone.read("/livez") == {"status": "live"}
    assert "messaging_records_total" in anyone.get("/metrics").text


def test_a_refused_request_is_counted(callers: Callers, stack: Stack) -> None:
    callers.system.post("/v1/notices", json=body(employer={"business_id": BAD_BUSINESS_ID}))
    metrics = Caller(stack.url("change_security", "pks"), None).get("/metrics").text
    assert (
        'http_refused_total{office="pks",problem="urn:problem:wrong-business-id",service="change-security"}' in metrics
    )


# -- times


def test_an_officer_registers_a_paper_filing_with_its_earlier_arrival(callers: Callers) -> None:
    notice = callers.coordinator.send("/v1/notices", body() | {"arrived_at": ARRIVED.isoformat()})
    assert notice["channel"] == "officer"
    assert notice["arrived_at"] == "2026-11-24T07:00:00Z"
    assert notice["registered_at"] > notice["arrived_at"]


def test_an_arrival_in_the_future_or_told_by_a_system_is_refused(callers: Callers) -> None:
    future = {"arrived_at": "2199-01-01T00:00:00Z"}
    problem(callers.coordinator.post("/v1/notices", json=body() | future), 422, "wrong-arrival")
    past = {"arrived_at": ARRIVED.isoformat()}
    problem(callers.system.post("/v1/notices", json=body() | past), 422, "wrong-arrival")
    naive = {"arrived_at": "2026-11-24T07:00:00"}
    problem(callers.coordinator.post("/v1/notices", json=body() | naive), 422, "invalid-request")


# -- a city's officers


def test_an_officer_works_through_the_course_of_a_case(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    vantaa = callers.officer["vantaa"]
    path = f"/v1/cases/{notice_id}"
    case = vantaa.read(path)
    assert case["assessment"]["plan"] == "action_plan"
    assert "action_plan" in [step["step"] for step in case["course"]]
    assert "operating_principles" not in [step["step"] for step in case["course"]]
    vantaa.send(f"{path}/specialist", {"specialist": "officer-17"}, "PUT")
    vantaa.send(f"{path}/steps/employer_contacted", {"state": "done"}, "PUT")
    group = case["checklists"][0]["group_id"]
    vantaa.send(f"{path}/checklist/{group}/aged_55", {"count": 1}, "PUT")
    vantaa.send(f"{path}/checklist/{group}/service_5_years", {"count": 1}, "PUT")
    vantaa.send(f"{path}/checklist/{group}/service_5_years", {"count": None}, "PUT")
    too_many = {"count": case["checklists"][0]["terminations"] + 1}
    problem(vantaa.put(f"{path}/checklist/{group}/aged_55", json=too_many), 422, "more-than-in-group")
    problem(vantaa.put(f"{path}/checklist/{uuid4()}/aged_55", json={"count": 0}), 404, "not-found")
    vantaa.send(f"{path}/notes", {"text": "Soitto työnantajalle sovittu."})
    case = vantaa.read(path)
    assert case["specialist"] == "officer-17"
    done = {step["step"] for step in case["course"] if step["state"] == "done"}
    assert done == {"specialist_named", "employer_contacted"}
    counts = {check["item"]: check["count"] for check in case["checklists"][0]["checks"]}
    assert counts == {"aged_55": 1, "service_5_years": None, "registered_within_60_days": None}
    assert [note["text"] for note in vantaa.read(f"{path}/notes")["items"]] == ["Soitto työnantajalle sovittu."]
    first = vantaa.read(f"{path}/notes?limit=1")
    assert vantaa.read(f"{path}/notes?cursor={first['next']}") == {"items": [], "next": None}
    vantaa.send(f"{path}/acknowledgement")
    acknowledged = vantaa.send(f"{path}/acknowledgement")["acknowledged_at"]
    _until(lambda: matters.states(notice_id)["vantaa"] == "acknowledged")
    closed = vantaa.send(f"{path}/closing", {"outcome": "no_terminations"})
    assert (closed["state"], closed["acknowledged_at"]) == ("closed", acknowledged)
    problem(vantaa.post(f"{path}/acknowledgement"), 409, "not-open")
    _until(lambda: _entry(matters, notice_id, "vantaa")["case_outcome"] == "no_terminations")


def test_a_city_declines_and_the_ledger_says_why(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    callers.officer["espoo"].send(f"/v1/cases/{notice_id}/decline", {"reason": "no_site_here"})
    _until(lambda: matters.states(notice_id)["espoo"] == "not_ours")
    assert _entry(matters, notice_id, "espoo")["decline_reason"] == "no_site_here"


def test_a_city_takes_its_own_part_and_nobody_elses(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    vantaa = callers.officer["vantaa"]
    for parts in (["espoo", "vantaa"], ["turku"]):
        refused = vantaa.post(f"/v1/cases/{notice_id}/taking", json={"parts": parts})
        problem(refused, 422, "ask-for-others-parts")
    vantaa.send(f"/v1/cases/{notice_id}/taking", {})
    matters.complete(notice_id, version=2)
    assert matters.states(notice_id) == {"espoo": "stored", "helsinki": "stored", "vantaa": "taken_by"}


def test_a_citys_notes_never_leave_its_store(callers: Callers, matters: Matters, stack: Stack) -> None:
    import asyncio

    import asyncpg

    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    canary = f"kanarialintu {matters.unique}"
    callers.officer["vantaa"].send(f"/v1/cases/{notice_id}/notes", {"text": canary})
    callers.officer["vantaa"].send(f"/v1/cases/{notice_id}/acknowledgement")
    _until(lambda: matters.states(notice_id)["vantaa"] == "acknowledged")

    async def found(url: str) -> set[str]:
        connection = await asyncpg.connect(url)
        try:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'change_security'")
            return {
                row["tablename"]
                for row in tables
                if await connection.fetchval(
                    f"SELECT EXISTS (SELECT FROM change_security.{row['tablename']} AS t"
                    " WHERE position($1 IN t::text) > 0 OR position(encode($2, 'hex') IN t::text) > 0)",
                    canary,
                    canary.encode(),
                )
            }
        finally:
            await connection.close()

    places = {office: asyncio.run(found(database.url)) for office, database in stack.databases.items()}
    assert places == {"pks": set(), "helsinki": set(), "espoo": set(), "vantaa": {"case_note"}}
    logs = "".join(path.read_text() for path in stack.logs.iterdir())
    assert canary not in logs


def _entry(matters: Matters, notice_id: str, authority: str) -> dict[str, Any]:
    return next(entry for entry in matters.ledger(notice_id)["entries"] if entry["authority"] == authority)


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.03)
