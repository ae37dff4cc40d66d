"""Guidance: what a version of an article says, and when a version may be approved."""

from collections.abc import Iterable
from datetime import date

from pydantic import Field

from shared.errors import ConflictError, RefusedError
from shared.events.envelope import Part
from shared.events.v1.advisory import ContactTopic, Trilingual


class Draft(Part):
    """A version of a guidance article, to be approved by the coordination group."""

    topic: ContactTopic
    texts: Trilingual
    owner: str = Field(max_length=50, description="The authority that keeps it up to date.")
    review_by: date


def check_draft(draft: Draft, authorities: frozenset[str]) -> None:
    """Refuse an article whose owner is none of the region's authorities.

    Raises:
        RefusedError: `no-such-authority`.
    """
    if draft.owner not in authorities:
        raise RefusedError("/owner", "no-such-authority", "Unknown authority.")


def check_newest(version: int, approved: Iterable[int]) -> None:
    """Let a version be approved that is not older than one that is approved already.

    Raises:
        ConflictError: `newer-version`.
    """
    if any(other > version for other in approved):
        raise ConflictError("newer-version", "A newer version is approved already.")
