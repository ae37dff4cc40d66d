"""Who handles a contact, when two contacts are one, what an e-mail says, and how resources compare."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.advisory import data
from services.advisory.domain.assignment import Adviser, assign, deputy
from services.advisory.domain.contact import (
    ContactState,
    Earlier,
    Person,
    check_business_id,
    ends,
    joins,
    reopened_by_city,
    telephone_number,
)
from services.advisory.domain.mail import read
from services.advisory.domain.resources import (
    TASKS,
    Agreed,
    WorkQuestion,
    agreed_on,
    check_question,
    compare,
    review,
    shares,
)
from services.advisory.joint import resourcing_report
from shared.errors import RefusedError
from shared.events.v1.advisory import Contact, ContactChannel, ContactTopic
from shared.events.values import Absence
from shared.fair_shares import BEHIND

DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PRINCIPLE = data.first_agreement().agreement.shares
AGREED = {"helsinki": 20.0, "espoo": 10.0, "vantaa": 10.0}
ALL = frozenset(ContactTopic)


def adviser(name: str, authority: str, **changes: object) -> Adviser:
    values: dict[str, object] = {
        "officer": name,
        "authority": authority,
        "topics": ALL,
        "languages": frozenset({"fi", "sv", "en"}),
        "person_years": 0.5,
    }
    return Adviser(**values | changes)  # type: ignore[arg-type]


TEAM = [adviser(f"{authority}-{number}", authority) for authority in AGREED for number in (1, 2)]

handled = st.fixed_dictionaries({name: st.integers(0, 500) for name in AGREED})


@given(handled=handled, opens=st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_who_is_behind_is_next_and_otherwise_who_has_least_to_do(handled: dict[str, int], opens: list[int]) -> None:
    team = [adviser(one.officer, one.authority, open=count) for one, count in zip(TEAM, opens, strict=True)]
    decision = assign(ContactTopic.OTHER, "fi", team, handled, AGREED, DAY, 3)
    able = [one for one in team if one.open < 3]
    if not able:
        assert decision.adviser is None
        assert "have 3 open contacts" in decision.reason
        return
    assert decision.adviser in able
    turn = {name: (handled[name] + 1) / years for name, years in AGREED.items()}
    least = min(turn[one.authority] for one in able)
    next_ones = [one for one in able if turn[one.authority] == least]
    share = handled[next_ones[0].authority] / (sum(handled.values()) + 1)
    if AGREED[next_ones[0].authority] / 40 - share > BEHIND:
        assert turn[decision.adviser.authority] == least
    else:
        assert decision.adviser.open == min(one.open for one in able)
    own = [one.open for one in able if one.authority == decision.adviser.authority]
    assert decision.adviser.open == min(own)
    assert decision == assign(ContactTopic.OTHER, "fi", team[::-1], handled, AGREED, DAY, 3)


def test_a_hundred_contacts_are_shared_as_agreed() -> None:
    had = dict.fromkeys(AGREED, 0)
    for _ in range(100):
        decision = assign(ContactTopic.OTHER, "fi", TEAM, had, AGREED, DAY, 3)
        assert decision.adviser is not None
        had[decision.adviser.authority] += 1
    assert had == {"helsinki": 50, "espoo": 25, "vantaa": 25}


def test_a_contact_goes_to_somebody_who_is_there_and_knows_the_topic_and_the_language() -> None:
    team = [
        adviser("away", "helsinki", absences=(Absence(since=DAY, until=DAY),)),
        adviser("no-swedish", "helsinki", languages=frozenset({"fi"})),
        adviser("no-training", "espoo", topics=ALL - {ContactTopic.TRAINING}),
        adviser("right", "vantaa"),
    ]
    decision = assign(ContactTopic.TRAINING, "sv", team, {}, AGREED, DAY, 3)
    assert decision.adviser is not None
    assert decision.adviser.officer == "right"
    assert decision.reason == (
        "vantaa has had 0.0% of contacts, 25.0% is agreed; the officer advises on training in sv and has 0 open"
    )


@pytest.mark.parametrize(
    ("team", "why"),
    [
        ([], "nobody advises on other in fi"),
        (
            [adviser("a", "espoo", absences=(Absence(since=DAY, until=DAY),))],
            "all 1 who advise on other in fi are absent",
        ),
        ([adviser("a", "espoo", open=3)], "all 1 who advise on other in fi have 3 open contacts"),
    ],
)
def test_a_contact_that_waits_says_why(team: list[Adviser], why: str) -> None:
    decision = assign(ContactTopic.OTHER, "fi", team, {}, AGREED, DAY, 3)
    assert (decision.adviser, decision.reason) == (None, why)


def test_without_a_limit_the_open_work_decides_among_them_and_shuts_nobody_out() -> None:
    team = [adviser("a", "espoo", open=900), adviser("b", "espoo", open=20_000)]
    decision = assign(ContactTopic.OTHER, "fi", team, {}, {"espoo": 1.0}, DAY, open_limit=None)
    assert decision.adviser is not None
    assert decision.adviser.officer == "a"
    assert assign(ContactTopic.OTHER, "fi", team, {}, {"espoo": 1.0}, DAY, open_limit=900).adviser is None


# -- contacts


def contact(**changes: object) -> Contact:
    values: dict[str, object] = {
        "channel": ContactChannel.FORM,
        "topic": ContactTopic.RECRUITMENT,
        "business_id": "2077474-0",
        "received_at": NOW,
    }
    return Contact(**values | changes)


def earlier(callers: tuple[str, ...] = (), **changes: object) -> Earlier:
    return Earlier(UUID(int=1), contact(channel=ContactChannel.CALL_BACK, **changes), frozenset(callers))


def test_the_same_employer_about_the_same_topic_within_three_days_is_one_matter() -> None:
    joined = joins(contact(), frozenset(), [earlier(received_at=NOW - timedelta(days=3))])
    assert joined == (
        UUID(int=1),
        "the same employer by call_back and form, both about recruitment, within three days",
    )
    assert joins(contact(), frozenset(), [earlier(received_at=NOW - timedelta(days=3, seconds=1))]) is None
    assert joins(contact(), frozenset(), [earlier(topic=ContactTopic.TRAINING)]) is None
    assert joins(contact(), frozenset(), [earlier(business_id="0737546-2")]) is None


def test_the_same_caller_is_one_matter_unless_two_employers_are_named() -> None:
    callers = frozenset({"358400000000"})
    unnamed = earlier(("358400000000",), business_id=None)
    assert joins(contact(), callers, [unnamed]) is not None
    assert joins(contact(), callers, [earlier(("358400000000",), business_id="0737546-2")]) is None
    assert joins(contact(business_id=None), frozenset({"other"}), [unnamed]) is None


def test_what_is_about_nothing_named_is_never_joined_by_itself() -> None:
    other = contact(topic=ContactTopic.OTHER)
    assert joins(other, frozenset(), [earlier(topic=ContactTopic.OTHER)]) is None


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("040 123 4567", "+358401234567"),
        ("+358 40 123 4567", "+358401234567"),
        ("00358-40-1234567", "+358401234567"),
        ("+358 (0)40 1234567", "+358401234567"),
        ("+46 70 123 45 67", "+46701234567"),
        ("tel. 12", None),
        ("soittakaa", None),
        ("", None),
    ],
)
def test_a_telephone_number_is_compared_in_one_form(written: str, number: str | None) -> None:
    assert telephone_number(written) == number
    assert Person(phone=written).callers == (frozenset({number}) if number else frozenset())


@pytest.mark.parametrize(
    ("seen", "reopened", "over"), [(None, None, 1), (3, None, 1), (None, 4, 1), (4, 4, 1), (3, 4, 0)]
)
def test_an_answer_that_did_not_see_the_later_contact_does_not_end_the_earlier(
    seen: int | None, reopened: int | None, over: int
) -> None:
    assert ends(ContactState.ASSIGNED, ContactState.ANSWERED, seen, reopened) == bool(over)
    assert ends(ContactState.ASSIGNED, ContactState.CLOSED, seen, reopened) == bool(over)
    assert not ends(ContactState.CLOSED, ContactState.ANSWERED, seen, reopened)


@pytest.mark.parametrize(
    ("seen", "reopened", "version"), [(None, None, None), (3, None, 3), (None, 4, 4), (4, 3, 4), (3, 4, 4)]
)
def test_a_citys_own_reopening_does_not_undo_the_answer_that_it_gives_next(
    seen: int | None, reopened: int | None, version: int | None
) -> None:
    assert reopened_by_city(seen, reopened) == version
    # Another reopening that the city has not seen still counts.
    is_unseen = seen is not None and reopened is not None and reopened > seen
    assert ends(ContactState.ASSIGNED, ContactState.ANSWERED, seen, version) != is_unseen


def test_an_absent_officers_contact_goes_to_another_of_the_same_city_however_busy() -> None:
    away = adviser("espoo-1", "espoo", open=1)
    busy, elsewhere = adviser("espoo-2", "espoo", open=40), adviser("vantaa-1", "vantaa")
    decision = deputy(ContactTopic.TRAINING, "sv", [away, elsewhere, busy], away, DAY)
    assert (decision.adviser, decision.reason) == (busy, "the officer who had it is absent; given to another of espoo")
    nobody = deputy(ContactTopic.TRAINING, "sv", [away, elsewhere], away, DAY)
    assert nobody.adviser is None
    assert nobody.reason == "the officer is absent, and in espoo nobody advises on training in sv"


def test_a_business_id_that_does_not_hold_is_refused() -> None:
    check_business_id("2077474-0")
    check_business_id(None)
    with pytest.raises(RefusedError) as refused:
        check_business_id("2077474-1")
    assert (refused.value.pointer, refused.value.code) == ("/business_id", "wrong-business-id")


def mail(to: str, subject: str, body: str = "", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Esa Esimerkki <esa@example.org>"
    message["To"] = to
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


@pytest.mark.parametrize(
    ("to", "subject", "language", "topic"),
    [
        ("neuvonta@example.org", "Lomautuksista ja rekrytoinnista", "fi", "change_situation"),
        ("Radgivning@example.org", "Vi vill anställa två kockar", "sv", "recruitment"),
        ("advice@example.org", "Training for our staff", "en", "training"),
        ("neuvonta@example.org", "Palkkatuki uudelle työntekijälle", "fi", "wage_subsidy"),
        ("muu@example.org", "Kysymys", "fi", "other"),
    ],
)
def test_an_e_mail_tells_its_language_and_topic(to: str, subject: str, language: str, topic: str) -> None:
    found = read(mail(to, subject), NOW).contact
    assert (found.language, found.topic) == (language, topic)


@pytest.mark.parametrize(
    ("words", "business_id"),
    [
        ("Y-tunnus 2077474-0", "2077474-0"),
        ("y-tunnus: 20774740", "2077474-0"),
        ("Ytunnus 20774740.", "2077474-0"),
        ("FO-nummer 20774740", "2077474-0"),
        ("VAT FI20774740", "2077474-0"),
        ("Business ID 2077474-0", "2077474-0"),
        ("tilausnumero 20774740", None),
        ("y-tunnus 20774741", None),
        ("FI207747401", None),
    ],
)
def test_an_e_mail_tells_a_business_id_however_it_is_written(words: str, business_id: str | None) -> None:
    read_mail = read(mail("neuvonta@example.org", "Kysymys", f"Yritys, {words}\nTerveisin"), NOW)
    assert read_mail.contact.business_id == business_id


def test_an_e_mail_tells_a_valid_business_id_and_when_it_was_sent() -> None:
    body = "Yrityksemme 2077474-1, ei kun 2077474-0."
    found = read(mail("neuvonta@example.org", "Hei", body, Date="Tue, 24 Nov 2026 09:00:00 +0200"), NOW)
    assert found.contact.business_id == "2077474-0"
    assert found.contact.received_at == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert found.person.email == "esa@example.org"
    assert read(mail("a@example.org", "Hei", Date="Tue, 24 Nov 2099 09:00:00"), NOW).contact.received_at == NOW
    html = mail("a@example.org", "Hei")
    html.set_content("<p>Palkkatuki <b>2077474-0</b></p>", subtype="html")
    assert read(html, NOW).contact.business_id == "2077474-0"


# -- resources


def test_the_agreed_person_years_add_up_to_the_agreement_and_are_dated() -> None:
    by_task = {task: agreed_on(data.agreed(), task, DAY) for task in TASKS}
    for authority, years in AGREED.items():
        assert sum(years_of[authority] for years_of in by_task.values()) == years
    assert agreed_on(data.agreed(), "advisory", date(2024, 12, 31)) == {}
    later = Agreed("advisory", "espoo", 3.0, date(2027, 1, 1), None, "read", "decided")
    rules = [*data.agreed(), later]
    assert agreed_on(rules, "advisory", date(2026, 12, 31))["espoo"] == 2.0
    assert agreed_on(rules, "advisory", date(2027, 1, 1))["espoo"] == 3.0


def test_a_review_compares_shares_and_masks_below_five() -> None:
    names = ["espoo", "helsinki", "vantaa"]
    whole = {
        one.authority: one for one in compare("advisory", AGREED, {"helsinki": 60, "espoo": 20, "vantaa": 20}, names)
    }
    assert (whole["helsinki"].agreed_share, whole["helsinki"].actual_share) == (0.5, 0.6)
    assert whole["helsinki"].actual_years == 24.0
    masked = compare("advisory", AGREED, {"helsinki": 60, "espoo": 4, "vantaa": 9}, names)
    assert [(one.acts, one.actual_share, one.actual_years) for one in masked] == [(None, None, None)] * 3
    nothing = compare("advisory", AGREED, {}, names)
    assert [(one.acts, one.actual_share) for one in nothing] == [(0, None)] * 3


def test_a_review_is_to_be_checked_until_every_figure_in_it_is_decided() -> None:
    question = WorkQuestion(since=date(2026, 1, 1), until=date(2026, 12, 31))
    names = sorted(AGREED)
    decided = [Agreed(task, name, 1.0, date(2026, 1, 1), None, "verified", "d") for task in TASKS for name in names]
    acts = {"advisory": {"helsinki": 60, "espoo": 20, "vantaa": 20}}
    whole = review(question, [*data.agreed(), *decided], PRINCIPLE, acts, names, ["training"])
    assert [row.acts for row in whole.rows if row.task == "advisory"] == [20, 60, 20]
    assert {row.agreed_share for row in whole.rows} == {0.3333}
    assert (whole.missing_services, whole.to_be_checked) == (("training",), False)
    assert review(question, [*data.agreed(), *decided[1:]], PRINCIPLE, acts, names, []).to_be_checked
    later = [replace(one, valid_from=DAY) for one in decided]
    assert review(question, [*data.agreed(), *later], PRINCIPLE, acts, names, []).to_be_checked


def test_a_review_that_cannot_be_is_refused() -> None:
    with pytest.raises(RefusedError, match="before the first"):
        check_question(WorkQuestion(since=date(2026, 2, 1), until=date(2026, 1, 31)))
    first, last = WorkQuestion(since=date(2026, 1, 1), until=date(2026, 1, 1)).instants
    assert last - first == timedelta(days=1)


def test_shares_compare_the_agreement_with_what_was_given() -> None:
    found = {share.authority: share for share in shares(AGREED, {"helsinki": 3, "espoo": 1})}
    assert (found["helsinki"].agreed_share, found["helsinki"].actual_share) == (0.5, 0.75)
    assert (found["vantaa"].contacts, found["vantaa"].actual_share) == (0, 0.0)
    assert [share.actual_share for share in shares(AGREED, {})] == [None] * 3


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_the_report_is_written_in_each_language_as_html_and_pdf(lang: resourcing_report.Lang) -> None:
    question = WorkQuestion(since=date(2026, 1, 1), until=date(2026, 12, 31))
    acts = {"advisory": {"helsinki": 60, "espoo": 4, "vantaa": 9}, "training": {"helsinki": 60, "espoo": 20}}
    later = [replace(rule, person_years=7.25, valid_from=date(2026, 7, 1)) for rule in data.agreed()]
    year = review(question, [*data.agreed(), *later], PRINCIPLE, acts, sorted(AGREED), ["training"])
    page = resourcing_report.html(year, lang)
    words = {"fi": "peitetty", "sv": "dold", "en": "masked"}
    assert page.count(f"<td>{words[lang]}</td>") == 3
    assert page.count("<caption>") == 3
    assert page.count("2026-07-01") == 15  # each figure that took the place of another in the period
    assert f'<html lang="{lang}">' in page
    assert "http" not in page.replace("https://www.w3.org", "")
    assert resourcing_report.pdf(year, lang).startswith(b"%PDF")
