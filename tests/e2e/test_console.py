"""The operators' console in a real browser, against the running stack."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.local.browser import sign_in
from deploy.local.client import Callers, wait_for
from deploy.local.observing import spans_of
from deploy.local.stack import Stack
from shared.contracts import EXAMPLES
from tests.support.filings import TEST_IDENTITY_CODE, termination_notice
from tests.support.needs import program


@pytest.fixture(scope="module")
def console(stack: Stack) -> str:
    return stack.start_console()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        launched = player.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, console: str, stack: Stack) -> Iterator[Page]:
    """A page that a Helsinki operator has signed in to; nothing may be fetched from anywhere else."""
    opened = browser.new_page()
    elsewhere: list[str] = []
    own = (console, stack.issuer.name, "data:")
    opened.on("request", lambda one: elsewhere.append(one.url) if not one.url.startswith(own) else None)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(opened, f"{console}/?lang=en", "helsinki", "operator", "coordinator", "officer")
    yield opened
    assert elsewhere == []
    assert errors == []
    opened.close()


def file_notice(stack: Stack) -> dict[str, Any]:
    """File a notice for Vantaa; return its ledger once every store has confirmed it."""
    callers = Callers(stack, "change_security")
    filing = termination_notice(40).model_dump(mode="json")
    path = f"/v1/notices/{callers.system.send('/v1/notices', {'filing': filing})['notice_id']}/ledger"
    return dict(
        wait_for(
            lambda: found if (found := callers.coordinator.read(path))["complete"] else None,
            "every store",
        )
    )


def send_poison(stack: Stack, value: bytes) -> str:
    key = uuid4().hex

    async def send() -> None:
        producer = AIOKafkaProducer(**stack.client())
        await producer.start()
        kind = b"change-security.notice-assigned.v1"
        headers = [("ce_id", key.encode()), ("ce_type", kind), ("ce_source", b"/tests")]
        await producer.send_and_wait("to.helsinki.change-security.v1", value, key=key.encode(), headers=headers)
        await producer.stop()

    # The browser's driver has an event loop in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(send())).result()
    return key


def test_the_overview_shows_every_process_and_what_the_token_does_not_permit(page: Page, stack: Stack) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.locator("tbody tr")).to_have_count(16)
    own = page.locator("tbody tr", has_text="change_security").filter(has_text="helsinki")
    expect(own).to_contain_text("ready")
    expect(own.get_by_role("button", name="Pause")).to_be_visible()
    foreign = page.locator("tbody tr", has_text="change_security").filter(has_text="vantaa")
    expect(foreign).to_contain_text("not permitted")


def test_the_overview_follows_a_process_that_goes_away_without_a_reload(page: Page, stack: Stack) -> None:
    expect(page.locator("tbody tr")).to_have_count(16)
    page.evaluate("window.unloaded = false")
    row = page.locator("tbody tr", has_text="advisory").filter(has_text="espoo")
    stack.child("advisory", "espoo").stop()
    try:
        expect(row).to_contain_text("does not answer", timeout=15_000)
    finally:
        stack.child("advisory", "espoo").start()
        stack.wait_ready("advisory", "espoo")
    expect(row).not_to_contain_text("does not answer", timeout=15_000)
    assert page.evaluate("window.unloaded") is False


def test_an_operator_pauses_and_resumes_a_consumer(page: Page) -> None:
    row = page.locator("tbody tr", has_text="training").filter(has_text="helsinki")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("ready")


def test_a_parked_record_is_seen_redacted_rehearsed_and_discarded_with_a_reason(
    page: Page, stack: Stack, console: str
) -> None:
    secret = f"Salainen {TEST_IDENTITY_CODE}"
    send_poison(
        stack, b'{"notice_id": "5d0f7c1e-5a0b-4b53-9a53-0c7a1f3c2d01", "filing": "' + secret.encode() + b'", "n": 42}'
    )
    operator = Callers(stack, "change_security").city_operator["helsinki"]
    wait_for(lambda: operator.read("/v1/parked?state=parked")["items"], "the parked record")
    page.goto(f"{console}/parked")
    page.get_by_role("link", name="invalid-body").first.click()
    page.get_by_label("Reason").fill("trying it first")
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("status")).to_contain_text("invalid-body")
    page.goto(f"{console}/parked")
    page.get_by_role("link", name="invalid-body").first.click()
    page.locator("main li a").first.click()
    payload = page.locator("pre").inner_text()
    assert "5d0f7c1e-5a0b-4b53-9a53-0c7a1f3c2d01" in payload
    assert "«text of" in payload
    assert "Salainen" not in page.content()
    assert "42" not in payload
    page.get_by_label("Reason").fill("the sender was told")
    record_url = page.url
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Done")
    page.goto(record_url)
    expect(page.locator("main")).to_contain_text("discard → discarded")
    expect(page.locator("main")).to_contain_text("the sender was told")


def test_a_notice_is_followed_from_its_ledger_to_its_trace_across_offices(
    page: Page, stack: Stack, console: str
) -> None:
    ledger = file_notice(stack)

    def offices() -> set[str]:
        return {span["localEndpoint"]["serviceName"].rpartition(".")[2] for span in spans_of(stack, ledger["trace_id"])}

    # Each office sends its own spans, in its own time.
    wait_for(lambda: {"pks", "vantaa"} <= offices(), "the trace", 20)
    page.goto(f"{console}/notices")
    page.get_by_role("link", name=ledger["notice_id"]).click()
    expect(page.locator("tbody tr", has_text="vantaa")).to_contain_text("stored")
    page.get_by_role("link", name="Trace").click()
    expect(page.locator("tbody th", has_text="vantaa").first).to_be_visible()
    expect(page.locator(".bar.pks").first).to_be_attached()
    expect(page.get_by_role("link", name="Open the trace viewer")).to_be_visible()


def test_the_notices_page_has_no_empty_cell_and_local_times(page: Page, stack: Stack, console: str) -> None:
    ledger = file_notice(stack)
    page.goto(f"{console}/notices")
    assert page.locator("thead th").all_inner_texts() == ["id", "State", "Arrived", "Revision"]
    cells = page.locator("tbody tr", has_text=ledger["notice_id"]).locator("th, td").all_inner_texts()
    notice = Callers(stack, "change_security").coordinator.read(f"/v1/notices/{ledger['notice_id']}")
    arrived = datetime.fromisoformat(notice["arrived_at"]).astimezone(ZoneInfo("Europe/Helsinki"))
    assert cells == [ledger["notice_id"], "open", f"{arrived:%Y-%m-%d %H:%M:%S}", "1"]
    assert page.get_by_text("Times are in Finnish time.").is_visible()


def test_an_officer_without_the_operators_role_sees_the_rest_and_why(page: Page, stack: Stack, console: str) -> None:
    ledger = file_notice(stack)
    page.context.clear_cookies()
    sign_in(page, f"{console}/?lang=en", "vantaa", "officer")
    page.goto(f"{console}/notices")
    page.get_by_role("link", name=ledger["notice_id"]).click()
    expect(page.locator("tbody tr", has_text="vantaa")).to_contain_text("stored")
    parked = "/parked/change_security/vantaa?code=invalid-body&topic=to.vantaa.change-security.v1"
    for path, role in (("/", "operator"), ("/parked", "operator"), (parked, "operator"), ("/unrouted", "coordinator")):
        page.goto(f"{console}{path}")
        expect(page.get_by_role("note")).to_contain_text(f"This needs the role {role}")
        expect(page.get_by_role("alert")).to_have_count(0)
        assert "403" not in page.locator("main").inner_text()
        expect(page.locator("main form")).to_have_count(0)


@pytest.mark.parametrize(("lang", "heading"), [("fi", "Yleiskuva"), ("sv", "Översikt"), ("en", "Overview")])
def test_the_console_speaks_the_three_service_languages(page: Page, console: str, lang: str, heading: str) -> None:
    page.goto(f"{console}/?lang={lang}")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.locator("html").get_attribute("lang") == lang
    page.goto(f"{console}/unrouted")
    assert page.locator("html").get_attribute("lang") == lang


def test_every_page_is_used_by_keyboard_and_named_for_a_screen_reader(page: Page, console: str) -> None:
    for path in ("/", "/notices", "/unrouted", "/parked", "/topics", "/types/training.seat-offered.v1"):
        page.goto(f"{console}{path}")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        expect(page.locator("h1")).to_have_count(1)
        for button in page.get_by_role("button").all():
            assert button.inner_text().strip() or button.get_attribute("aria-label")
        assert page.locator("input:not([type=hidden]):not([id]), img:not([alt])").count() == 0


def test_the_catalogue_and_the_map_name_every_topic(page: Page, console: str) -> None:
    from shared.topics import TOPICS

    page.goto(f"{console}/topics")
    shown, drawn = page.locator("tbody th").all_inner_texts(), page.locator("svg.flow").inner_html()
    assert shown == [topic.name for topic in TOPICS]
    assert all(topic.name in drawn for topic in TOPICS)


def test_an_event_type_is_browsed_with_its_fields_and_examples(page: Page, console: str) -> None:
    page.goto(f"{console}/topics")
    page.get_by_role("link", name="change-security.notice-submitted.v1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("change-security.notice-submitted.v1")
    fields = page.locator("tbody th").all_inner_texts()
    assert {"notice_id", "filing.employer.business_id", "filing.measures[].measure"} <= set(fields)
    examples = len(list((EXAMPLES / "change-security.notice-submitted.v1").iterdir()))
    expect(page.locator("pre")).to_have_count(examples)
    assert page.request.get(f"{console}/asyncapi.json").json()["asyncapi"] == "3.0.0"
    schema = page.request.get(f"{console}/schemas/change-security.notice-submitted.v1.json").json()
    assert schema["$id"] == "urn:event:change-security.notice-submitted.v1"
    assert page.request.get(f"{console}/types/none.such.v1").status == 404


def test_without_a_session_there_is_only_the_way_to_sign_in_and_foreign_forms_are_refused(console: str) -> None:
    with httpx.Client(base_url=console) as anyone:
        for path in ("/", "/parked", "/live", "/notices"):
            assert anyone.get(path).headers["location"] == f"/sign-in?to={path}"
        assert anyone.get("/", headers={"HX-Request": "true"}).headers["hx-redirect"] == "/sign-in"
        assert anyone.post("/offices/training/espoo/consumer/pause").status_code == 401
        foreign = anyone.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403
        invented = anyone.get("/", headers={"Cookie": "console=invented"})
        assert invented.headers["location"].startswith("/sign-in")


def test_the_browser_holds_no_token_and_signing_out_ends_the_session_everywhere(
    page: Page, console: str, stack: Stack
) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    cookies = page.context.cookies(console)
    session = next(cookie for cookie in cookies if cookie["name"] == "console")
    assert session["httpOnly"]
    assert session["sameSite"] == "Lax"
    assert not any("eyJ" in cookie["value"] for cookie in cookies)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have signed out")
    with httpx.Client(base_url=console, cookies={"console": session["value"]}) as thief:
        assert thief.get("/").headers["location"].startswith("/sign-in")
