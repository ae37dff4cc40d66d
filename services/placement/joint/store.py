"""All of this service's queries.

Indexes and why they are enough: `jobseeker_groups` (GIN over the two-, three- and four-digit groups of every occupation)
narrows a pool of 43,000 to the one or two thousand profiles that share at least two digits of ISCO-08 with what is
wanted; those are scored by the pure function, so that the reasons shown are the reasons that decided. `vacancy_open`
serves the feed's filters (ISCO prefix, municipality), `vacancy_changes` its change stream, `vacancy_expiring` and
`own_offer_open` the periodic look at what has gone by.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.placement.domain.matching import LEAST_SHARED_DIGITS, Profile, isco
from services.placement.domain.pool import Jobseeker
from services.placement.domain.vacancy import Posting
from shared.database import Bulk
from shared.events.v1.advisory import Fact, Withheld, WorkDone
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import (
    CandidatesAnswered,
    CandidatesRequested,
    JobOfferMade,
    OfferState,
    ReferralOutcome,
    ReferralRequested,
    ReferralState,
    Vacancy,
    VacancyStatus,
    Wanted,
)
from shared.store import Found, Store

_POSTING = "vacancy_id, status, version, revision, vacancy, filed_by, changed_at"


# -- the joint office -------------------------------------------------------------------------------------------------


class Vacancies(Store):
    """Vacancies and the national feed."""

    async def get(self, vacancy_id: UUID) -> Posting | None:
        """Return a vacancy, locked."""
        row = await self._row(f"SELECT {_POSTING} FROM vacancy WHERE vacancy_id = :id FOR UPDATE", id=vacancy_id)  # noqa: S608
        return _posting(row) if row else None

    async def read(self, vacancy_id: UUID) -> Posting | None:
        """Return a vacancy."""
        row = await self._row(f"SELECT {_POSTING} FROM vacancy WHERE vacancy_id = :id", id=vacancy_id)  # noqa: S608
        return _posting(row) if row else None

    async def save(self, posting: Posting) -> bool:
        """Write a vacancy as it now is; False when an equal or newer version is there already."""
        values = {
            "id": posting.vacancy_id,
            "status": posting.status,
            "version": posting.version,
            "revision": posting.revision,
            "vacancy": posting.vacancy.model_dump_json(exclude_none=True),
            "filed_by": posting.filed_by,
            "isco": isco(posting.vacancy.occupation),
            "municipality": posting.vacancy.municipality,
            "language": posting.vacancy.language,
            "expires_on": posting.vacancy.expires_on,
            "at": posting.changed_at,
        }
        written = await self._run(
            """
            INSERT INTO vacancy (vacancy_id, status, version, revision, vacancy, filed_by, isco, municipality, language,
                                 expires_on, changed_at, changed_xid)
            VALUES (:id, :status, :version, :revision, CAST(CAST(:vacancy AS text) AS jsonb), :filed_by, :isco,
                    :municipality, :language, :expires_on, :at, pg_current_xact_id())
            ON CONFLICT (vacancy_id) DO UPDATE SET
                status = excluded.status, version = excluded.version, revision = excluded.revision,
                vacancy = excluded.vacancy, isco = excluded.isco, municipality = excluded.municipality,
                language = excluded.language, expires_on = excluded.expires_on, changed_at = excluded.changed_at,
                changed_xid = excluded.changed_xid
            WHERE vacancy.version < excluded.version
            """,
            **values,
        )
        if written:
            await self._run(
                "INSERT INTO vacancy_revision (vacancy_id, revision, vacancy, filed_by, recorded_at)"
                " VALUES (:id, :revision, CAST(CAST(:vacancy AS text) AS jsonb), :filed_by, :at) ON CONFLICT DO NOTHING",
                **{name: values[name] for name in ("id", "revision", "vacancy", "filed_by", "at")},
            )
        return bool(written)

    async def past(self, today: date, limit: int = 200) -> list[Posting]:
        """Lock and return vacancies whose last day has gone; none that another process has."""
        rows = await self._rows(
            f"SELECT {_POSTING} FROM vacancy WHERE status IN ('open', 'paused') AND expires_on < :today"  # noqa: S608
            " ORDER BY vacancy_id LIMIT :limit FOR UPDATE SKIP LOCKED",
            today=today,
            limit=limit,
        )
        return [_posting(row) for row in rows]

    async def shown(
        self, *, municipality: str | None, occupation: str | None, language: str | None, after: UUID | None, limit: int
    ) -> list[Posting]:
        """Return open vacancies by id, filtered; `occupation` is an ISCO-08 code or a beginning of one."""
        rows = await self._rows(
            f"SELECT {_POSTING} FROM vacancy WHERE status = 'open'"  # noqa: S608
            " AND (CAST(:municipality AS text) IS NULL OR municipality = :municipality)"
            " AND (CAST(:occupation AS text) IS NULL OR isco LIKE :occupation || '%')"
            " AND (CAST(:language AS text) IS NULL OR language = :language)"
            " AND (CAST(:after AS uuid) IS NULL OR vacancy_id > :after) ORDER BY vacancy_id LIMIT :limit",
            municipality=municipality,
            occupation=occupation,
            language=language,
            after=after,
            limit=limit,
        )
        return [_posting(row) for row in rows]

    async def newest_change(self) -> int:
        """Return the place in the change stream before which everything is settled."""
        row = await self._row("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 AS place")
        return int(row.place) if row else 0

    async def changes(self, after: tuple[int, UUID], limit: int) -> list[tuple[Posting, int]]:
        """Return vacancies changed after a place, oldest change first, each with its own place.

        A change is shown once no transaction that could precede it is still running, so that a reader who has passed a
        place never misses one behind it.
        """
        rows = await self._rows(
            f"SELECT {_POSTING}, changed_xid::text::bigint AS place FROM vacancy"  # noqa: S608
            " WHERE (changed_xid, vacancy_id) > (CAST(CAST(:place AS text) AS xid8), CAST(:id AS uuid))"
            " AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())"
            " ORDER BY changed_xid, vacancy_id LIMIT :limit",
            place=str(after[0]),
            id=after[1],
            limit=limit,
        )
        return [(_posting(row), int(row.place)) for row in rows]

    async def matching(self, code: str, municipality: str | None, limit: int) -> list[Posting]:
        """Return open vacancies of an occupation's minor group, those in the municipality first."""
        rows = await self._rows(
            f"SELECT {_POSTING} FROM vacancy WHERE status = 'open' AND isco LIKE :prefix || '%'"  # noqa: S608
            " ORDER BY (isco <> :code), (municipality <> coalesce(CAST(:municipality AS text), municipality)), vacancy_id"
            " LIMIT :limit",
            prefix=code[:3],
            code=code,
            municipality=municipality,
            limit=limit,
        )
        return [_posting(row) for row in rows]


