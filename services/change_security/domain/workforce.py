"""What a notice releases to the labour market: facts for the other services, with nothing of the employer in them."""

from uuid import UUID

from shared.events.v1.change_security import Filing, FilingKind, Termination, WorkforceRelease, WorkforceReleased

_MASKED = range(1, 5)
"""Counts that could identify a person."""


def workforce_released(
    notice_id: UUID, version: int, filing: Filing, *, over: bool = False
) -> WorkforceReleased | None:
    """Return what to tell everyone about a notice of terminations; None when there is nothing to tell.

    A filing that is not public is not told; one that becomes so takes back what was told before, as a withdrawal
    (`over`) does.
    """
    if filing.kind is not FilingKind.TERMINATION_NOTICE or (filing.not_public and version == 1):
        return None
    nothing = over or filing.not_public
    releases = () if nothing else tuple(_release(termination) for termination in filing.terminations)
    return WorkforceReleased(notice_id=notice_id, version=version, releases=releases)


def _release(termination: Termination) -> WorkforceRelease:
    hide = termination.count in _MASKED
    return WorkforceRelease(
        occupation=termination.occupation,
        municipality=termination.municipality,
        count=None if hide else termination.count,
        masked=hide,
        available_from=termination.ends_from,
        available_until=termination.ends_until,
    )
