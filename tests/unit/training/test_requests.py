"""Bodies of requests refuse what they do not know, at every depth."""

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from deploy.local.sample_data import application, course, group
from services.training.authority import models as city
from services.training.domain.attendance import Participant
from services.training.domain.own_application import ApplicationForm
from services.training.joint import contract_api, plan_api, procurement_api
from services.training.joint import models as joint

COURSE_ID = "c3a7d7f0-1f6e-4e0e-9b57-9d0e6b1a3f03"
REASON = {"reason": "koulutus alkaa"}
BODIES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (joint.CourseIn, {"course": course()}),
    (joint.CourseChangeIn, {"predecessor": 1, "course": course()}),
    (joint.GroupIn, {"group": group()}),
    (joint.GroupChangeIn, {"predecessor": 1, "group": group()}),
    (joint.GroupStateIn, {"state": "open"}),
    (joint.SelectionIn, {"application_id": COURSE_ID} | REASON),
    (joint.TransferIn, {"group_id": COURSE_ID} | REASON),
    (joint.ReasonIn, REASON),
    (joint.FormationIn, {"groups": [{"name": "a", "group": group()}]}),
    (joint.CandidatesIn, {"wanted": {"occupation": {"scheme": "ISCO-08", "code": "5120"}, "municipality": "092"}}),
    (joint.InvitationIn, {"office": "vantaa", "reference": "x"}),
    (plan_api.PlanIn, {}),
    (plan_api.PlanDecisionIn, {"state": "approved"} | REASON),
    (plan_api.AdoptionIn, {"groups": [{"occupation": "512", "course_id": COURSE_ID, "group": group()}]}),
    (Participant, {"authority": "vantaa"}),
    (procurement_api.AttendanceIn, {"attended": [{"holder_id": COURSE_ID, "days": 3}]}),
    (procurement_api.StatementIn, {"since": "2027-01-01", "until": "2027-01-31"}),
    (procurement_api.ApprovalIn, REASON),
    (contract_api.OptionIn, {"name": "a"} | REASON),
    (contract_api.CallOffIn, {"volume": {"vantaa": 1}}),
    (city.SeatAnswerIn, {"accepted": True}),
    (city.MoveIn, {"to_office": "espoo"}),
    (city.ApplicantIn, {"applicant_id": "x"}),
    (ApplicationForm, application("vantaa", COURSE_ID, "x", 50)),
]


def with_unknown(body: Any) -> list[Any]:
    """Return the body with an unknown field in each of its objects, one at a time."""
    made: list[Any] = []
    if isinstance(body, dict):
        made.append(body | {"unknown": 1})
        made += [
            body | {name: inner}
            for name, value in body.items()
            if name not in {"assessment", "volume"}  # mappings, whose names are data
            for inner in with_unknown(value)
        ]
    elif isinstance(body, list):
        made += [
            [*body[:place], inner, *body[place + 1 :]] for place, one in enumerate(body) for inner in with_unknown(one)
        ]
    return made


@pytest.mark.parametrize(("kind", "body"), BODIES, ids=lambda given: given.__name__ if isinstance(given, type) else "")
def test_a_body_refuses_what_it_does_not_know(kind: type[BaseModel], body: dict[str, Any]) -> None:
    read = TypeAdapter(kind).validate_python
    read(body)
    for wrong in with_unknown(body):
        with pytest.raises(ValidationError) as refused:
            read(wrong)
        assert {error["type"] for error in refused.value.errors()} == {"extra_forbidden"}
        assert refused.value.errors()[0]["loc"][-1] == "unknown"
