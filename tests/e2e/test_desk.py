"""The officers' desk in a real browser, against the running stack."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.local.browser import sign_in
from deploy.local.client import Callers, wait_for
from deploy.local.stack import Stack
from tests.support.filings import termination_notice
from tests.support.needs import program

OFFICER = "officer-at-the-desk"


@pytest.fixture(scope="module")
def desk(stack: Stack) -> str:
    return stack.start_desk("vantaa")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        launched = player.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, desk: str, stack: Stack) -> Iterator[Page]:
    """A page that an officer of Vantaa has signed in to; nothing is fetched from anywhere else, no script fails."""
    opened = browser.new_page()
    elsewhere: list[str] = []
    errors: list[str] = []
    own = (desk, stack.issuer.name, "data:")
    opened.on("request", lambda sent: elsewhere.append(sent.url) if not sent.url.startswith(own) else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    # A page that the office refuses is itself a failed load; anything else that the browser complains of is an error.
    opened.on(
        "console",
        lambda said: errors.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None,
    )
    sign_in(opened, f"{desk}/?lang=en", "vantaa", "officer", subject=OFFICER)
    expect(opened.get_by_role("heading", level=1)).to_have_text("My work")
    yield opened
    assert elsewhere == []
    assert errors == []
    opened.close()


@pytest.fixture
def case(stack: Stack) -> str:
    """A case that Vantaa has been asked to acknowledge."""
    callers = Callers(stack, "change_security")
    filing = termination_notice(40).model_dump(mode="json")
    notice_id = callers.system.send("/v1/notices", {"filing": filing})["notice_id"]
    wait_for(lambda: callers.officer["vantaa"].get(f"/v1/cases/{notice_id}").is_success, "the case")
    return str(notice_id)


def test_an_officer_takes_a_case_from_asked_to_closed(page: Page, desk: str, stack: Stack, case: str) -> None:
    unacknowledged = page.get_by_role("region", name="Awaiting acknowledgement")
    page.reload()
    unacknowledged.locator(f"a[href='/cases/{case}']").click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_have_text("Done.")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="I take it").click()
    expect(page.locator("dl")).to_contain_text("Specialist me".replace(" ", "\n"), use_inner_text=True)
    page.get_by_label("New note").fill("called the employer")
    page.get_by_role("region", name="Notes").get_by_role("button", name="Add").click()
    expect(page.get_by_role("region", name="Notes")).to_contain_text("called the employer")
    page.goto(f"{desk}/")
    expect(page.get_by_role("region", name="My change situations").locator(f"a[href='/cases/{case}']")).to_be_visible()
    page.goto(f"{desk}/cases/{case}")
    page.get_by_role("button", name="Close the case").click()
    expect(page.locator("dl")).to_contain_text("closed")
    timeline = page.get_by_role("region", name="Timeline")
    for act in ("acknowledged", "specialist named", "note added", "closed"):
        expect(timeline).to_contain_text(act)
    answer = Callers(stack, "change_security").officer["vantaa"].read(f"/v1/cases/{case}")
    assert (answer["state"], answer["outcome"]) == ("closed", "terminations")


def test_a_call_is_logged_by_keyboard_alone(page: Page, desk: str) -> None:
    page.goto(f"{desk}/calls/new")
    started = datetime.now(UTC)
    expect(page.get_by_label("Topic")).to_be_focused()
    page.keyboard.type("training")
    expect(page.get_by_label("Topic")).to_have_value("training")
    for value in ("", "7", "2077474-0", "", "", ""):
        page.keyboard.press("Tab")
        page.keyboard.type(value)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Contact: training")
    assert (datetime.now(UTC) - started).total_seconds() < 20
    expect(page.locator("dl")).to_contain_text("telephone call")
    expect(page.locator("dl")).to_contain_text("2077474-0")
    expect(page.locator("dl")).to_contain_text("answered")


def test_what_the_office_refuses_is_said_and_nothing_is_lost(page: Page, desk: str) -> None:
    page.goto(f"{desk}/calls/new")
    page.get_by_label("Business id").fill("2077474-1")
    page.get_by_role("button", name="Log").click()
    expect(page.get_by_role("alert")).to_contain_text("This did not succeed")
    page.goto(f"{desk}/cases/5d0f7c1e-5a0b-4b53-9a53-0c7a1f3c2d01")
    expect(page.get_by_role("note")).to_contain_text("404")


def test_a_service_that_is_down_says_so_in_its_part_and_the_rest_works(page: Page, desk: str, stack: Stack) -> None:
    stack.child("advisory", "vantaa").stop()
    try:
        page.goto(f"{desk}/?lang=en")
        expect(page.get_by_role("region", name="My open contacts")).to_contain_text("does not answer")
        expect(page.get_by_role("region", name="Awaiting acknowledgement").get_by_role("note")).to_have_count(0)
    finally:
        stack.child("advisory", "vantaa").start()
        stack.wait_ready("advisory", "vantaa")


def test_a_form_without_the_sessions_token_does_nothing(page: Page, desk: str, stack: Stack, case: str) -> None:
    page.goto(f"{desk}/cases/{case}")
    page.evaluate("document.querySelectorAll('[name=csrf]').forEach((field) => { field.value = 'guessed' })")
    with page.expect_response(lambda answer: answer.request.method == "POST") as response:
        page.get_by_role("button", name="Acknowledge").click()
    assert response.value.status == 403
    assert Callers(stack, "change_security").officer["vantaa"].read(f"/v1/cases/{case}")["acknowledged_at"] is None


def test_an_officer_of_another_authority_sees_nothing(browser: Browser, desk: str) -> None:
    page = browser.new_page()
    sign_in(page, f"{desk}/?lang=en", "espoo", "officer")
    expect(page.get_by_role("note")).to_have_count(4)
    expect(page.get_by_role("note").first).to_contain_text("not permitted")
    page.close()


@pytest.mark.parametrize(("lang", "heading"), [("fi", "Minun työni"), ("sv", "Mitt arbete")])
def test_the_desk_speaks_the_three_service_languages_and_fits_a_telephone(
    page: Page, desk: str, lang: str, heading: str, case: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{desk}/?lang={lang}")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    for path in ("/", "/cases", f"/cases/{case}", "/contacts", "/calls/new"):
        page.goto(f"{desk}{path}")
        assert page.locator("html").get_attribute("lang") == lang
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
