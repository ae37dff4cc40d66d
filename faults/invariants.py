"""The invariants of a campaign, checked from stores and topics alone: no running process is asked.

Each check compares what is stored with what the workload sent, and counts the violations by kind.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord

from deploy.local.observing import records_on
from deploy.local.stack import CITIES, JOINT, OFFICES, Stack
from faults.seat_invariants import broken_invariants
from faults.workload import CANARY, PLACES, Acknowledgements, Applications, Arrivals, Consents, LateRepetitions, Notices
from shared import topics
from shared.messaging.codec import HEARTBEAT, Rejection, read_envelope


@dataclass
class Verdict:
    """What was found wrong, by kind; empty when nothing was."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, found: Iterable[object]) -> None:
        """Add findings of a kind, once for each kind."""
        listed = [str(one) for one in found]
        self.counts[kind] = len(listed)
        if listed:
            self.wrong[kind] = sorted(listed)[:5]

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


async def rows(stack: Stack, office: str, sql: str, *values: Any) -> list[Any]:
    """Run a query in an office's database, past every link."""
    connection = await asyncpg.connect(stack.databases[office].url)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()


async def number(stack: Stack, office: str, sql: str, *values: Any) -> int:
    """Run a query that counts."""
    return int((await rows(stack, office, sql, *values))[0][0])


# -- change security --------------------------------------------------------------------------------------------------


async def check_notices(
    stack: Stack, brought: Notices, acknowledged: Acknowledgements, late: LateRepetitions, verdict: Verdict
) -> None:
    """Compare the joint office's notices and ledgers, and each city's cases, with what was filed."""
    plans = brought.plans
    notices = {row["notice_id"]: row for row in await rows(stack, JOINT, "SELECT * FROM change_security.notice")}
    entries: dict[UUID, dict[str, Any]] = {}
    for row in await rows(stack, JOINT, "SELECT * FROM change_security.ledger_entry"):
        entries.setdefault(row["notice_id"], {})[row["authority"]] = row
    verdict.add("notices lost at the joint office", plans.keys() - notices.keys())
    verdict.add("notices at the joint office that nobody filed", notices.keys() - plans.keys())
    verdict.add(
        "notices in a wrong version at the joint office",
        [one for one, plan in plans.items() if one in notices and notices[one]["version"] != plan.version],
    )
    verdict.add(
        "ledgers with other authorities than the affected ones",
        [
            one
            for one, plan in plans.items()
            if {code for code, row in entries.get(one, {}).items() if row["state"] != "released"} != plan.active
            or set(entries.get(one, {})) != plan.ever
        ],
    )
    unrouted = {row["notice_id"] for row in await rows(stack, JOINT, "SELECT notice_id FROM change_security.unrouted")}
    verdict.add("unknown municipalities not shown", unrouted ^ {one for one, plan in plans.items() if plan.unrouted})
    verdict.add(
        "receipts missing",
        [
            f"{one} {code}"
            for one, found in entries.items()
            for code, row in found.items()
            if row["version_stored"] < row["version_sent"]
        ],
    )
    verdict.add(
        "acknowledgements lost",
        [
            f"{one} {city}"
            for one, city in acknowledged.done
            if _never_released(plans[one].revisions, city)
            and (city not in entries.get(one, {}) or entries[one][city]["acknowledged_at"] is None)
        ],
    )
    told = await rows(stack, JOINT, "SELECT topic, payload FROM change_security.outbox WHERE topic LIKE 'to.%'")
    bodies = [(row["topic"], json.loads(row["payload"])) for row in told]
    versions = Counter((topic, body["notice_id"], body["version"]) for topic, body in bodies if "version" in body)
    verdict.add("authorities sent the same version twice", [one for one, count in versions.items() if count > 1])
    await _check_filers_receipts(stack, brought, verdict)
    verdict.add("notices that nobody has", [row["notice_id"] for row in await rows(stack, JOINT, _NOBODYS)])
    for city in CITIES:
        await _check_city(stack, city, brought, entries, late, verdict)
        await _check_parts(stack, city, verdict)


_NOBODYS = """
    SELECT notice_id FROM change_security.notice WHERE state = 'open'
    AND NOT EXISTS (SELECT FROM change_security.ledger_entry AS entry
                    WHERE entry.notice_id = notice.notice_id AND entry.state <> 'released')
    AND NOT EXISTS (SELECT FROM change_security.unrouted
                    WHERE unrouted.notice_id = notice.notice_id AND resolved_at IS NULL)
"""