class Assignments(Store):
    """Recruitment assignments, the pools' answers, referrals and offers at the joint office."""

    async def ask(
        self,
        assignment_id: UUID,
        vacancy_id: UUID | None,
        wanted: Wanted,
        at_most: int,
        asked_by: str,
        answer_by: datetime,
        offices: Iterable[str],
        trace_id: str | None,
        *,
        group_id: UUID | None = None,
        request_id: UUID | None = None,
    ) -> None:
        """Record an assignment and whom it asks: for a vacancy, or for a training group that asked by a request."""
        await self._run(
            "INSERT INTO assignment (assignment_id, vacancy_id, wanted, at_most, asked_by, asked_at, answer_by, trace_id,"
            " group_id, request_id) VALUES (:id, :vacancy_id, CAST(CAST(:wanted AS text) AS jsonb), :at_most, :by, :at,"
            " :answer_by, :trace_id, :group_id, :request_id)",
            id=assignment_id,
            group_id=group_id,
            request_id=request_id,
            vacancy_id=vacancy_id,
            wanted=wanted.model_dump_json(exclude_none=True),
            at_most=at_most,
            by=asked_by,
            at=self._tx.clock.now(),
            answer_by=answer_by,
            trace_id=trace_id,
        )
        await self._run(
            "INSERT INTO pool_answer (assignment_id, office) SELECT :id, unnest(CAST(:offices AS text[]))",
            id=assignment_id,
            offices=list(offices),
        )

    async def enter_answer(self, answer: CandidatesAnswered) -> Found | None:
        """Enter a pool's answer; return who asked and whether it is the first, which alone counts.

        None when nobody asked that pool.
        """
        known = await self._row(
            "SELECT received_at IS NULL AS is_first, group_id, request_id FROM pool_answer JOIN assignment"
            " USING (assignment_id) WHERE assignment_id = :id AND office = :office FOR UPDATE OF pool_answer",
            id=answer.assignment_id,
            office=answer.office,
        )
        if known is None:
            return None
        await self._run(
            "UPDATE pool_answer SET answered_at = :answered_at, received_at = :now, considered = :considered,"
            " candidates = CAST(CAST(:candidates AS text) AS jsonb)"
            " WHERE assignment_id = :id AND office = :office AND received_at IS NULL",
            id=answer.assignment_id,
            office=answer.office,
            answered_at=answer.answered_at,
            now=self._tx.clock.now(),
            considered=answer.considered,
            candidates=json.dumps([one.model_dump(mode="json") for one in answer.candidates]),
        )
        return known

    async def read(self, assignment_id: UUID) -> tuple[Found, Sequence[Found]] | None:
        """Return an assignment with what each pool has answered."""
        found = await self._row("SELECT * FROM assignment WHERE assignment_id = :id", id=assignment_id)
        if found is None:
            return None
        answers = await self._rows(
            "SELECT * FROM pool_answer WHERE assignment_id = :id ORDER BY office", id=assignment_id
        )
        return found, answers

    async def refer(
        self, referral_id: UUID, assignment: Found, office: str, reference: str, purpose: str, by: str, authority: str
    ) -> bool:
        """Record a referral; False when this candidate was referred in this assignment before."""
        return bool(
            await self._run(
                "INSERT INTO referral (referral_id, assignment_id, vacancy_id, office, reference, purpose, requested_by,"
                " requesting_authority, state, requested_at) VALUES (:id, :assignment_id, :vacancy_id, :office,"
                " :reference, :purpose, :by, :authority, 'requested', :at) ON CONFLICT DO NOTHING",
                id=referral_id,
                assignment_id=assignment.assignment_id,
                vacancy_id=assignment.vacancy_id,
                office=office,
                reference=reference,
                purpose=purpose,
                by=by,
                authority=authority,
                at=self._tx.clock.now(),
            )
        )

    async def referral(self, referral_id: UUID) -> Found | None:
        """Return a referral, locked."""
        return await self._row("SELECT * FROM referral WHERE referral_id = :id FOR UPDATE", id=referral_id)

    async def answer_referral(self, referral_id: UUID, office: str, state: ReferralState, at: datetime) -> bool:
        """Enter whether the jobseeker consents; False when the office was not asked."""
        return bool(
            await self._run(
                "UPDATE referral SET state = :state, answered_at = :at WHERE referral_id = :id AND office = :office",
                id=referral_id,
                office=office,
                state=state,
                at=at,
            )
        )

    async def end_referral(self, referral_id: UUID, outcome: ReferralOutcome) -> None:
        """Enter how a referral ended."""
        await self._run(
            "UPDATE referral SET outcome = :outcome WHERE referral_id = :id", id=referral_id, outcome=outcome
        )

    async def offer(self, offer_id: UUID, referral_id: UUID, *, binding: bool, answer_by: datetime) -> None:
        """Record a job offer."""
        await self._run(
            "INSERT INTO job_offer (offer_id, referral_id, binding, answer_by, state, made_at)"
            " VALUES (:id, :referral_id, :binding, :answer_by, 'open', :at)",
            id=offer_id,
            referral_id=referral_id,
            binding=binding,
            answer_by=answer_by,
            at=self._tx.clock.now(),
        )

    async def answer_offer(self, offer_id: UUID, office: str, state: OfferState, at: datetime) -> bool:
        """Enter the answer to a job offer; False when there is no such offer to a jobseeker of the office."""
        return bool(
            await self._run(
                "UPDATE job_offer SET state = :state, answered_at = :at FROM referral"
                " WHERE offer_id = :id AND referral.referral_id = job_offer.referral_id AND office = :office",
                id=offer_id,
                office=office,
                state=state,
                at=at,
            )
        )

    async def offers(self, referral_id: UUID) -> Sequence[Found]:
        """Return a referral's job offers, oldest first."""
        return await self._rows("SELECT * FROM job_offer WHERE referral_id = :id ORDER BY made_at", id=referral_id)


