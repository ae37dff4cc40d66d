"""Invented requests, as JSON, that the demo, the benchmarks, the fault campaigns and the tests send.

Each function takes the fields that differ from the sample; nothing here is about a real employer or person.
"""

from typing import Any

BUSINESS_ID = "2077474-0"
"""A valid business id, from the published description of its check digit."""

MUNICIPALITIES = {"helsinki": "091", "espoo": "049", "vantaa": "092"}
"""One municipality of each city."""


def proposal_json(**changes: Any) -> dict[str, Any]:
    """A negotiation proposal of an employer in Helsinki with sites in Vantaa and Kauniainen."""
    return {
        "kind": "negotiation_proposal",
        "legal_basis": "YTL_1333_2021",
        "employer": {
            "business_id": BUSINESS_ID,
            "name": "Esimerkkitehdas Oy",
            "domicile": "091",
            "regular_staff": 420,
        },
        "language": "fi",
        "negotiations": {
            "starts_at": "2026-11-30T09:00:00+02:00",
            "place": "Helsinki",
            "matters": "Tuotannon uudelleenjärjestely",
            "grounds": "Tilauskannan lasku",
            "selection_principles": "Osaaminen ja tehtävät",
            "carried_out_within": "Maaliskuun loppuun mennessä",
            "personnel_informed_on": "2026-11-24",
        },
        "measures": [
            {"measure": "termination", "personnel_group": "työntekijät", "count": 48},
            {"measure": "termination", "personnel_group": "toimihenkilöt", "count": 16},
        ],
        "site_breakdown": "given",
        "sites": [
            {"municipality": "092", "name": "Vantaan tehdas", "affected": 50},
            {"municipality": "235", "name": "Kauniaisten toimisto", "affected": 14},
        ],
    } | changes


def course(**changes: Any) -> dict[str, Any]:
    """A course of labour-market training for cooks."""
    return {
        "kind": "labour_market_training",
        "title": {"fi": "Kokin koulutus", "sv": "Kockutbildning", "en": "Cook training"},
        "occupation": {"scheme": "ISCO-08", "code": "5120"},
        "criteria": [{"code": "need", "label": {"fi": "Koulutuksen tarve"}, "points": 100}],
        "min_size": 1,
        "max_size": 30,
    } | changes


def group(**changes: Any) -> dict[str, Any]:
    """A group of a course, in Vantaa."""
    return {
        "seats": 4,
        "language": "fi",
        "municipality": "092",
        "provider": "Esimerkkikoulutus Oy",
        "starts_on": "2027-02-01",
        "ends_on": "2027-06-18",
    } | changes


def application(city: str, course_id: str, applicant_id: str, need: int, **changes: Any) -> dict[str, Any]:
    """An application of a city to a course, with the points that the officer gives for the need of training."""
    return {
        "applicant_id": applicant_id,
        "course_id": course_id,
        "assessment": {"need": need},
        "languages": ["fi"],
        "municipality": MUNICIPALITIES[city],
        "travel": list(MUNICIPALITIES.values()),
        "can_start_from": "2027-01-01",
    } | changes


def adviser(**changes: Any) -> dict[str, Any]:
    """A full-time adviser who takes every topic in every language."""
    return {
        "topics": ["recruitment", "change_situation", "training", "wage_subsidy", "other"],
        "languages": ["fi", "sv", "en"],
        "person_years": 1.0,
    } | changes