_PARTS = """
    SELECT notice_id, entry.state, declined_at FROM change_security.ledger_entry AS entry
    JOIN change_security.notice USING (notice_id)
    WHERE notice.state = 'open' AND entry.state <> 'released' AND case_outcome IS NULL AND office = $1
"""

_OPEN_CASES = """
    SELECT notice_id, acknowledged_at IS NULL AND declined_at IS NULL AS awaits
    FROM change_security.authority_case WHERE state = 'open'
"""


async def _check_parts(stack: Stack, city: str, verdict: Verdict) -> None:
    """Look for parts that stand on no list: not declined, and in no open case that awaits what the ledger awaits."""
    open_cases = {row["notice_id"]: row["awaits"] for row in await rows(stack, city, _OPEN_CASES)}
    stuck = []
    for part in await rows(stack, JOINT, _PARTS, city):
        if part["state"] == "not_ours":
            somebody = part["declined_at"] is not None
        elif part["state"] in {"sent", "stored"}:
            somebody = open_cases.get(part["notice_id"], False)
        else:
            somebody = part["notice_id"] in open_cases
        if not somebody:
            stuck.append(part["notice_id"])
    verdict.add(f"parts of {city} without somebody who must act", stuck)


async def _check_filers_receipts(stack: Stack, brought: Notices, verdict: Verdict) -> None:
    """Compare what the system that filed was answered with what it filed: each version once, each refusal, no more."""
    sql = "SELECT type, payload FROM change_security.outbox WHERE topic = $1"
    told = [
        (row["type"], json.loads(row["payload"]))
        for row in await rows(stack, JOINT, sql, topics.CHANGE_NOTICES_RECEIPTS.name)
    ]
    given = Counter((body["notice_id"], body["version"]) for _, body in told if "version" in body)
    due = Counter((str(one), version) for one, plan in brought.plans.items() for version in range(1, plan.version + 1))
    verdict.add("receipts to the filer lost", due - given)
    verdict.add("receipts to the filer that are false, or given twice", given - due)
    withdrawn = {body["notice_id"] for kind, body in told if kind == "change-security.filing-withdrawn.v1"}
    wanted = {str(one) for one, plan in brought.plans.items() if plan.withdrawn}
    verdict.add("withdrawals answered wrongly", withdrawn ^ wanted)
    refused = {body.get("notice_id") for kind, body in told if kind == "change-security.filing-refused.v1"}
    verdict.add("refusals answered wrongly", refused ^ brought.unreadable)


async def _check_city(
    stack: Stack,
    city: str,
    brought: Notices,
    entries: dict[UUID, dict[str, Any]],
    late: LateRepetitions,
    verdict: Verdict,
) -> None:
    plans = brought.plans
    cases = {row["notice_id"]: row for row in await rows(stack, city, "SELECT * FROM change_security.authority_case")}
    mine = {one for one, plan in plans.items() if city in plan.ever}
    verdict.add(f"notices lost at {city}", mine - cases.keys())
    verdict.add(f"notices at {city} that do not concern it", cases.keys() - mine)
    wrong = []
    for one in mine & cases.keys():
        plan = plans[one]
        entry = entries.get(one, {}).get(city)
        state = "released" if city not in plan.active else "withdrawn" if plan.withdrawn else "open"
        if entry is None or cases[one]["version"] != entry["version_sent"] or cases[one]["state"] != state:
            wrong.append(one)
    verdict.add(f"cases overwritten by something older at {city}", wrong)
    sql = "SELECT payload FROM change_security.outbox WHERE type = 'change-security.notice-stored.v1'"
    bodies = [json.loads(row["payload"]) for row in await rows(stack, city, sql)]
    receipts = Counter((body["authority"], body["notice_id"], body["version"]) for body in bodies)
    verdict.add(
        f"receipts given twice by {city}", [one for one, count in receipts.items() if count > 1 + late.stored[one]]
    )


def _never_released(revisions: list[list[str]], city: str) -> bool:
    named = [city in {PLACES.get(place) for place in places} for places in revisions]
    return all(named[named.index(True) :]) if any(named) else False


# -- placement, training, advisory ------------------------------------------------------------------------------------


async def check_vacancies(stack: Stack, brought: Arrivals, verdict: Verdict) -> None:
    """Compare the joint office's vacancies with what was brought."""
    found = {row["vacancy_id"]: row for row in await rows(stack, JOINT, "SELECT * FROM placement.vacancy")}
    verdict.add("vacancies lost", set(brought.ids) - found.keys())
    verdict.add("vacancies that nobody brought", found.keys() - set(brought.ids))
    verdict.add("vacancies changed by a repetition", [one for one, row in found.items() if row["version"] != 1])