class Supply(Store):
    """The workforce that change security expects to be released."""

    async def replace(self, told: WorkforceReleased) -> None:
        """Put a notice's newest releases in the place of its older ones; an older version changes nothing."""
        newer = await self._run(
            "INSERT INTO supply_version (notice_id, version) VALUES (:id, :version)"
            " ON CONFLICT (notice_id) DO UPDATE SET version = excluded.version"
            " WHERE supply_version.version < excluded.version",
            id=told.notice_id,
            version=told.version,
        )
        if not newer:
            return
        await self._run("DELETE FROM expected_supply WHERE notice_id = :id", id=told.notice_id)
        for place, one in enumerate(told.releases):
            await self._run(
                "INSERT INTO expected_supply (notice_id, version, place, isco, municipality, count, masked,"
                " available_from, available_until) VALUES (:id, :version, :place, :isco, :municipality, :count, :masked,"
                " :from, :until)",
                id=told.notice_id,
                version=told.version,
                place=place,
                isco=isco(one.occupation) if one.occupation else "",
                municipality=one.municipality or "",
                count=one.count,
                masked=one.masked,
                **{"from": one.available_from, "until": one.available_until},
            )

    async def expected(self, occupation: str | None, municipality: str | None) -> Sequence[Found]:
        """Return the expected supply by occupation and municipality. Masked groups count as one to four each."""
        return await self._rows(
            "SELECT isco, municipality, coalesce(sum(count), 0)::int AS known, count(*) FILTER (WHERE masked)::int AS masked,"
            " min(available_from) AS available_from, max(coalesce(available_until, available_from)) AS available_until"
            " FROM expected_supply WHERE (CAST(:occupation AS text) IS NULL OR isco LIKE :occupation || '%')"
            " AND (CAST(:municipality AS text) IS NULL OR municipality = :municipality)"
            " GROUP BY isco, municipality ORDER BY isco, municipality",
            occupation=occupation,
            municipality=municipality,
        )


