"""Matching, vacancies and the pool, as pure functions."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.placement import data
from services.placement.authority.invented import invent
from services.placement.domain import vacancy as lifecycle
from services.placement.domain.matching import Profile, Scorer, rank, shared_digits, why_not
from services.placement.domain.occupation import isco
from services.placement.domain.pool import Jobseeker, Report, read
from services.placement.domain.vacancy import Change, Filter, Posting
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import Vacancy, VacancyState, VacancySubmitted, Wanted
from shared.pseudonyms import reference_of

TODAY = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
WANTED = Wanted(
    occupation=Occupation(scheme="ISCO-08", code="2512"),
    skills=("Python", "Kafka"),
    languages=("fi", "en"),
    municipality="091",
    starts_on=date(2026, 12, 1),
)


def profile(reference: str = "a", **changes: Any) -> Profile:
    values: dict[str, Any] = {
        "occupations": ("2512",),
        "skills": frozenset({"python", "kafka"}),
        "languages": frozenset({"fi", "en"}),
        "commuting": frozenset({"091"}),
        "available_from": TODAY,
    }
    return Profile(reference=reference, **(values | changes))


def score(**changes: Any) -> int:
    return sum(Scorer(WANTED, TODAY).points(profile("a", **changes)))


def test_a_profile_that_fits_in_everything_has_a_hundred_points() -> None:
    assert score() == 100


@pytest.mark.parametrize(("code", "points"), [("2512", 100), ("2513", 85), ("2521", 65), ("2141", 50), ("5120", 50)])
def test_occupations_are_compared_by_the_tree_of_isco_08(code: str, points: int) -> None:
    assert score(occupations=(code,)) == points


def test_the_nearest_of_several_occupations_counts() -> None:
    assert score(occupations=("5120", "2512")) == 100


def test_skills_and_languages_count_by_share_whatever_their_case() -> None:
    assert score(skills=frozenset({"python"})) == 90
    assert score(skills=frozenset()) == 80
    assert score(languages=frozenset({"sv"})) == 90


def test_being_available_late_costs_more_the_later_it_is() -> None:
    late = [score(available_from=date(2026, 12, day)) for day in (1, 10, 31)]
    assert late == sorted(late, reverse=True)
    assert late[0] == 100
    assert score(available_from=date(2027, 6, 1)) == 90
    assert score(available_from=None) == 90


def test_every_factor_has_a_reason_and_the_points_add_up() -> None:
    match = Scorer(WANTED, TODAY).explain(profile(occupations=("2513",), commuting=frozenset({"092"})))
    assert [reason.factor for reason in match.reasons] == [
        "occupation",
        "skills",
        "languages",
        "commuting",
        "availability",
    ]
    assert sum(reason.points for reason in match.reasons) == match.score
    assert [reason.why for reason in match.reasons][:1] == ["the same minor group"]


profiles = st.lists(
    st.builds(
        profile,
        reference=st.uuids().map(str),
        occupations=st.lists(st.sampled_from(["2512", "2513", "2141", "5120"]), min_size=1, max_size=2).map(tuple),
        skills=st.frozensets(st.sampled_from(["python", "kafka", "java"])),
        languages=st.frozensets(st.sampled_from(["fi", "sv", "en"])),
        commuting=st.frozensets(st.sampled_from(["091", "092"])),
        available_from=st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 12, 31))),
    ),
    max_size=30,
    unique_by=lambda one: one.reference,
)


@given(profiles, st.integers(1, 10), st.randoms(use_true_random=False))
def test_the_same_pool_gives_the_same_order_however_it_is_read(
    pool: list[Profile], at_most: int, chance: random.Random
) -> None:
    first, considered = rank(pool, WANTED, TODAY, at_most)
    shuffled = list(pool)
    chance.shuffle(shuffled)
    assert rank(shuffled, WANTED, TODAY, at_most) == (first, considered)
    assert considered == len(pool)
    assert [(-one.score, one.profile.reference) for one in first] == sorted(
        (-one.score, one.profile.reference) for one in first
    )
    left_out = {one.reference for one in pool} - {one.profile.reference for one in first}
    if first and len(first) == at_most:
        scorer = Scorer(WANTED, TODAY)
        for one in pool:
            if one.reference in left_out and scorer.points(one)[0]:
                assert sum(scorer.points(one)) <= first[-1].score


def test_an_occupation_far_away_is_no_candidate_however_well_the_rest_fits() -> None:
    assert rank([profile(occupations=("5120",))], WANTED, TODAY, 10) == ([], 1)


def test_why_a_jobseeker_is_not_a_candidate_is_told() -> None:
    best, _ = rank([profile("a"), profile("b")], WANTED, TODAY, 1)
    assert why_not(profile("a"), WANTED, TODAY, best, 1)[1] == "among the candidates"
    assert why_not(profile("b"), WANTED, TODAY, best, 1)[1].startswith("1 others score 100 or more")
    assert "no occupation" in why_not(profile("c", occupations=("5120",)), WANTED, TODAY, best, 1)[1]


def test_esco_codes_are_compared_by_their_isco_group() -> None:
    assert isco(Occupation(scheme="ESCO", code="2512.4")) == "2512"
    assert isco(Occupation(scheme="TK10", code="2512")) == ""
    assert shared_digits("2512", "2521") == 2


# -- vacancies


def vacancy(**changes: object) -> Vacancy:
    return Vacancy.model_validate(
        {
            "title": "Kokki",
            "employer": {"business_id": "2077474-0"},
            "occupation": {"scheme": "ISCO-08", "code": "5120"},
            "municipality": "091",
        }
        | changes
    )


def posting(state: VacancyState = VacancyState.OPEN) -> Posting:
    return lifecycle.report(uuid4(), vacancy(), "5120", state, "system:x", AT).posting


def submitted(revision: int = 1, **changes: object) -> VacancySubmitted:
    return VacancySubmitted(vacancy_id=uuid4(), revision=revision, vacancy=vacancy(**changes))


def test_a_stopped_vacancy_shows_its_state_and_no_content() -> None:
    assert lifecycle.published(posting()).vacancy is not None
    for state in (VacancyState.PAUSED, VacancyState.FILLED, VacancyState.EXPIRED, VacancyState.WITHDRAWN):
        stopped = lifecycle.move(posting(), state, AT)
        assert stopped.events == (lifecycle.published(stopped.posting),)
        assert lifecycle.published(stopped.posting).vacancy is None
        assert lifecycle.published(stopped.posting).version == 2


def test_nobody_is_told_of_a_draft_until_it_opens() -> None:
    draft = lifecycle.report(uuid4(), vacancy(), "5120", VacancyState.DRAFT, "system:x", AT)
    assert draft.events == ()
    assert lifecycle.revise(draft.posting, vacancy(title="Keittiömestari"), "5120", 1, AT).events == ()
    assert len(lifecycle.move(draft.posting, VacancyState.OPEN, AT).events) == 1


@pytest.mark.parametrize("end", [VacancyState.FILLED, VacancyState.EXPIRED, VacancyState.WITHDRAWN])
def test_a_vacancy_that_has_ended_changes_no_more(end: VacancyState) -> None:
    ended = lifecycle.move(posting(), end, AT).posting
    assert lifecycle.move(ended, end, AT) == Change(ended)
    with pytest.raises(ConflictError):
        lifecycle.move(ended, VacancyState.OPEN, AT)
    with pytest.raises(ConflictError):
        lifecycle.revise(ended, vacancy(), "5120", 1, AT)


def test_a_draft_opens_and_a_paused_vacancy_opens_again() -> None:
    assert lifecycle.move(posting(VacancyState.DRAFT), VacancyState.OPEN, AT).posting.state is VacancyState.OPEN
    paused = lifecycle.move(posting(), VacancyState.PAUSED, AT).posting
    assert lifecycle.move(paused, VacancyState.OPEN, AT).posting.version == 3
    with pytest.raises(ConflictError):
        lifecycle.move(posting(VacancyState.DRAFT), VacancyState.FILLED, AT)


def test_a_revision_must_follow_the_newest_one() -> None:
    revised = lifecycle.revise(posting(), vacancy(title="Keittiömestari"), "5120", 1, AT).posting
    assert (revised.revision, revised.version) == (2, 2)
    with pytest.raises(ConflictError, match="newest revision is 2") as conflict:
        lifecycle.revise(revised, vacancy(), "5120", 1, AT)
    assert conflict.value.code == "stale-predecessor"


@pytest.mark.parametrize("business_id", ["2077474-1", "20774741", "1"])
def test_an_employer_needs_a_valid_business_id(business_id: str) -> None:
    wrong = vacancy(employer={"business_id": business_id})
    with pytest.raises(RefusedError) as reported:
        lifecycle.report(uuid4(), wrong, "5120", VacancyState.OPEN, "system:x", AT)
    with pytest.raises(RefusedError) as revised:
        lifecycle.revise(posting(), wrong, "5120", 1, AT)
    for refusal in (reported.value, revised.value):
        assert (refusal.pointer, refusal.code) == ("/vacancy/employer/business_id", "wrong-business-id")


def test_what_another_system_submits_is_reported_then_revised_and_repeated_without_effect() -> None:
    first = lifecycle.submit(None, submitted(), "5120", "topic:/systems/jobs", AT)
    assert (first.posting.version, first.posting.filed_by, len(first.events)) == (1, "topic:/systems/jobs", 1)
    assert lifecycle.submit(first.posting, submitted(), "5120", "topic:/systems/jobs", AT) == Change(first.posting)
    second = lifecycle.submit(first.posting, submitted(2, title="Keittiömestari"), "5120", "topic:/systems/jobs", AT)
    assert (second.posting.revision, second.posting.vacancy.title) == (2, "Keittiömestari")
    with pytest.raises(ConflictError):
        lifecycle.submit(first.posting, submitted(3), "5120", "topic:/systems/jobs", AT)
    with pytest.raises(UnknownError):
        lifecycle.submit(None, submitted(2), "5120", "topic:/systems/jobs", AT)


def test_what_the_pools_are_asked_for_says_nothing_of_the_employer() -> None:
    assert "2077474" not in lifecycle.wanted(posting()).model_dump_json()


def test_the_pools_are_asked_for_an_open_vacancy_alone() -> None:
    with pytest.raises(ConflictError):
        lifecycle.wanted(lifecycle.move(posting(), VacancyState.PAUSED, AT).posting)


# -- the pool

CSV = """jobseeker_id,name,municipality,occupations,skills,languages,commuting,available_from,removed
1,Aino Esimerkki,091,5120;9412,Grilli,fi;sv,091;092,2026-12-01,
2,Eero Mallinen,91,5120,,,,,
3,Kari Koekoski,091,kokki,,,,,
4,,,,,,,,true
"""


def test_an_import_takes_what_is_good_and_reports_the_rest_without_its_values() -> None:
    report = Report()
    found = list(read(CSV.splitlines(), "csv", report))
    assert [one if isinstance(one, str) else one.jobseeker_id for one in found] == ["1", "4"]
    first = found[0]
    assert isinstance(first, Jobseeker)
    assert first.occupations == ("5120", "9412")
    assert (report.taken, report.removed) == (1, 1)
    assert [line for line, _ in report.refused] == [3, 4]
    assert "Mallinen" not in str(report.refused)
    assert "kokki" not in str(report.refused)


def test_json_lines_are_read_too_and_a_broken_line_is_reported() -> None:
    report = Report()
    good = {"jobseeker_id": "1", "name": "Aino Esimerkki", "municipality": "091", "occupations": ["5120"]}
    assert len(list(read([json.dumps(good), "{", "[]", ""], "jsonl", report))) == 1
    assert [line for line, _ in report.refused] == [2, 3]


def test_references_are_the_same_for_a_city_and_unlinkable_between_cities() -> None:
    assert reference_of(b"key of one", "17") == reference_of(b"key of one", "17")
    assert reference_of(b"key of one", "17") != reference_of(b"key of another", "17")
    assert "17" not in reference_of(b"key of one", "17")


def test_invented_profiles_are_valid_and_the_same_for_the_same_seed() -> None:
    occupations = [(code, int(row["weight"])) for code, row in data.occupations().items()]
    first = list(invent(200, "vantaa", ["092"], occupations, 1, TODAY))
    assert first == list(invent(200, "vantaa", ["092"], occupations, 1, TODAY))
    assert first != list(invent(200, "vantaa", ["092"], occupations, 2, TODAY))
    assert len({one.jobseeker_id for one in first}) == 200
    assert all(len(code) == 4 for code in data.occupations())


# -- what a vacancy and a profile say of each other


def test_an_obligatory_language_that_is_missing_is_named() -> None:
    match = Scorer(WANTED, TODAY).explain(profile("a", languages=("en",)))
    reason = next(reason for reason in match.reasons if reason.factor == "languages")
    assert reason.missing == ("fi",)
    assert reason.why == "1 of 2 languages; obligatory and missing: fi"
    assert not any(reason.missing for reason in Scorer(WANTED, TODAY).explain(profile("b")).reasons)


def test_any_of_several_workplaces_is_near_enough() -> None:
    elsewhere = WANTED.model_copy(update={"municipality": "837", "municipalities": ("091",)})
    reasons = Scorer(elsewhere, TODAY).explain(profile("a")).reasons
    assert next(reason.points for reason in reasons if reason.factor == "commuting") == 10
    nowhere = WANTED.model_copy(update={"municipality": "837"})
    reasons = Scorer(nowhere, TODAY).explain(profile("a")).reasons
    assert next(reason.points for reason in reasons if reason.factor == "commuting") == 0


def test_a_revision_with_no_more_positions_than_are_filled_fills_the_vacancy() -> None:
    first = lifecycle.report(uuid4(), vacancy(positions=3), "5120", VacancyState.OPEN, "system:x", AT).posting
    hired = lifecycle.fill(first, AT).posting
    assert (hired.filled, hired.state) == (1, VacancyState.OPEN)
    settled = lifecycle.revise(hired, vacancy(positions=1), "5120", 1, AT).posting
    assert (settled.state, settled.removal) == (VacancyState.FILLED, lifecycle.Removal.FILLED)


def test_a_correction_opens_only_what_hirings_had_filled() -> None:
    reported_filled = lifecycle.move(lifecycle.fill(posting_of(2), AT).posting, VacancyState.FILLED, AT).posting
    assert lifecycle.vacate(reported_filled, AT).posting.state is VacancyState.FILLED
    by_hirings = lifecycle.fill(posting_of(1), AT).posting
    assert lifecycle.vacate(by_hirings, AT).posting.state is VacancyState.OPEN


def test_what_is_published_says_how_many_positions_are_open() -> None:
    hired = lifecycle.fill(posting_of(10), AT).posting
    assert lifecycle.published(posting_of(10)).open_positions == 10
    assert lifecycle.published(hired).open_positions == 9
    assert lifecycle.published(lifecycle.move(hired, VacancyState.PAUSED, AT).posting).open_positions is None


def test_a_correction_after_the_last_day_advertises_nothing() -> None:
    last_day = lifecycle.revise(posting_of(1), vacancy(positions=1, expires_on="2026-11-24"), "5120", 1, AT).posting
    hired = lifecycle.fill(last_day, AT).posting
    assert lifecycle.vacate(hired, AT).posting.state is VacancyState.OPEN
    assert lifecycle.vacate(hired, AT + timedelta(days=1)).posting.state is VacancyState.EXPIRED


def posting_of(positions: int) -> Posting:
    return lifecycle.report(uuid4(), vacancy(positions=positions), "5120", VacancyState.OPEN, "x", AT).posting


def test_a_filter_fits_any_workplace_and_a_beginning_of_the_occupation() -> None:
    shown = lifecycle.report(uuid4(), vacancy(municipalities=["049"]), "5120", VacancyState.OPEN, "x", AT).posting
    assert lifecycle.Filter("049", "51", "fi").fits(shown)
    assert lifecycle.Filter().fits(shown)
    for other in (lifecycle.Filter("092"), lifecycle.Filter(None, "52"), lifecycle.Filter(None, None, "sv")):
        assert not other.fits(shown)


def test_an_advertisement_in_several_languages_is_found_by_each_of_them() -> None:
    translated = vacancy(translations=[{"language": "sv", "title": "Kock"}])
    shown = lifecycle.report(uuid4(), translated, "5120", VacancyState.OPEN, "system:jobs", AT).posting
    assert [Filter(language=language).fits(shown) for language in ("fi", "sv", "en")] == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"languages": ["Finnish"]}, "wrong-language"),
        ({"languages": ["FI"]}, "wrong-language"),
        ({"translations": [{"language": "fi", "title": "Kokki"}]}, "same-language-twice"),
        ({"starts_on": "2027-02-01", "ends_on": "2027-01-31"}, "wrong-dates"),
    ],
)
def test_what_nobody_could_fit_or_read_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        lifecycle.check(vacancy(**changes))
    assert refusal.value.code == code


def test_nobody_learns_of_a_draft_that_is_withdrawn_unseen() -> None:
    change = lifecycle.move(posting(VacancyState.DRAFT), VacancyState.WITHDRAWN, AT)
    assert (change.events, change.posting.removal, change.posting.shown_at) == ((), None, None)
    opened = lifecycle.move(posting(VacancyState.DRAFT), VacancyState.OPEN, AT).posting
    seen = lifecycle.move(opened, VacancyState.WITHDRAWN, AT)
    assert (len(seen.events), seen.posting.removal, seen.posting.shown_at) == (1, lifecycle.Removal.WITHDRAWN, AT)