async def check_consents(stack: Stack, brought: Consents, verdict: Verdict) -> None:
    """Look for contacts that were given without a consent in force, and for consents that did not end everywhere."""
    given, kept, unlogged = [], [], []
    for city in CITIES:
        sql = (
            "SELECT query.referral_id FROM placement.contact_query AS query WHERE query.answered"
            " AND query.referral_id IS NOT NULL AND NOT EXISTS (SELECT FROM placement.consent"
            " WHERE consent.referral_id = query.referral_id AND consent.given_at <= query.at"
            " AND (consent.ended_at IS NULL OR query.at < consent.ended_at))"
        )
        given += [f"{row['referral_id']} {city}" for row in await rows(stack, city, sql)]
        mine = {one for one, owner in brought.withdrawn.items() if owner == city}
        sql = "SELECT referral_id FROM placement.own_referral WHERE state = 'consent_withdrawn'"
        ended = {row["referral_id"] for row in await rows(stack, city, sql)}
        kept += [f"{one} {city}" for one in mine - ended]
        sql = (
            "SELECT query.referral_id, count(*) AS refused FROM placement.contact_query AS query"
            " JOIN placement.consent USING (referral_id) WHERE query.at >= consent.ended_at GROUP BY 1"
        )
        logged = {row["referral_id"]: row["refused"] for row in await rows(stack, city, sql)}
        unlogged += [one for one in mine if logged.get(one, 0) < brought.asked_after[one]]
    sql = "SELECT referral_id FROM placement.referral WHERE state = 'consent_withdrawn'"
    told = {row["referral_id"] for row in await rows(stack, JOINT, sql)}
    verdict.add("contacts given without a consent in force", given)
    verdict.add("withdrawn consents that a store still has", [*kept, *(brought.withdrawn.keys() - told)])
    verdict.add("queries after a withdrawal that are not logged", unlogged)


async def check_contacts(stack: Stack, brought: Arrivals, verdict: Verdict) -> None:
    """Compare the joint office's contacts with what was brought, and the cities' with the joint office's."""
    found = {row["contact_id"] for row in await rows(stack, JOINT, "SELECT contact_id FROM advisory.contact")}
    verdict.add("contacts lost", set(brought.ids) - found)
    verdict.add("contacts that nobody brought", found - set(brought.ids))
    verdict.add("contacts that a city does not know", await contacts_unknown(stack))
    verdict.add("contacts joined to one that does not name them", await contacts_joined_to_nobody(stack))


async def check_answered(stack: Stack, verdict: Verdict) -> None:
    """Look, after officers have answered, for contacts that have vanished from everyone's desk."""
    verdict.add("contacts without anybody who must act", await contacts_that_nobody_has(stack))
    verdict.add("contacts open in a city that the joint office does not name", await contacts_open_elsewhere(stack))


async def contacts_that_nobody_has(stack: Stack) -> list[str]:
    """Return contacts that are not ended and that nobody has, or that a later one joined after their end."""
    sql = (
        "SELECT contact_id FROM advisory.contact AS c"
        # Given to nobody, or waiting for an officer without a reason.
        " WHERE (state = 'assigned' AND (officer IS NULL OR acting_authority IS NULL))"
        " OR (state = 'new' AND reason = '')"
        " OR (state = 'handed_over' AND NOT EXISTS (SELECT FROM advisory.hand_over AS h"
        " WHERE h.contact_id = c.contact_id AND h.to_service IS NOT NULL AND h.state = 'accepted'))"
        # A later contact joined it, and nothing ended it since.
        " OR (state NOT IN ('new', 'assigned') AND (SELECT max(act_id) FROM advisory.contact_act AS a"
        " WHERE a.contact_id = c.contact_id AND act = 'joined by another') > (SELECT coalesce(max(act_id), 0)"
        " FROM advisory.contact_act AS a WHERE a.contact_id = c.contact_id"
        " AND act IN ('answered', 'closed', 'handed over', 'joined')))"
    )
    nobody = {str(row["contact_id"]) for row in await rows(stack, JOINT, sql)}
    assigned = await rows(
        stack, JOINT, "SELECT contact_id, acting_authority FROM advisory.contact WHERE state = 'assigned'"
    )
    # The joint office waits for a city that thinks that it is done.
    open_in = {
        (row["contact_id"], city)
        for city in CITIES
        for row in await rows(stack, city, "SELECT contact_id FROM advisory.own_contact WHERE state = 'assigned'")
    }
    given = {(row["contact_id"], row["acting_authority"]) for row in assigned}
    return sorted(nobody | {f"{contact} {city}" for contact, city in given - open_in})


