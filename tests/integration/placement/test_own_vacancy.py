"""A city takes in a vacancy and asks its own pool while the joint office is down; it is reconciled later."""

from deploy.local.client import wait_for
from deploy.local.stack import CITIES, JOINT, Stack
from tests.support.placement import Placement, vacancy


def test_a_city_works_alone_while_the_joint_office_is_down_and_nothing_is_lost(
    placement: Placement, stack: Stack
) -> None:
    espoo = placement.callers.officer["espoo"]
    joint = stack.child("placement", JOINT)
    joint.stop()
    try:
        taken = espoo.send("/v1/vacancies", {"vacancy": vacancy()})
        path = f"/v1/vacancies/{taken['vacancy_id']}"
        assert taken["registered_at"] is None
        own = espoo.send(f"{path}/assignments", {"at_most": 3})
        assert len(own["candidates"]) == 3
        assert all(one["jobseeker_id"].startswith("espoo") for one in own["candidates"])
        waiting = espoo.read("/v1/vacancies?registered=false")["items"]
        assert taken["vacancy_id"] in {one["vacancy_id"] for one in waiting}
    finally:
        joint.start()
        stack.wait_ready("placement", JOINT)
    wait_for(lambda: espoo.read(path)["registered_at"], "the registration", 60)
    assert placement.callers.coordinator.read(path)["state"] == "open"
    whole = placement.complete(own["assignment_id"], 60)
    assert {one["office"] for one in whole["candidates"]} == set(CITIES)
    references = {one["reference"] for one in whole["candidates"] if one["office"] == "espoo"}
    assert references == {one["reference"] for one in own["candidates"]}
    assert [one["assignment_id"] for one in espoo.read(f"{path}/assignments")["items"]] == [own["assignment_id"]]
    foreign = placement.callers.of("espoo", "vantaa", "officer")
    assert foreign.get(path).status_code == 403
