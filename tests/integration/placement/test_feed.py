"""The public feed: without a token, filtered, bounded in time, as lines; and what the vacancy says."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx

from deploy.local.client import wait_for
from deploy.local.stack import Stack
from shared.events.v1.placement import Vacancy
from tests.support.placement import Placement, vacancy

WHOLE = {
    "municipalities": ["091", "049"],
    "positions": 3,
    "apply_url": "https://example.org/jobs/1",
    "apply_email": "rekry@example.org",
    "contact": {"email": "rekry@example.org", "phone": "+358 9 123", "hours": "ma-pe 9-11"},
    "employment_relationship": "fixed_term",
    "ends_on": "2027-12-31",
    "working_time": {"kind": "part_time", "hours_per_week_min": 20, "hours_per_week_max": 30, "shifts": ["evening"]},
    "pay": {"per": "month", "least": 2300, "most": 2700, "principle": "TES"},
}


def read(stack: Stack, path: str, **headers: str) -> httpx.Response:
    """Read without a token."""
    return httpx.get(stack.url("placement", "pks") + path, headers=headers)


def follow(stack: Stack, cursor: str, query: str = "") -> tuple[dict[str, Any], str, str]:
    """Read the change stream to its end: the items by vacancy, the last cursor and its entity tag."""
    items: dict[str, Any] = {}
    while True:
        answer = read(stack, f"/v1/vacancies/changes?cursor={cursor}{query}")
        page = answer.raise_for_status().json()
        items |= {one["vacancy_id"]: one for one in page["items"]}
        cursor = page["next"]
        if not page["items"]:
            return items, cursor, answer.headers["etag"]


def test_the_feed_needs_no_token_and_masks_what_is_stopped(placement: Placement, stack: Stack) -> None:
    vacancy_id = placement.report(**WHOLE)["vacancy_id"]
    shown = read(stack, f"/v1/vacancies/{vacancy_id}").json()
    expected = Vacancy.model_validate(vacancy(**WHOLE))
    assert Vacancy.model_validate(shown["vacancy"]) == expected
    assert shown["open_positions"] == 3
    elsewhere = read(stack, "/v1/vacancies?municipality=049&occupation=5120&limit=200").json()["items"]
    assert vacancy_id in {one["vacancy_id"] for one in elsewhere}
    placement.move(vacancy_id, "paused")
    stopped = read(stack, f"/v1/vacancies/{vacancy_id}").json()
    assert (stopped["vacancy"], stopped["removed"]["reason"]) == (None, "paused")
    draft = placement.system.send("/v1/vacancies", {"vacancy": vacancy(), "state": "draft"})["vacancy_id"]
    assert read(stack, f"/v1/vacancies/{draft}").status_code == 404
    assert read(stack, f"/v1/vacancies/{draft}", Authorization="Bearer forged").status_code == 401
    assert read(stack, "/v1/vacancies/reported").status_code == 401


def test_a_filtered_reader_learns_why_and_when_an_advertisement_went(placement: Placement, stack: Stack) -> None:
    code = {"scheme": "ISCO-08", "code": "7231"}
    query = "&occupation=7231&municipality=235"
    cursor = read(stack, "/v1/vacancies").json()["changes"]
    here, moved, other = (placement.report(occupation=code, municipality=where) for where in ("235", "235", "091"))
    ids = [one["vacancy_id"] for one in (here, moved, other)]

    def both() -> dict[str, Any] | None:
        items = follow(stack, cursor, query)[0]
        return items if len(items) == 2 else None

    items = wait_for(both, "both advertisements")
    assert set(items) == set(ids[:2])
    _, last, _ = follow(stack, cursor, query)
    before = datetime.now(UTC)
    placement.move(ids[0], "filled")
    revision = {"predecessor": 1, "vacancy": vacancy(occupation=code, municipality="092")}
    placement.system.send(f"/v1/vacancies/{ids[1]}/revisions", revision)

    def gone() -> dict[str, Any] | None:
        items = follow(stack, last, query)[0]
        return items if len(items) == 2 else None

    items = wait_for(gone, "both removals")
    assert {items[one]["removed"]["reason"] for one in ids[:1]} == {"filled"}
    assert (items[ids[1]]["removed"]["reason"], items[ids[1]]["vacancy"]) == ("changed", None)
    assert all(datetime.fromisoformat(one["removed"]["at"]) >= before for one in items.values())
    window = f"{query}&changed_before={before.isoformat().replace('+00:00', 'Z')}"
    assert follow(stack, last, window)[0] == {}
    since = f"{query}&changed_from={before.isoformat().replace('+00:00', 'Z')}"
    assert set(follow(stack, cursor, since)[0]) == set(ids[:2])


def test_not_modified_means_that_nothing_is_new_after_the_cursor(placement: Placement, stack: Stack) -> None:
    start = read(stack, "/v1/vacancies").json()["changes"]
    vacancy_id = placement.report()["vacancy_id"]
    wait_for(lambda: vacancy_id in follow(stack, start)[0], "the change")
    page = read(stack, f"/v1/vacancies/changes?cursor={start}&limit=1")
    same = read(stack, f"/v1/vacancies/changes?cursor={start}&limit=1", **{"If-None-Match": page.headers["etag"]})
    assert same.status_code == 200
    _, last, tag = follow(stack, start)
    path = f"/v1/vacancies/changes?cursor={last}"
    assert read(stack, path, **{"If-None-Match": tag}).status_code == 304
    placement.move(vacancy_id, "withdrawn")
    wait_for(lambda: read(stack, path, **{"If-None-Match": tag}).status_code == 200, "the news")


def test_the_change_stream_is_read_as_lines(placement: Placement, stack: Stack) -> None:
    start = read(stack, "/v1/vacancies").json()["changes"]
    ids = {placement.report()["vacancy_id"] for _ in range(3)}
    wait_for(lambda: ids <= set(follow(stack, start)[0]), "the changes")
    seen: set[str] = set()
    path: str | None = f"/v1/vacancies/changes?cursor={start}&limit=2"
    while path is not None:
        answer = read(stack, path, Accept="application/x-ndjson")
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        lines = [json.loads(line) for line in answer.text.splitlines()]
        seen |= {line["vacancy_id"] for line in lines}
        link = re.fullmatch(r'<(\?.+)>; rel="next"', answer.headers["link"])
        assert link is not None
        path = f"/v1/vacancies/changes{link[1]}" if lines else None
    assert ids <= seen


def test_own_drafts_and_paused_vacancies_are_listed(placement: Placement, stack: Stack) -> None:
    draft = placement.system.send("/v1/vacancies", {"vacancy": vacancy(), "state": "draft"})["vacancy_id"]
    paused = placement.report()["vacancy_id"]
    placement.move(paused, "paused")
    for state, vacancy_id in (("draft", draft), ("paused", paused)):
        newest = placement.system.read(f"/v1/vacancies/reported?state={state}&limit=1")
        assert [(one["vacancy_id"], one["state"]) for one in newest["items"]] == [(vacancy_id, state)]
        assert newest["items"][0]["vacancy"]["title"].startswith("Kokki")
    other = stack.issuer.system("other-board", "vacancies:write")
    assert read(stack, "/v1/vacancies/reported", Authorization=f"Bearer {other}").json()["items"] == []
    everyone = placement.callers.coordinator.read("/v1/vacancies/reported?state=draft&limit=200")["items"]
    assert draft in {one["vacancy_id"] for one in everyone}


def test_a_mistyped_field_is_refused_and_so_is_a_value_that_makes_no_sense(placement: Placement) -> None:
    for wrong, pointer in (
        (vacancy(tittle="x"), "/vacancy/tittle"),
        (vacancy(pay={"per": "month", "leest": 1}), "/vacancy/pay/leest"),
        (vacancy(pay={"per": "month", "least": 3000, "most": 2000}), "/vacancy/pay/most"),
        (vacancy(apply_url="javascript:alert(1)"), "/vacancy/apply_url"),
        (vacancy(contact={"email": "nobody"}), "/vacancy/contact/email"),
    ):
        answer = placement.system.post("/v1/vacancies", json={"vacancy": wrong})
        assert answer.status_code == 422, answer.text
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_an_advertisement_is_found_and_followed_by_each_of_its_languages(placement: Placement, stack: Stack) -> None:
    start = read(stack, "/v1/vacancies").json()["changes"]
    swedish = {"language": "sv", "title": "Kock", "description": "Lunchrestaurang söker kock"}
    posted = placement.report(translations=[swedish])
    vacancy_id = posted["vacancy_id"]
    wait_for(lambda: vacancy_id in follow(stack, start, "&language=sv")[0], "the change")
    assert vacancy_id not in follow(stack, start, "&language=en")[0]
    shown = read(stack, f"/v1/vacancies/{vacancy_id}").json()["vacancy"]
    assert shown["translations"] == [swedish]
    revision = {"predecessor": posted["revision"], "vacancy": vacancy()}
    placement.system.send(f"/v1/vacancies/{vacancy_id}/revisions", revision)

    def removed() -> bool:
        path = f"/v1/vacancies/changes?cursor={start}&language=sv&limit=200"
        rows = [one for one in read(stack, path).json()["items"] if one["vacancy_id"] == vacancy_id]
        return [(one["removed"] or {}).get("reason") for one in rows] == ["changed"] and rows[0]["vacancy"] is None

    wait_for(removed, "the translation to be gone")