async def contacts_open_elsewhere(stack: Stack) -> list[str]:
    """Return contacts open in a city that neither has them by the joint office nor is to acknowledge a hand-over."""
    sql = (
        "SELECT contact_id, acting_authority AS city FROM advisory.contact WHERE acting_authority IS NOT NULL"
        " UNION SELECT contact_id, to_authority FROM advisory.hand_over WHERE state = 'asked'"
    )
    named = {(row["contact_id"], row["city"]) for row in await rows(stack, JOINT, sql)}
    open_in = {
        (row["contact_id"], city)
        for city in CITIES
        for row in await rows(stack, city, "SELECT contact_id FROM advisory.own_contact WHERE state = 'assigned'")
    }
    return sorted(f"{contact} {city}" for contact, city in open_in - named)


async def contacts_joined_to_nobody(stack: Stack) -> list[str]:
    """Return joined contacts that whoever has the earlier one is not told of: nobody would answer them."""
    sql = (
        "SELECT later.contact_id FROM advisory.contact AS later"
        " LEFT JOIN advisory.contact AS earlier ON earlier.contact_id = later.joined_into"
        " WHERE later.joined_into IS NOT NULL AND later.contact_id = ANY(earlier.joined) IS NOT TRUE"
    )
    return [str(row["contact_id"]) for row in await rows(stack, JOINT, sql)]


async def contacts_unknown(stack: Stack) -> list[str]:
    """Return contacts that a city acts in and does not have."""
    sql = "SELECT contact_id, acting_authority FROM advisory.contact WHERE acting_authority IS NOT NULL"
    acting = {(row["contact_id"], row["acting_authority"]) for row in await rows(stack, JOINT, sql)}
    known = {
        (row["contact_id"], city)
        for city in CITIES
        for row in await rows(stack, city, "SELECT contact_id FROM advisory.own_contact")
    }
    return [f"{contact} {city}" for contact, city in acting - known]


async def check_applications(stack: Stack, brought: Applications, verdict: Verdict) -> None:
    """Compare applications with what was entered, seats with the rule, and every other office with the border."""
    found = {str(row["application_id"]) for row in await rows(stack, JOINT, "SELECT * FROM training.application")}
    verdict.add("applications lost", brought.cities.keys() - found)
    verdict.add("applications that nobody made", found - brought.cities.keys())
    verdict.add("applications of which a city knows something else", await applications_differing(stack))
    verdict.add(
        "seats given twice, or empty while someone eligible waits",
        [f"{what} {one}" for what, one in await broken_invariants(stack.databases[JOINT].url)],
    )
    leaks = [
        f"applicant of {city} at {office}, {table}"
        for office in OFFICES
        for city in CITIES
        if city != office
        for table in await _tables(stack, office, "training")
        if await number(
            stack, office, f"SELECT count(*) FROM training.{table} AS t WHERE t::text LIKE $1", f"%{CANARY}-{city}%"
        )
    ]
    for log in sorted(stack.logs.glob("*.log")):
        leaks += [f"applicant in {log.name}"] * (CANARY in log.read_text(errors="replace"))
    verdict.add("applicants across a border, or in a log", leaks)


async def applications_differing(stack: Stack) -> list[str]:
    """Return applications of which a city knows something else than the joint office."""
    sql = "SELECT application_id, state, group_id FROM training."
    joint = {row["application_id"]: row for row in await rows(stack, JOINT, sql + "application")}
    return [
        f"{row['application_id']} {city}"
        for city in CITIES
        for row in await rows(stack, city, sql + "own_application")
        if row["application_id"] not in joint
        or (joint[row["application_id"]]["state"], joint[row["application_id"]]["group_id"])
        != (row["state"], row["group_id"])
    ]


# -- every service ----------------------------------------------------------------------------------------------------


async def check_outboxes(stack: Stack, verdict: Verdict) -> None:
    """Look for events that were written twice, or not sent."""
    twice, waiting = [], []
    for office in OFFICES:
        for service in stack.services:
            sql = f"SELECT event_id FROM {service}.outbox GROUP BY 1 HAVING count(*) > 1"
            twice += [f"{service} @ {office} {row['event_id']}" for row in await rows(stack, office, sql)]
            sql = f"SELECT event_id FROM {service}.outbox WHERE published_at IS NULL"
            waiting += [f"{service} @ {office} {row['event_id']}" for row in await rows(stack, office, sql)]
    verdict.add("events written twice", twice)
    verdict.add("events not sent", waiting)


