"""How soon contacts are answered: rules with their dates, in office hours; what goes out in which language."""

from datetime import UTC, date, datetime
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest

from services.advisory import data
from services.advisory.domain import letters
from services.advisory.domain.letters import LetterState
from services.advisory.domain.response import (
    Channel,
    ResponseTime,
    channel_of,
    in_force,
)
from services.advisory.joint import feeds
from services.advisory.joint.tables import AnnouncementRow
from services.advisory.models import CallIn
from services.advisory.outgoing import LetterRow, email_of
from shared.calendar import OfficeHours
from shared.events.v1.advisory import Audience, Contact, ContactChannel, ContactTopic, Language, Texts, Trilingual

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOURS = OfficeHours()
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.mark.parametrize(
    ("instant", "hours", "due"),
    [
        # Tuesday 10.00 local; Tuesday 15.00: the rest on Wednesday; Friday 15.00: over the week-end.
        ("2026-11-24T10:00:00+02:00", 4, "2026-11-24T14:00:00+02:00"),
        ("2026-11-24T15:00:00+02:00", 4, "2026-11-25T11:00:00+02:00"),
        ("2026-11-27T15:00:00+02:00", 2, "2026-11-30T09:00:00+02:00"),
        # Before opening, after closing, on a Saturday.
        ("2026-11-24T05:00:00+02:00", 1, "2026-11-24T09:00:00+02:00"),
        ("2026-11-24T20:00:00+02:00", 8, "2026-11-25T16:00:00+02:00"),
        ("2026-11-28T12:00:00+02:00", 1, "2026-11-30T09:00:00+02:00"),
        # Independence day falls on a Sunday in 2026; Christmas Eve to Boxing day are closed.
        ("2026-12-23T15:00:00+02:00", 2, "2026-12-28T09:00:00+02:00"),
    ],
)
def test_time_outs_count_office_hours(instant: str, hours: float, due: str) -> None:
    assert HOURS.after(datetime.fromisoformat(instant), hours) == datetime.fromisoformat(due)


def test_where_somebody_is_always_on_duty_every_hour_counts() -> None:
    always = OfficeHours(always_open=True)
    assert always.after(NOW, 24) == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    assert always.is_open_on(date(2026, 12, 25))
    assert not HOURS.is_open_on(date(2026, 12, 25))
    assert HOURS.next_open_day(date(2026, 12, 24)) == date(2026, 12, 28)


def test_the_latest_rule_that_began_counts_and_what_is_shipped_is_unverified() -> None:
    shipped = data.response_times()
    assert {rule.channel for rule in shipped} == set(Channel)
    assert {rule.certainty for rule in shipped} == {"unverified"}
    decided = ResponseTime(
        channel=Channel.FORM, hours=8, valid_from=date(2026, 12, 1), certainty="verified", source="decided"
    )
    before = in_force([*shipped, decided], Channel.FORM, date(2026, 11, 30))
    assert before is not None
    assert before.certainty == "unverified"
    assert in_force([*shipped, decided], Channel.FORM, date(2026, 12, 1)) == decided
    assert in_force(shipped, Channel.FORM, date(2024, 12, 31)) is None


def test_a_live_call_is_a_channel_of_its_own_and_began_when_the_telephone_was_taken() -> None:
    call = CallIn(topic=ContactTopic.TRAINING, minutes=12).contact(NOW)
    assert (channel_of(call), call.received_at) == (Channel.PHONE, datetime(2026, 11, 24, 7, 48, tzinfo=UTC))
    form = Contact(channel=ContactChannel.FORM, received_at=NOW)
    assert channel_of(form) is Channel.FORM


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_an_answer_goes_out_in_the_contacts_language_and_its_subject_tells_no_matter(language: Language) -> None:
    words = letters.answer(language, "Kokki? Ring oss!\n")
    assert words.body.startswith("Kokki? Ring oss!\n\n-- \n")
    assert "Kokki" not in words.subject
    assert len({letters.answer(one, "x").subject for one in ("fi", "sv", "en")}) == 3


def test_an_announcement_by_e_mail_can_be_left_with_one_press() -> None:
    url = "https://x.example/v1/subscriptions/1/removal"
    words = letters.announcement(Texts(title="Uutta\nBcc: x@y.example", body="Sisältö"), "fi", url)
    row = LetterRow(
        letter_id=UUID(int=1),
        kind=letters.LetterKind.ANNOUNCEMENT,
        about=UUID(int=2),
        address="a@b.example",
        language="fi",
        subject=" ".join(words.subject.split()),
        body=words.body,
        unsubscribe_url=words.unsubscribe_url,
        written_by="rule",
        written_at=NOW,
        state=LetterState.QUEUED,
        next_attempt_at=NOW,
    )
    message = email_of(row, "neuvonta@kaupunki.example")
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == f"<{UUID(int=1)}@kaupunki.example>"
    assert message["Bcc"] is None
    assert url in message.get_content()


def announcement() -> AnnouncementRow:
    texts = Trilingual(**{one: Texts(title=f"T <{one}>", body=f"B & {one}\x0b") for one in ("fi", "sv", "en")})
    return AnnouncementRow(
        announcement_id=UUID(int=7),
        texts=texts,
        audiences=[Audience.EMPLOYERS],
        publish_on=date(2026, 11, 24),
        made_by="officer:v-1",
        made_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


def test_feeds_say_the_same_in_atom_and_json_in_one_language() -> None:
    url = "https://x.example/v1/feeds/employers/sv.atom"
    feed = ET.fromstring(feeds.atom([announcement()], Audience.EMPLOYERS, "sv", url))  # noqa: S314 - our own
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    said = {child.tag.removeprefix(ATOM): child.text for child in entry}
    assert (said["title"], said["content"]) == ("T <sv>", "B & sv")
    assert said["published"] == "2026-11-24T00:00:00+02:00"
    assert feed.findtext(f"{ATOM}title") == letters.list_title(Audience.EMPLOYERS, "sv")
    shown = feeds.json_feed([announcement()], Audience.EMPLOYERS, "sv", url)
    assert shown["items"][0]["id"] == said["id"] == f"urn:uuid:{UUID(int=7)}"
    assert ET.fromstring(feeds.atom([], Audience.JOBSEEKERS, "fi", url)).find(f"{ATOM}entry") is None  # noqa: S314
