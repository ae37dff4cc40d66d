"""Which ISCO-08 group an occupation lies in, and what is refused."""

import pytest

from services.placement.domain.occupation import Concept, checked, concept_uri, concepts, group_in, isco
from services.placement.domain.pool import Jobseeker, PersonalProfile, classified, concept_uris
from shared.errors import RefusedError
from shared.events.v1.change_security import Occupation

COOK = "http://data.europa.eu/esco/occupation/90f75f67-495d-49fa-ab57-2f320e251d7e"


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("5120", "5120"),
        ("51", "51"),
        ("51201", "5120"),
        ("5120.1.2", "5120"),
        ("C5120", "5120"),
        ("http://data.europa.eu/esco/isco/C5120", "5120"),
        ("https://data.europa.eu/esco/isco/C0110", "0110"),
        ("5720", ""),
        ("8400", ""),
        ("kokki", ""),
        ("５１２０", ""),
        (COOK, ""),
    ],
)
def test_a_code_says_its_group_and_one_outside_the_tree_none(code: str, group: str) -> None:
    assert group_in(code) == group


def test_only_a_single_occupations_uri_is_looked_up() -> None:
    assert concept_uri(Occupation(scheme="ESCO", code=COOK)) == COOK
    assert concept_uri(Occupation(scheme="FINESCO", code=COOK)) == COOK
    assert concept_uri(Occupation(scheme="ESCO", code="http://data.europa.eu/esco/isco/C5120")) is None
    assert concept_uri(Occupation(scheme="TK10", code=COOK)) is None
    assert isco(Occupation(scheme="TK10", code="5120")) == ""


@pytest.mark.parametrize(
    ("scheme", "group", "pointer", "code"),
    [
        ("TK10", "", "/o/scheme", "unknown-occupation-scheme"),
        ("ESCO", "", "/o/code", "unknown-occupation"),
        ("ISCO-08", "5", "/o/code", "occupation-too-broad"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_a_code(scheme: str, group: str, pointer: str, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        checked(Occupation(scheme=scheme, code="x"), group, "/o")
    assert (refusal.value.pointer, refusal.value.code) == (pointer, code)
    assert checked(Occupation(scheme="esco", code="x"), "51", "/o") == "51"


def test_a_classification_is_read_as_esco_publishes_it() -> None:
    refused: list[int] = []
    lines = [
        "conceptType,conceptUri,iscoGroup,preferredLabel,altLabels",
        f'Occupation,{COOK},5120,cook,"chef',
        'head cook"',
        "Occupation,http://example.org/finesco/1,C2512,ohjelmoija,",
        "Occupation,no-uri,5120,x,",
        "Occupation,http://example.org/finesco/2,5,x,",
    ]
    assert list(concepts(lines, refused)) == [
        Concept(COOK, "5120", "cook"),
        Concept("http://example.org/finesco/1", "2512", "ohjelmoija"),
    ]
    assert refused == [5, 6]


def test_a_profiles_uris_become_unit_groups_or_the_profile_is_refused() -> None:
    given = ("http://data.europa.eu/esco/isco/C5120", "5120.3", COOK, "9412")
    profile = PersonalProfile(name="Aino Esimerkki", municipality="091", occupations=given)
    assert profile.occupations == ("5120", COOK, "9412")
    jobseeker = Jobseeker(jobseeker_id="1", **dict(profile))
    assert concept_uris([jobseeker]) == {COOK}
    assert classified(jobseeker, {COOK: "5120"}).occupations == ("5120", "9412")
    for groups in ({}, {COOK: "51"}):
        with pytest.raises(RefusedError) as refusal:
            classified(jobseeker, groups)
        assert refusal.value.code == "unknown-occupation"
