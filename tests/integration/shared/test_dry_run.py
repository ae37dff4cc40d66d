"""A dry run of a replay says what would happen, and leaves nothing."""

from shared.errors import UnprocessableError
from shared.messaging.transaction import Transaction
from tests.support.rig import Happened, Raw, Rig, happened, headers, record_effect, running


async def test_a_dry_run_says_what_would_happen_and_leaves_nothing(rig: Rig) -> None:
    is_mended = False

    async def handler(event: Happened, tx: Transaction) -> None:
        if not is_mended:
            raise UnprocessableError("not yet", "not-yet")
        await record_effect(event, tx)

    consumer = rig.consumer(handler)
    async with running(consumer):
        await rig.produce(happened("a", 1), Raw(b"b", b"{", headers()))
        await rig.settled(2)
    by_code = {one.code: one for one in await rig.parked("parked")}
    first = await consumer.parked.dry_run(by_code["not-yet"].id)
    assert first is not None
    assert first.code == "not-yet"
    is_mended = True
    assert await consumer.parked.dry_run(by_code["not-yet"].id) is None
    poison = await consumer.parked.dry_run(by_code["invalid-body"].id)
    assert poison is not None
    assert poison.code == "invalid-body"
    assert await rig.effects() == []
    assert {one.state for one in await rig.parked()} == {"parked"}
    assert await consumer.parked.replay(by_code["not-yet"].id, actor="operator", reason="fixed") == 1
    assert await rig.effects() == [("a", 1)]