class ForAdvisory(Store):
    """What advisory may know of vacancies and of the work on them."""

    async def facts(self, business_id: str, _authority: str) -> tuple[list[Fact], list[Withheld]]:
        """Return an employer's vacancies: everyone may see that they were reported."""
        rows = await self._rows(
            "SELECT vacancy_id, status, changed_at FROM vacancy WHERE vacancy #>> '{employer,business_id}' = :business_id"
            " AND status <> 'draft' ORDER BY changed_at, vacancy_id LIMIT 500",
            business_id=business_id,
        )
        facts = [Fact(matter_id=row.vacancy_id, what="vacancy", state=row.status, at=row.changed_at) for row in rows]
        return facts, []

    async def work(self, since: datetime, until: datetime) -> list[WorkDone]:
        """Return how many referrals each authority requested."""
        rows = await self._rows(
            "SELECT requesting_authority AS authority, count(*) AS n FROM referral"
            " WHERE requested_at >= :since AND requested_at < :until GROUP BY 1 ORDER BY 1",
            since=since,
            until=until,
        )
        return [WorkDone(task="placement", authority=row.authority, acts=row.n) for row in rows]


# -- a city's office --------------------------------------------------------------------------------------------------

_JOBSEEKER_COLUMNS = {
    "jobseeker_id": "text",
    "reference": "text",
    "name": "text",
    "phone": "text",
    "email": "text",
    "municipality": "text",
    "occupations": "jsonb",
    "groups": "jsonb",
    "skills": "jsonb",
    "languages": "jsonb",
    "commuting": "jsonb",
    "available_from": "date",
    "updated_at": "timestamptz",
}
_LISTS = ("occupations", "groups", "skills", "languages", "commuting")
_JOBSEEKER = Bulk(
    f"""
    INSERT INTO jobseeker ({", ".join(_JOBSEEKER_COLUMNS)})
    SELECT {
        ", ".join(
            f"ARRAY(SELECT jsonb_array_elements_text({name}))" if name in _LISTS else name
            for name in _JOBSEEKER_COLUMNS
        )
    } FROM {{rows}}
    ON CONFLICT (jobseeker_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in list(_JOBSEEKER_COLUMNS)[1:])}
    """,  # noqa: S608 - constants
    _JOBSEEKER_COLUMNS,
    key=("jobseeker_id",),
)


