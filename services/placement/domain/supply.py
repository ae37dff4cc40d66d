"""Until when workers who are released count as expected supply."""

from datetime import date, timedelta

from shared.events.v1.change_security import WorkforceRelease


def ends_on(release: WorkforceRelease, today: date, counted: timedelta) -> date:
    """Return the last day on which a release counts: its own last day, or so long after its first, or after today."""
    return release.available_until or (release.available_from or today) + counted
