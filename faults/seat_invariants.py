"""The invariants of seats, read from the joint office's store: no seat is given twice, none stays empty."""

import asyncpg

_STAFF = """(SELECT coalesce(sum(p.people), 0) FROM training.participant AS p JOIN training.proposal USING (proposal_id)
    WHERE proposal.group_id = g.group_id AND p.removed_at IS NULL)"""
_GIVEN_TWICE = """
SELECT 'more seats than there are' AS wrong, group_id::text AS id FROM training.course_group AS g
WHERE (SELECT count(*) FROM training.seat_offer AS s WHERE s.group_id = g.group_id AND s.state IN ('open', 'accepted'))
    + {staff} > (details ->> 'seats')::int
UNION ALL
SELECT 'two seats for one', application_id::text FROM training.seat_offer WHERE state IN ('open', 'accepted')
GROUP BY 2 HAVING count(*) > 1
UNION ALL
SELECT 'a seat for somebody who has none', s.offer_id::text FROM training.seat_offer AS s
JOIN training.application AS a USING (application_id)
WHERE (s.state = 'open' AND a.state <> 'offered') OR (s.state = 'accepted' AND a.state NOT IN ('accepted', 'completed'))
"""
_EMPTY = """
SELECT 'an empty seat while someone eligible waits' AS wrong, g.group_id::text AS id FROM training.course_group AS g
JOIN training.course AS c USING (course_id)
WHERE (g.state IN ('selection', 'confirmed', 'running')
       OR (c.course ->> 'start_type' = 'continuous' AND g.state = 'open'))
AND (now() AT TIME ZONE 'Europe/Helsinki')::date <= CASE WHEN c.course ->> 'start_type' = 'continuous'
    THEN (g.details ->> 'ends_on')::date
    ELSE least((g.details ->> 'ends_on')::date, g.starts_on + coalesce((c.course ->> 'late_entry_days')::int, 5)) END
AND (SELECT count(*) FROM training.seat_offer AS s WHERE s.group_id = g.group_id AND s.state IN ('open', 'accepted'))
    + {staff} < (g.details ->> 'seats')::int
AND EXISTS (
    SELECT FROM training.application AS a WHERE a.course_id = g.course_id AND a.state = 'waiting'
    AND g.details ->> 'language' = ANY (a.languages) AND g.details ->> 'municipality' = ANY (a.travel)
    AND a.can_start_from <= CASE WHEN c.course ->> 'start_type' = 'continuous'
                            THEN (g.details ->> 'ends_on')::date ELSE g.starts_on END
    AND NOT EXISTS (SELECT FROM training.seat_offer AS s WHERE s.group_id = g.group_id
                    AND s.application_id = a.application_id AND s.state NOT IN ('open', 'accepted', 'moved'))
)
"""


async def broken_invariants(database_url: str, schema: str = "training") -> list[tuple[str, str]]:
    """Return what contradicts "no seat is given twice and none stays empty while someone eligible waits"."""
    connection = await asyncpg.connect(database_url)
    try:
        sql = f"{_GIVEN_TWICE} UNION ALL {_EMPTY}".replace("{staff}", _STAFF).replace("training.", f'"{schema}".')
        return [(row["wrong"], row["id"]) for row in await connection.fetch(sql)]
    finally:
        await connection.close()
