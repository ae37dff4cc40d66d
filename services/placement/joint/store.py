"""The queries of the joint side.

Indexes and why they are enough: `vacancy_open` serves the feed's filters (ISCO prefix), `vacancy_changes` its change
stream, `vacancy_expiring` the periodic look at what has passed its last day. A partial index is chosen when
the statement has its condition literally, so states stand in these statements as words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, tuple_, update
from sqlalchemy.dialects import postgresql
from sqlmodel import col, select

from services.placement.catalogue import Classification
from services.placement.domain import occupation as occupations
from services.placement.domain import supply as lifetimes
from services.placement.domain.referral import ConsentEnd
from services.placement.domain.vacancy import Filter, Posting
from services.placement.joint.tables import (
    AssignmentRow,
    ExpectedSupplyRow,
    OfferRow,
    PoolAnswerRow,
    ReferralRow,
    SupplyVersionRow,
    VacancyRevisionRow,
    VacancyRow,
)
from shared.database import Bulk, column_types, insert
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import CandidatesAnswered, OfferState, ReferralAnswered, ReferralState, VacancyState
from shared.store import Store

_REVISION: Final = Bulk[Posting](
    """
    INSERT INTO vacancy_revision
        (vacancy_id, revision, vacancy, filed_by, recorded_at, isco, municipalities, advertised_in)
    SELECT vacancy_id, revision, vacancy, filed_by, recorded_at, isco,
        ARRAY(SELECT jsonb_array_elements_text(municipalities)),
        ARRAY(SELECT jsonb_array_elements_text(advertised_in))
    FROM {rows}
    ON CONFLICT DO NOTHING
    """,
    column_types(VacancyRevisionRow, VacancyRevisionRow.model_fields)
    | {"municipalities": "jsonb", "advertised_in": "jsonb"},
    attributes={"recorded_at": "changed_at"},
    key=("vacancy_id", "revision"),
)
_RELEASE = insert(ExpectedSupplyRow, ExpectedSupplyRow)


class PostingChange(NamedTuple):
    """A vacancy and the place of its newest change in the change stream."""

    posting: Posting
    place: int


class Vacancies(Store):
    """Vacancies and the national feed."""

    async def lock(self, vacancy_id: UUID) -> Posting | None:
        """Return a vacancy to be changed."""
        row = await self._get(VacancyRow, vacancy_id, lock=True)
        return _posting(row) if row else None

    async def read(self, vacancy_id: UUID) -> Posting | None:
        """Return a vacancy."""
        row = await self._get(VacancyRow, vacancy_id)
        return _posting(row) if row else None

    async def save(self, posting: Posting) -> bool:
        """Write a vacancy as it now is; False when an equal or newer version is there already."""
        row = postgresql.insert(VacancyRow).values(
            vacancy_id=posting.vacancy_id,
            state=posting.state,
            version=posting.version,
            revision=posting.revision,
            vacancy=posting.vacancy,
            filed_by=posting.filed_by,
            isco=posting.isco,
            municipalities=list(posting.municipalities),
            advertised_in=list(posting.advertised_in),
            expires_on=posting.vacancy.expires_on,
            changed_at=posting.changed_at,
            state_since=posting.state_since,
            filled=posting.filled,
            shown_at=posting.shown_at,
            resumes=posting.resumes,
            changed_xid=func.pg_current_xact_id(),
        )
        kept = {"vacancy_id", "filed_by"}
        written = await self._run(
            row.on_conflict_do_update(
                index_elements=["vacancy_id"],
                set_={name: value for name, value in row.excluded.items() if name not in kept},
                where=col(VacancyRow.version) < row.excluded.version,
            )
        )
        if written:
            self._tx.stage(_REVISION, posting)
        return bool(written)

    async def past(self, today: date, limit: int = 200) -> list[Posting]:
        """Lock and return vacancies whose last day has gone; none that another process has."""
        rows = await self._rows(
            VacancyRow,
            "SELECT * FROM vacancy WHERE state IN ('open', 'paused') AND expires_on < :today"
            " ORDER BY vacancy_id LIMIT :limit FOR UPDATE SKIP LOCKED",
            today=today,
            limit=limit,
        )
        return [_posting(row) for row in rows]

    async def reported(
        self, by: str | None, state: VacancyState | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Posting]:
        """Return vacancies in whatever state, the newest change first; `by`: of one reporter alone."""
        place = tuple_(col(VacancyRow.changed_at), col(VacancyRow.vacancy_id))
        query = select(VacancyRow)
        if by is not None:
            query = query.where(VacancyRow.filed_by == by)
        if state is not None:
            query = query.where(VacancyRow.state == state)
        if after is not None:
            query = query.where(place < after)
        newest = (col(VacancyRow.changed_at).desc(), col(VacancyRow.vacancy_id).desc())
        return [_posting(row) for row in await self._all(query.order_by(*newest).limit(limit))]

    async def shown(self, wanted: Filter, after: UUID | None, limit: int) -> list[Posting]:
        """Return open vacancies by id, filtered."""
        rows = await self._rows(
            VacancyRow,
            "SELECT * FROM vacancy WHERE state = 'open'"
            " AND (CAST(:municipality AS text) IS NULL OR :municipality = ANY (municipalities))"
            " AND (CAST(:occupation AS text) IS NULL OR isco LIKE :occupation || '%')"
            " AND (CAST(:language AS text) IS NULL OR :language = ANY (advertised_in))"
            " AND (CAST(:after AS uuid) IS NULL OR vacancy_id > :after) ORDER BY vacancy_id LIMIT :limit",
            municipality=wanted.municipality,
            occupation=wanted.occupation,
            language=wanted.language,
            after=after,
            limit=limit,
        )
        return [_posting(row) for row in rows]

    async def newest_change(self) -> int:
        """Return the place in the change stream before which everything is settled."""
        (place,) = await self._values(int, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 AS place")
        return place

    async def changes(
        self, place: int, vacancy_id: UUID, limit: int, wanted: Filter, since: datetime | None, until: datetime | None
    ) -> list[PostingChange]:
        """Return vacancies changed after a place, or at it with a greater id, oldest change first.

        `since` and `until` bound the time of the change, `until` excluded. A filter lets through every vacancy of which
        it fits a revision, so that its reader learns that an advertisement does not fit any more. What nobody has seen,
        a draft or one that was withdrawn as a draft, is none of them.

        A change is shown once no transaction that could precede it is still running, so that a reader who has passed a
        place never misses one behind it.
        """
        rows = await self._rows(
            VacancyRow,
            "SELECT * FROM vacancy"
            " WHERE (changed_xid, vacancy_id) > (CAST(CAST(:place AS text) AS xid8), CAST(:id AS uuid))"
            " AND changed_xid < pg_snapshot_xmin(pg_current_snapshot()) AND shown_at IS NOT NULL"
            " AND (CAST(:since AS timestamptz) IS NULL OR changed_at >= :since)"
            " AND (CAST(:until AS timestamptz) IS NULL OR changed_at < :until)"
            " AND EXISTS (SELECT FROM vacancy_revision AS was WHERE was.vacancy_id = vacancy.vacancy_id"
            " AND (CAST(:municipality AS text) IS NULL OR :municipality = ANY (was.municipalities))"
            " AND (CAST(:occupation AS text) IS NULL OR was.isco LIKE :occupation || '%')"
            " AND (CAST(:language AS text) IS NULL OR :language = ANY (was.advertised_in)))"
            " ORDER BY changed_xid, vacancy_id LIMIT :limit",
            place=str(place),
            id=vacancy_id,
            since=since,
            until=until,
            municipality=wanted.municipality,
            occupation=wanted.occupation,
            language=wanted.language,
            limit=limit,
        )
        return [PostingChange(_posting(row), row.changed_xid) for row in rows]

    async def matching(self, code: str, municipality: str | None, limit: int) -> list[Posting]:
        """Return open vacancies of an occupation's minor group, those in the municipality first."""
        rows = await self._rows(
            VacancyRow,
            "SELECT * FROM vacancy WHERE state = 'open' AND isco LIKE :prefix || '%'"
            " ORDER BY (isco <> :code),"
            " (CAST(:municipality AS text) IS NOT NULL AND :municipality <> ALL (municipalities)), vacancy_id"
            " LIMIT :limit",
            prefix=code[:3],
            code=code,
            municipality=municipality,
            limit=limit,
        )
        return [_posting(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A recruitment assignment with what each pool has answered, by office."""

    row: AssignmentRow
    answers: Sequence[PoolAnswerRow]


@dataclass(frozen=True, slots=True)
class Solicited:
    """Who waits for a pool's answer, and whether it is the first: it alone counts."""

    is_first: bool
    group_id: UUID | None
    request_id: UUID | None


class Assignments(Store):
    """Recruitment assignments and the pools' answers."""

    def add(self, assignment: Assignment) -> None:
        """Record an assignment and whom it asks."""
        self._tx.session.add_all([assignment.row, *assignment.answers])

    async def read(self, assignment_id: UUID) -> Assignment | None:
        """Return an assignment with what each pool has answered."""
        row = await self._get(AssignmentRow, assignment_id)
        if row is None:
            return None
        answers = select(PoolAnswerRow).where(PoolAnswerRow.assignment_id == assignment_id)
        return Assignment(row, await self._all(answers.order_by(col(PoolAnswerRow.office))))

    async def of_vacancy(
        self, vacancy_id: UUID, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AssignmentRow]:
        """Return a vacancy's assignments, the newest first."""
        place = tuple_(col(AssignmentRow.asked_at), col(AssignmentRow.assignment_id))
        query = select(AssignmentRow).where(AssignmentRow.vacancy_id == vacancy_id)
        if after is not None:
            query = query.where(place < after)
        newest = (col(AssignmentRow.asked_at).desc(), col(AssignmentRow.assignment_id).desc())
        return await self._all(query.order_by(*newest).limit(limit))

    async def enter_answer(self, answer: CandidatesAnswered) -> Solicited | None:
        """Enter a pool's answer, if it is the first. None when nobody asked that pool."""
        solicited = await self._values(
            Solicited,
            "SELECT received_at IS NULL AS is_first, group_id, request_id FROM pool_answer JOIN assignment"
            " USING (assignment_id) WHERE assignment_id = :id AND office = :office FOR UPDATE OF pool_answer",
            id=answer.assignment_id,
            office=answer.office,
        )
        if not solicited:
            return None
        if solicited[0].is_first:
            await self._run(
                update(PoolAnswerRow)
                .where(
                    col(PoolAnswerRow.assignment_id) == answer.assignment_id,
                    col(PoolAnswerRow.office) == answer.office,
                )
                .values(
                    answered_at=answer.answered_at,
                    received_at=self._tx.clock.now(),
                    considered=answer.considered,
                    candidates=answer.candidates,
                    stages=answer.stages,
                )
            )
        return solicited[0]


@dataclass(frozen=True, slots=True)
class WithdrawnOffer:
    """A job offer that was closed with its vacancy, and the owning city's office."""

    offer_id: UUID
    referral_id: UUID
    office: str


class Referrals(Store):
    """Referrals and job offers at the joint office."""

    async def add(self, row: ReferralRow) -> bool:
        """Record a referral; False when this candidate was referred in this assignment before."""
        statement = postgresql.insert(ReferralRow).values(row.model_dump())
        return bool(await self._run(statement.on_conflict_do_nothing()))

    async def read(self, referral_id: UUID) -> ReferralRow | None:
        """Return a referral."""
        return await self._get(ReferralRow, referral_id)

    async def lock(self, referral_id: UUID) -> ReferralRow | None:
        """Return a referral to be changed."""
        return await self._get(ReferralRow, referral_id, lock=True)

    async def page(
        self,
        vacancy_id: UUID | None,
        state: ReferralState | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
        *,
        is_open: bool | None,
    ) -> Sequence[ReferralRow]:
        """Return referrals, the newest first; `is_open`: those that have not ended, or those that have."""
        place = tuple_(col(ReferralRow.requested_at), col(ReferralRow.referral_id))
        query = select(ReferralRow)
        if vacancy_id is not None:
            query = query.where(ReferralRow.vacancy_id == vacancy_id)
        if state is not None:
            query = query.where(ReferralRow.state == state)
        if is_open is not None:
            outcome = col(ReferralRow.outcome)
            query = query.where(outcome.is_(None) if is_open else outcome.is_not(None))
        if after is not None:
            query = query.where(place < after)
        newest = (col(ReferralRow.requested_at).desc(), col(ReferralRow.referral_id).desc())
        return await self._all(query.order_by(*newest).limit(limit))

    async def is_referred(self, vacancy_id: UUID, office: str, reference: str) -> bool:
        """Whether a candidate has a referral to a vacancy that has not ended."""
        open_one = select(ReferralRow).where(
            ReferralRow.vacancy_id == vacancy_id,
            ReferralRow.office == office,
            ReferralRow.reference == reference,
            col(ReferralRow.outcome).is_(None),
            ReferralRow.state != ReferralState.DECLINED,
        )
        return await self._first(open_one.limit(1)) is not None

    async def enter_consent(self, answer: ReferralAnswered) -> bool:
        """Enter whether the jobseeker consents; False when the office was not asked."""
        return bool(
            await self._run(
                update(ReferralRow)
                .where(col(ReferralRow.referral_id) == answer.referral_id, col(ReferralRow.office) == answer.office)
                .values(
                    state=answer.state,
                    answered_at=answer.answered_at,
                    consent_until=answer.consent_until,
                    consent_ended_at=None,
                )
            )
        )

    async def end_consent(self, referral_id: UUID, office: str, state: ConsentEnd, at: datetime) -> bool:
        """End the consent, and with it the open offers; False when the office was not asked."""
        ended = await self._run(
            update(ReferralRow)
            .where(col(ReferralRow.referral_id) == referral_id, col(ReferralRow.office) == office)
            .values(state=state, consent_ended_at=at)
        )
        if ended:
            await self.withdraw_offers(referral_id, at)
        return bool(ended)

    async def withdraw_offers(self, referral_id: UUID, at: datetime) -> None:
        """Close the open offers of a referral."""
        await self._run(
            update(OfferRow)
            .where(col(OfferRow.referral_id) == referral_id, col(OfferRow.state) == OfferState.OPEN)
            .values(state=OfferState.WITHDRAWN, answered_at=at)
        )

    async def withdraw_offers_for(self, vacancy_id: UUID, at: datetime) -> list[WithdrawnOffer]:
        """Close the open offers of a vacancy; return them. The caller holds the vacancy's lock."""
        return await self._values(
            WithdrawnOffer,
            "UPDATE job_offer SET state = 'withdrawn', answered_at = :at FROM referral"
            " WHERE referral.referral_id = job_offer.referral_id AND referral.vacancy_id = :vacancy_id"
            " AND job_offer.state = 'open' RETURNING offer_id, referral.referral_id, office",
            vacancy_id=vacancy_id,
            at=at,
        )

    def add_offer(self, row: OfferRow) -> None:
        """Record a job offer."""
        self._tx.session.add(row)

    async def lock_offer(self, offer_id: UUID, office: str) -> OfferRow | None:
        """Return a job offer to be changed; None when there is no such offer to a jobseeker of the office."""
        offers = select(OfferRow).where(
            OfferRow.offer_id == offer_id,
            ReferralRow.referral_id == OfferRow.referral_id,
            ReferralRow.office == office,
        )
        return await self._first(offers.with_for_update(of=OfferRow))

    async def offers(self, referral_id: UUID) -> Sequence[OfferRow]:
        """Return a referral's job offers, oldest first."""
        return (await self.offers_of([referral_id])).get(referral_id, ())

    async def offers_of(self, referral_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[OfferRow]]:
        """Return the job offers of referrals, oldest first."""
        offers = select(OfferRow).where(col(OfferRow.referral_id).in_(referral_ids))
        by_referral: dict[UUID, list[OfferRow]] = {}
        for row in await self._all(offers.order_by(col(OfferRow.made_at))):
            by_referral.setdefault(row.referral_id, []).append(row)
        return by_referral


@dataclass(frozen=True, slots=True)
class ExpectedSupply:
    """Workers expected to be free, by occupation and municipality. Groups of one to four are masked: not counted."""

    isco: str
    municipality: str
    known: int
    masked: int
    available_from: date | None
    available_until: date | None


class Supply(Store):
    """The workforce that change security expects to be released."""

    async def replace(self, event: WorkforceReleased, today: date, counted: timedelta) -> None:
        """Put a notice's newest releases in the place of its older ones; an older version changes nothing.

        `counted`: how long a release counts that does not say its last day.
        """
        row = postgresql.insert(SupplyVersionRow).values(notice_id=event.notice_id, version=event.version)
        newer = row.on_conflict_do_update(
            index_elements=["notice_id"],
            set_={"version": row.excluded.version},
            where=col(SupplyVersionRow.version) < row.excluded.version,
        )
        if not await self._run(newer):
            return
        await self._run(delete(ExpectedSupplyRow).where(col(ExpectedSupplyRow.notice_id) == event.notice_id))
        uris = [occupations.concept_uri(release.occupation) for release in event.releases if release.occupation]
        groups = await Classification(self._tx).groups(uri for uri in uris if uri)
        for place, release in enumerate(event.releases):
            said = release.occupation
            self._tx.stage(
                _RELEASE,
                ExpectedSupplyRow(
                    notice_id=event.notice_id,
                    version=event.version,
                    place=place,
                    isco=(occupations.isco(said) or groups.get(said.code.strip(), "")) if said else "",
                    municipality=release.municipality or "",
                    count=release.count,
                    masked=release.masked,
                    available_from=release.available_from,
                    available_until=release.available_until,
                    ends_on=lifetimes.ends_on(release, today, counted),
                ),
            )

    async def expected(
        self,
        occupation: str | None,
        municipality: str | None,
        today: date,
        after: tuple[str, str] | None,
        limit: int,
    ) -> list[ExpectedSupply]:
        """Return what supply still counts, by occupation and municipality. Masked groups count as one to four each."""
        isco_after, municipality_after = after or (None, None)
        return await self._values(
            ExpectedSupply,
            "SELECT isco, municipality, coalesce(sum(count), 0)::int AS known,"
            " count(*) FILTER (WHERE masked)::int AS masked, min(available_from) AS available_from,"
            " max(coalesce(available_until, available_from)) AS available_until"
            " FROM expected_supply WHERE ends_on >= :today"
            " AND (CAST(:occupation AS text) IS NULL OR isco LIKE :occupation || '%')"
            " AND (CAST(:municipality AS text) IS NULL OR municipality = :municipality)"
            " AND (CAST(:isco_after AS text) IS NULL OR (isco, municipality) > (:isco_after, :municipality_after))"
            " GROUP BY isco, municipality ORDER BY isco, municipality LIMIT :limit",
            today=today,
            occupation=occupation,
            municipality=municipality,
            isco_after=isco_after,
            municipality_after=municipality_after,
            limit=limit,
        )


def _posting(row: VacancyRow) -> Posting:
    return Posting(
        vacancy_id=row.vacancy_id,
        state=row.state,
        version=row.version,
        revision=row.revision,
        vacancy=row.vacancy,
        filed_by=row.filed_by,
        changed_at=row.changed_at,
        isco=row.isco,
        state_since=row.state_since,
        filled=row.filled,
        shown_at=row.shown_at,
        resumes=row.resumes,
    )
