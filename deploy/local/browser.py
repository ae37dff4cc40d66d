"""Signs people in at the local issuer's page, in a browser."""

from playwright.sync_api import Page


def sign_in(page: Page, address: str, authority: str, *roles: str, subject: str = "") -> None:
    """Open an address, and answer the issuer that asks who is there."""
    page.goto(address)
    page.get_by_label("Authority").select_option(authority)
    page.get_by_label("Subject").fill(subject)
    for role in ("officer", "coordinator", "operator"):
        page.get_by_label(role, exact=True).set_checked(role in roles)
    page.get_by_role("button", name="Sign in").click()