class Pool(Store):
    """A city's own jobseekers."""

    def put(self, jobseeker: Jobseeker, reference: str) -> None:
        """Write a profile, new or changed."""
        groups = {code[:length] for code in jobseeker.occupations for length in range(LEAST_SHARED_DIGITS, 5)}
        self._tx.stage(
            _JOBSEEKER,
            (
                jobseeker.jobseeker_id,
                reference,
                jobseeker.name,
                jobseeker.phone,
                jobseeker.email,
                jobseeker.municipality,
                json.dumps(jobseeker.occupations),
                json.dumps(sorted(groups)),
                json.dumps([skill.casefold() for skill in jobseeker.skills]),
                json.dumps(jobseeker.languages),
                json.dumps(jobseeker.commuting),
                jobseeker.available_from,
                self._tx.clock.now(),
            ),
        )

    async def remove(self, jobseeker_id: str) -> bool:
        """Remove a profile; False when there is none."""
        return bool(await self._run("DELETE FROM jobseeker WHERE jobseeker_id = :id", id=jobseeker_id))

    async def near(self, code: str) -> list[Profile]:
        """Return the profiles that share at least two digits of ISCO-08 with an occupation."""
        rows = await self._rows(
            "SELECT reference, occupations, skills, languages, commuting, available_from FROM jobseeker"
            " WHERE groups @> ARRAY[CAST(:group AS text)]",
            group=code[:LEAST_SHARED_DIGITS],
        )
        return [_profile(row) for row in rows]

    async def count(self) -> int:
        """Return how many profiles there are."""
        row = await self._row("SELECT count(*) AS n FROM jobseeker")
        return int(row.n) if row else 0

    async def profile(self, jobseeker_id: str) -> Profile | None:
        """Return one profile by the city's own id."""
        row = await self._row("SELECT * FROM jobseeker WHERE jobseeker_id = :id", id=jobseeker_id)
        return _profile(row) if row else None

    async def by_reference(self, reference: str) -> Found | None:
        """Return a jobseeker's row by the opaque reference."""
        return await self._row("SELECT * FROM jobseeker WHERE reference = :reference", reference=reference)

    async def remember_asked(self, asked: CandidatesRequested) -> None:
        """Remember what was asked, to explain it later."""
        await self._run(
            "INSERT INTO asked (assignment_id, wanted, at_most, as_of, asked_at)"
            " VALUES (:id, CAST(CAST(:wanted AS text) AS jsonb), :at_most, :as_of, :at) ON CONFLICT DO NOTHING",
            id=asked.assignment_id,
            wanted=asked.wanted.model_dump_json(exclude_none=True),
            at_most=asked.at_most,
            as_of=asked.as_of,
            at=self._tx.clock.now(),
        )

    async def asked(self, assignment_id: UUID) -> tuple[Wanted, int, date] | None:
        """Return what an assignment asked for."""
        row = await self._row("SELECT * FROM asked WHERE assignment_id = :id", id=assignment_id)
        return (Wanted.model_validate(row.wanted), row.at_most, row.as_of) if row else None


