"""Takes the README's screenshots of the console and of a desk, on a stack of its own: `make screenshots`."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from playwright.sync_api import Browser, sync_playwright

from deploy.local.browser import sign_in
from deploy.local.client import Callers, wait_for
from deploy.local.sample_data import proposal_json
from deploy.local.stack import CITIES, Stack

FOLDER: Final = Path("docs/images")


async def poison(client: Mapping[str, Any]) -> None:
    """Send records that nobody can handle."""
    producer = AIOKafkaProducer(**client)
    await producer.start()
    for _ in range(3):
        headers = [
            ("ce_id", uuid4().hex.encode()),
            ("ce_type", b"change-security.notice-assigned.v1"),
            ("ce_source", b"/x"),
        ]
        await producer.send_and_wait(
            "to.helsinki.change-security.v1",
            b'{"notice_id": 7, "filing": "?"}',
            key=uuid4().hex.encode(),
            headers=headers,
        )
    await producer.stop()


def take(browser: Browser, address: str, signed_in: tuple[str, ...], pages: Mapping[str, str]) -> None:
    """Sign in, and take a screenshot of each page by its name."""
    page = browser.new_page(viewport={"width": 1280, "height": 760})
    sign_in(page, f"{address}/?lang=en", *signed_in)
    page.wait_for_selector("tbody tr")
    page.wait_for_timeout(6000)  # until the trace viewer has the spans
    for name, path in pages.items():
        page.goto(f"{address}{path}")
        page.wait_for_timeout(300)
        page.screenshot(path=FOLDER / f"{name}.png")
        print(FOLDER / f"{name}.png")
    page.close()


def main() -> None:
    """Start a stack, make something to look at, and look."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with Stack() as stack:
        callers = Callers(stack, "change_security")
        notice_id = callers.system.send("/v1/notices", {"filing": proposal_json()})["notice_id"]
        ledger = wait_for(
            lambda: (
                found if (found := callers.coordinator.read(f"/v1/notices/{notice_id}/ledger"))["complete"] else None
            ),
            "every store",
        )
        for city in CITIES[:2]:
            callers.officer[city].send(f"/v1/cases/{notice_id}/acknowledgement")
        asyncio.run(poison(stack.client()))
        console, desk = stack.start_console(), stack.start_desk("vantaa")
        with sync_playwright() as player:
            browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take(
                browser,
                console,
                ("helsinki", "officer", "coordinator", "operator"),
                {
                    "console-overview": "/",
                    "console-ledger": f"/notices/{notice_id}",
                    "console-parked": "/parked",
                    "console-trace": f"/traces/{ledger['trace_id']}",
                    "console-topics": "/topics",
                    "console-type": "/types/change-security.notice-submitted.v1",
                },
            )
            pages = {"desk-work": "/", "desk-case": f"/cases/{notice_id}", "desk-call": "/calls/new"}
            take(browser, desk, ("vantaa", "officer"), pages)
            browser.close()


if __name__ == "__main__":
    main()
