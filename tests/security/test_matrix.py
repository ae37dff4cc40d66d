"""Everyone may do what the table of topics says, and nothing else: tried cell by cell on a real broker."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

from deploy.access import Grant
from deploy.local.stack import CITIES, PARTIES
from shared.topics import expanded
from tests.security.matrix import Cell, tried
from tests.security.verdicts import Verdicts
from tests.support.bus import GuardedBus

OUTSIDER = "outsider.tests"
"""Has a certificate of the same authority, and no grant."""

SAMPLE = 12
"""Of what a principal may not do, how much is tried where not the whole matrix is (`make security` tries it all)."""


def cells(principal: str, chance: random.Random) -> list[Grant]:
    """What is tried of a principal: all that it may do, and all or some of what it may not."""
    every = [
        *(Grant(principal, "topic", name, act) for name in expanded(CITIES) for act in ("read", "write")),
        *(Grant(principal, "group", name, "read") for name in PARTIES.principals),
    ]
    allowed = PARTIES.grants()
    forbidden = [one for one in every if one not in allowed]
    if os.environ.get("MATRIX") != "full":
        forbidden = chance.sample(forbidden, SAMPLE)
    return [*(one for one in every if one in allowed), *forbidden]


def test_everyone_may_do_what_the_table_says_and_nothing_else(bus: GuardedBus, verdicts: Verdicts) -> None:
    chance = random.Random()
    allowed = PARTIES.grants()

    def of(principal: str) -> list[Cell]:
        return tried(bus.settings(principal), cells(principal, chance))

    principals = [*PARTIES.principals, OUTSIDER]
    for principal in principals:
        bus.identities.certificate(principal)
    with ThreadPoolExecutor(6) as pool:
        found = [cell for one in pool.map(of, principals) for cell in one]
    wrong = [f"{cell.grant}: {cell.allowed}" for cell in found if cell.allowed is not (cell.grant in allowed)]
    for act, resource in (("write", "topic"), ("read", "topic"), ("read", "group")):
        of_kind = [one for one in found if (one.grant.operation, one.grant.resource) == (act, resource)]
        let = sum(one.allowed is True for one in of_kind)
        verdicts.add(f"{act} {resource}: {let} let, {len(of_kind) - let} refused", len(of_kind), ())
        assert 0 < let < len(of_kind)
    verdicts.add(f"the matrix of {len(principals)} principals", len(found), wrong)
    assert wrong == []


def test_the_matrix_notices_a_grant_too_much_and_one_too_few(bus: GuardedBus) -> None:
    much = Grant("console.pks", "topic", "to.vantaa.training.v1", "read")
    few = Grant("training.espoo", "topic", "from.espoo.training.v1", "write")
    cluster = bus.access
    cluster.allow({much})
    cluster.take_away({few})
    try:
        assert [cell.allowed for one in (much, few) for cell in tried(bus.settings(one.principal), [one])] == [
            True,
            False,
        ]
    finally:
        cluster.take_away({much})
        cluster.allow({few})