async def check_parked(stack: Stack, unreadable: set[str], verdict: Verdict) -> None:
    """Compare what is parked with what could not be read: no more, no less."""
    found = {
        f"{row['topic']} {bytes(row['key']).decode(errors='replace') if row['key'] else row['id']}"
        for office in OFFICES
        for service in stack.services
        for row in await rows(stack, office, f"SELECT id, topic, key FROM {service}.parked")
    }
    wanted = {f"{topics.CHANGE_NOTICES_INBOUND.name} {key}" for key in unreadable}
    verdict.add("unreadable records not parked", wanted - found)
    verdict.add("records parked that can be read", found - wanted)


async def check_topics(stack: Stack, verdict: Verdict) -> None:
    """Read every topic: each record was handled by its reader, has its topic's key and its order, and names nobody."""
    known = topics.expanded(CITIES)
    handled = {
        (service, office): await _handled(stack, office, service) for service in stack.services for office in OFFICES
    }
    unhandled, wrong_key, disordered, named = [], [], [], []
    newest: dict[tuple[str, bytes], int] = {}
    seen: set[tuple[str, bytes, int]] = set()
    for record in await records_on(stack, *known):
        told = f"{record.topic}/{record.partition}/{record.offset}"
        reader = _reader(record.topic)
        if reader in handled and not _is_done(record, told, handled[reader]):
            unhandled.append(told)
        if record.value is not None and CANARY.encode() in record.value + (record.key or b""):
            named.append(told)
        try:
            body = json.loads(record.value or b"{}")
        except ValueError:
            continue  # sent on purpose; must be parked
        ids = {str(body.get(name)).encode() for name in known[record.topic].key.split(", ")} - {b"None"}
        if ids and record.key not in ids:
            wrong_key.append(told)
        if not record.topic.startswith("to.") or body.get("version") is None or record.key is None:
            continue
        lane = (record.topic, record.key)
        if (*lane, body["version"]) in seen:
            continue  # sent again after a crash: the inbox absorbs it
        seen.add((*lane, body["version"]))
        if body["version"] < newest.get(lane, 0):
            disordered.append(told)
        newest[lane] = max(body["version"], newest.get(lane, 0))
    verdict.add("records that their reader has not handled", unhandled)
    verdict.add("records under a wrong key", wrong_key)
    verdict.add("versions out of order on a topic", disordered)
    verdict.add("applicants on a topic", named)


def _reader(topic: str) -> tuple[str, str] | None:
    """Return the service and the office that a topic is addressed to; None when everyone may read."""
    match topic.split("."):
        case ["to", office, service, _]:
            return service.replace("-", "_"), office
        case ["from", _, service, _]:
            return service.replace("-", "_"), JOINT
        case ["inbound", *_]:
            (reader,) = (one.reads for one in topics.TOPICS if one.name == topic)
            return str(reader).partition(" @ ")[0], JOINT
    return None


def _is_done(record: "ConsumerRecord[bytes, bytes]", told: str, handled: set[str]) -> bool:
    envelope = read_envelope(record.headers)
    if isinstance(envelope, Rejection) or envelope.type == HEARTBEAT:
        return True
    return told in handled or str(envelope.identity) in handled


async def _handled(stack: Stack, office: str, service: str) -> set[str]:
    """Return the ids in an inbox, and where each parked record stood."""
    inbox = await rows(stack, office, f"SELECT event_id FROM {service}.inbox")
    parked = await rows(stack, office, f'SELECT topic, partition, "offset" FROM {service}.parked')
    return {str(row["event_id"]) for row in inbox} | {
        f"{row['topic']}/{row['partition']}/{row['offset']}" for row in parked
    }


async def _tables(stack: Stack, office: str, service: str) -> list[str]:
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1"
    return [str(row["table_name"]) for row in await rows(stack, office, sql, service)]


async def state_of(stack: Stack) -> dict[str, str]:
    """Return one hash of each table of each service in each office."""

    async def of(office: str) -> dict[str, str]:
        found = {}
        for service in stack.services:
            for table in await _tables(stack, office, service):
                hashed = "md5((to_jsonb(t) - 'published_at')::text)"
                sql = (
                    f"SELECT md5(coalesce(string_agg({hashed}, '' ORDER BY {hashed}), '')) FROM {service}.{table} AS t"
                )
                found[f"{service}.{table} @ {office}"] = str((await rows(stack, office, sql))[0][0])
        return found

    each = await asyncio.gather(*(of(office) for office in OFFICES))
    return {name: value for one in each for name, value in one.items()}