class OwnReferrals(Store):
    """Referrals of a city's own jobseekers, their offers, and who asked for their contact."""

    async def receive(self, asked: ReferralRequested, state: ReferralState) -> None:
        """Keep a referral request."""
        await self._run(
            "INSERT INTO own_referral (referral_id, assignment_id, vacancy_id, reference, purpose, requesting_authority,"
            " state, requested_at) VALUES (:id, :assignment_id, :vacancy_id, :reference, :purpose, :authority, :state,"
            " :at) ON CONFLICT DO NOTHING",
            id=asked.referral_id,
            assignment_id=asked.assignment_id,
            vacancy_id=asked.vacancy_id,
            reference=asked.reference,
            purpose=asked.purpose,
            authority=asked.requesting_authority,
            state=state,
            at=self._tx.clock.now(),
        )

    async def get(self, referral_id: UUID) -> Found | None:
        """Return a referral, locked."""
        return await self._row("SELECT * FROM own_referral WHERE referral_id = :id FOR UPDATE", id=referral_id)

    async def page(self, state: str | None, limit: int) -> Sequence[Found]:
        """Return referrals, newest first."""
        return await self._rows(
            "SELECT * FROM own_referral WHERE (CAST(:state AS text) IS NULL OR state = :state)"
            " ORDER BY requested_at DESC, referral_id LIMIT :limit",
            state=state,
            limit=limit,
        )

    async def answer(self, referral_id: UUID, state: ReferralState, by: str) -> None:
        """Enter the jobseeker's answer."""
        await self._run(
            "UPDATE own_referral SET state = :state, answered_at = :at, answered_by = :by WHERE referral_id = :id",
            id=referral_id,
            state=state,
            at=self._tx.clock.now(),
            by=by,
        )

    async def end(self, referral_id: UUID, outcome: ReferralOutcome) -> None:
        """Enter how the referral ended."""
        await self._run(
            "UPDATE own_referral SET outcome = :outcome WHERE referral_id = :id", id=referral_id, outcome=outcome
        )

    async def receive_offer(self, offer: JobOfferMade) -> None:
        """Keep a job offer."""
        await self._run(
            "INSERT INTO own_offer (offer_id, referral_id, binding, answer_by, state)"
            " VALUES (:id, :referral_id, :binding, :answer_by, 'open') ON CONFLICT DO NOTHING",
            id=offer.offer_id,
            referral_id=offer.referral_id,
            binding=offer.binding,
            answer_by=offer.answer_by,
        )

    async def offer(self, offer_id: UUID) -> Found | None:
        """Return a job offer, locked."""
        return await self._row("SELECT * FROM own_offer WHERE offer_id = :id FOR UPDATE", id=offer_id)

    async def answer_offer(self, offer_id: UUID, state: OfferState) -> None:
        """Enter the answer to a job offer."""
        await self._run(
            "UPDATE own_offer SET state = :state, answered_at = :at WHERE offer_id = :id",
            id=offer_id,
            state=state,
            at=self._tx.clock.now(),
        )

    async def offers_past(self, limit: int = 200) -> Sequence[Found]:
        """Lock and return open offers whose deadline has gone; none that another process has."""
        return await self._rows(
            "SELECT * FROM own_offer WHERE state = 'open' AND answer_by < :now ORDER BY offer_id LIMIT :limit"
            " FOR UPDATE SKIP LOCKED",
            now=self._tx.clock.now(),
            limit=limit,
        )

    async def log_query(self, referral_id: UUID, by: str, authority: str, purpose: str, *, answered: bool) -> None:
        """Write down who asked for a jobseeker's name and contact, why, and whether they were told."""
        await self._run(
            "INSERT INTO contact_query (referral_id, asked_by, authority, purpose, answered, at)"
            " VALUES (:id, :by, :authority, :purpose, :answered, :at)",
            id=referral_id,
            by=by,
            authority=authority,
            purpose=purpose,
            answered=answered,
            at=self._tx.clock.now(),
        )

    async def queries(self, referral_id: UUID) -> Sequence[Found]:
        """Return who asked for a contact, oldest first."""
        return await self._rows("SELECT * FROM contact_query WHERE referral_id = :id ORDER BY query_id", id=referral_id)


# -- rows and values --------------------------------------------------------------------------------------------------


def _posting(row: Found) -> Posting:
    return Posting(
        vacancy_id=row.vacancy_id,
        status=VacancyStatus(row.status),
        version=row.version,
        revision=row.revision,
        vacancy=Vacancy.model_validate(row.vacancy),
        filed_by=row.filed_by,
        changed_at=row.changed_at,
    )


def _profile(row: Found) -> Profile:
    return Profile(
        reference=row.reference,
        occupations=tuple(row.occupations),
        skills=frozenset(row.skills),
        languages=frozenset(row.languages),
        commuting=frozenset(row.commuting),
        available_from=row.available_from,
    )


def parsed(value: Any) -> list[dict[str, Any]]:
    """Return the candidates that a pool's answer holds; none before it has answered."""
    return list(value or ())
