"""The queries of a city's side.

`jobseeker_groups` (GIN over the two-, three- and four-digit groups of every occupation) narrows a pool of 43,000 to the
one or two thousand profiles that share at least two digits of ISCO-08 with what is wanted. They are scored where they
lie, as the pure function scores them (a test compares the two); the best are then ranked and explained by that
function, so that the reasons shown are the reasons that decided. `own_offer_open` serves the periodic look at what has
passed its deadline: a partial index is chosen when the statement has its condition literally.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import tuple_, update
from sqlmodel import col, select

from services.placement.authority.tables import (
    AskedRow,
    ConsentRow,
    ContactQueryRow,
    JobseekerRow,
    OwnAssignmentRow,
    OwnOfferRow,
    OwnReferralRow,
    OwnVacancyRow,
)
from services.placement.domain.matching import (
    AVAILABILITY_POINTS,
    COMMUTING_POINTS,
    LANGUAGE_POINTS,
    LATE_DAYS,
    LEAST_SHARED_DIGITS,
    OCCUPATION_POINTS,
    SKILLS_POINTS,
    Profile,
    Scorer,
)
from services.placement.domain.pool import Jobseeker, PoolFilter
from services.placement.domain.referral import Stay
from shared.database import Bulk, column_types, insert
from shared.events.v1.placement import ConsentChannel, OfferState, ReferralState
from shared.store import Store

_PROFILE: Final = tuple(name for name in JobseekerRow.model_fields if name != "active")
"""What an import writes: whether a jobseeker is active is the officers' matter."""
_LISTS: Final = ("occupations", "groups", "skills", "languages", "commuting")
_JOBSEEKER_TYPES: Final = column_types(JobseekerRow, _PROFILE)
_JOBSEEKER = Bulk[JobseekerRow](
    f"""
    INSERT INTO jobseeker ({", ".join(_JOBSEEKER_TYPES)})
    SELECT {
        ", ".join(
            f"ARRAY(SELECT jsonb_array_elements_text({name}))" if name in _LISTS else name for name in _JOBSEEKER_TYPES
        )
    } FROM {{rows}}
    ON CONFLICT (jobseeker_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _JOBSEEKER_TYPES if name != "jobseeker_id")}
    """,  # noqa: S608 - constants
    # Arrays of several lengths cannot be unnested side by side: each travels as jsonb.
    _JOBSEEKER_TYPES | dict.fromkeys(_LISTS, "jsonb"),
    key=("jobseeker_id",),
)
_ASKED = insert(AskedRow, AskedRow)
_REFERRAL = insert(OwnReferralRow, OwnReferralRow)
_OFFER = insert(OwnOfferRow, OwnOfferRow)


_NEAREST: Final = f"""
    WITH scored AS MATERIALIZED (
        SELECT jobseeker_id, reference,
            CASE WHEN :unit = ANY (groups) THEN {OCCUPATION_POINTS[4]}
                WHEN :minor = ANY (groups) THEN {OCCUPATION_POINTS[3]}
                ELSE {OCCUPATION_POINTS[2]} END
            + {{skills}}
            + {{languages}}
            + CASE WHEN commuting && CAST(:places AS text[]) THEN {COMMUTING_POINTS} ELSE 0 END
            + CASE WHEN available_from IS NULL THEN 0 ELSE greatest(0, least({AVAILABILITY_POINTS},
                {AVAILABILITY_POINTS} * ({LATE_DAYS} - (available_from - CAST(:starts_on AS date))) / {LATE_DAYS}
            )) END AS score
        FROM jobseeker WHERE groups @> ARRAY[CAST(:group AS text)] AND active
    ), best AS MATERIALIZED (
        SELECT jobseeker_id, score FROM scored ORDER BY score DESC, reference COLLATE "C" LIMIT :at_most
    )
    SELECT reference, occupations, skills, languages, commuting, available_from,
        (SELECT count(*) FROM scored) AS considered
    FROM best JOIN jobseeker USING (jobseeker_id)
"""  # noqa: S608 - constants
"""A profile in the same sub-major group is in one of the two nearer groups, or scores for the sub-major group."""


def _group(isco: str, digits: int) -> str:
    """Return the group of so many digits that a code lies in; where it is shorter, empty, which no profile has."""
    return isco[:digits] if len(isco) >= digits else ""


def _shared(points: int, value: str, column: str, count: int) -> str:
    """Return the points for how many of so many wanted values a profile has; all of them where none is wanted."""
    if not count:
        return str(points)
    hits = " + ".join(f"(:{value}_{place} = ANY ({column}))::int" for place in range(count))
    return f"{points} * ({hits}) / {count}"


@dataclass(frozen=True, slots=True)
class _ScoredProfile:
    reference: str
    occupations: list[str]
    skills: list[str]
    languages: list[str]
    commuting: list[str]
    available_from: date | None
    considered: int


@dataclass(frozen=True, slots=True)
class Nearest:
    """The profiles that score best for a want, and how many were scored."""

    profiles: Sequence[Profile]
    considered: int


class Pool(Store):
    """A city's own jobseekers, and what was asked of them."""

    def put(self, jobseeker: Jobseeker, reference: str) -> None:
        """Write a profile, new or changed."""
        groups = {code[:length] for code in jobseeker.occupations for length in range(LEAST_SHARED_DIGITS, 5)}
        self._tx.stage(
            _JOBSEEKER,
            JobseekerRow(
                jobseeker_id=jobseeker.jobseeker_id,
                reference=reference,
                name=jobseeker.name,
                phone=jobseeker.phone,
                email=jobseeker.email,
                municipality=jobseeker.municipality,
                occupations=list(jobseeker.occupations),
                groups=sorted(groups),
                skills=[skill.casefold() for skill in jobseeker.skills],
                languages=list(jobseeker.languages),
                commuting=list(jobseeker.commuting),
                available_from=jobseeker.available_from,
                updated_at=self._tx.clock.now(),
            ),
        )

    async def remove(self, jobseeker_id: str) -> bool:
        """Remove a profile; False when there is none."""
        return bool(await self._run("DELETE FROM jobseeker WHERE jobseeker_id = :id", id=jobseeker_id))

    async def nearest(self, scorer: Scorer, at_most: int) -> Nearest:
        """Return the profiles that score best for a want, and how many share at least two digits of ISCO-08 with it.

        The score is that of `Scorer.points`, and so is the order: only the best leave the database.
        """
        rows = await self._values(
            _ScoredProfile,
            _NEAREST.format(
                skills=_shared(SKILLS_POINTS, "skill", "skills", len(scorer.skills)),
                languages=_shared(LANGUAGE_POINTS, "language", "languages", len(scorer.languages)),
            ),
            group=_group(scorer.isco, LEAST_SHARED_DIGITS),
            minor=_group(scorer.isco, 3),
            unit=_group(scorer.isco, 4),
            places=sorted(scorer.places),
            starts_on=scorer.starts_on,
            at_most=at_most,
            **{f"skill_{place}": skill for place, skill in enumerate(sorted(scorer.skills))},
            **{f"language_{place}": language for place, language in enumerate(sorted(scorer.languages))},
        )
        profiles = [
            Profile(row.reference, row.occupations, row.skills, row.languages, row.commuting, row.available_from)
            for row in rows
        ]
        return Nearest(profiles, rows[0].considered if rows else 0)

    async def size(self) -> int:
        """Return how many active profiles the pool has."""
        (count,) = await self._values(int, "SELECT count(*) AS n FROM jobseeker WHERE active")
        return count

    async def read(self, jobseeker_id: str) -> JobseekerRow | None:
        """Return a jobseeker by the city's own id."""
        return await self._get(JobseekerRow, jobseeker_id)

    async def page(self, wanted: PoolFilter, after: str | None, limit: int) -> Sequence[JobseekerRow]:
        """Return jobseekers by the city's own id, filtered."""
        return await self._rows(
            JobseekerRow,
            "SELECT * FROM jobseeker WHERE (CAST(:after AS text) IS NULL OR jobseeker_id > :after)"
            " AND (CAST(:occupation AS text) IS NULL OR groups @> ARRAY[CAST(:occupation AS text)])"
            " AND (CAST(:language AS text) IS NULL OR :language = ANY (languages))"
            " AND (CAST(:municipality AS text) IS NULL OR municipality = :municipality)"
            " AND (CAST(:available_by AS date) IS NULL OR available_from <= :available_by)"
            " AND (CAST(:active AS boolean) IS NULL OR active = :active)"
            " ORDER BY jobseeker_id LIMIT :limit",
            after=after,
            limit=limit,
            occupation=wanted.occupation,
            language=wanted.language,
            municipality=wanted.municipality,
            available_by=wanted.available_by,
            active=wanted.active,
        )

    async def set_active(self, reference: str, *, active: bool) -> None:
        """Enter whether the pool answers with a jobseeker."""
        await self._run(update(JobseekerRow).where(col(JobseekerRow.reference) == reference).values(active=active))

    async def profile(self, jobseeker_id: str) -> Profile | None:
        """Return one profile by the city's own id."""
        profiles = await self._values(
            Profile,
            "SELECT reference, occupations, skills, languages, commuting, available_from FROM jobseeker"
            " WHERE jobseeker_id = :id",
            id=jobseeker_id,
        )
        return profiles[0] if profiles else None

    async def by_reference(self, reference: str) -> JobseekerRow | None:
        """Return a jobseeker by the opaque reference."""
        return await self._first(select(JobseekerRow).where(JobseekerRow.reference == reference))

    async def ids(self, references: Iterable[str]) -> Mapping[str, str]:
        """Return the city's own ids of the jobseekers who are known, by opaque reference."""
        known = await self._all(select(JobseekerRow).where(col(JobseekerRow.reference).in_(set(references))))
        return {row.reference: row.jobseeker_id for row in known}

    def remember(self, row: AskedRow) -> None:
        """Remember what was asked first, to explain it later."""
        self._tx.stage(_ASKED, row)

    async def asked(self, assignment_id: UUID) -> AskedRow | None:
        """Return what an assignment asked for."""
        return await self._get(AskedRow, assignment_id)


class OwnReferrals(Store):
    """Referrals of a city's own jobseekers, their consents and offers, and who asked for their contact."""

    def add(self, row: OwnReferralRow) -> None:
        """Keep a referral; one that is there already stays as it is."""
        self._tx.stage(_REFERRAL, row)

    async def read(self, referral_id: UUID) -> OwnReferralRow | None:
        """Return a referral."""
        return await self._get(OwnReferralRow, referral_id)

    async def lock(self, referral_id: UUID) -> OwnReferralRow | None:
        """Return a referral to be changed."""
        return await self._get(OwnReferralRow, referral_id, lock=True)

    async def page(
        self,
        state: ReferralState | None,
        stay: Stay | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
        reference: str | None = None,
    ) -> Sequence[OwnReferralRow]:
        """Return referrals, the newest first; `reference`: of one jobseeker."""
        place = tuple_(col(OwnReferralRow.requested_at), col(OwnReferralRow.referral_id))
        query = select(OwnReferralRow)
        if state is not None:
            query = query.where(OwnReferralRow.state == state)
        if stay is not None:
            query = query.where(OwnReferralRow.stay == stay)
        if reference is not None:
            query = query.where(OwnReferralRow.reference == reference)
        if after is not None:
            query = query.where(place < after)
        newest = (col(OwnReferralRow.requested_at).desc(), col(OwnReferralRow.referral_id).desc())
        return await self._all(query.order_by(*newest).limit(limit))

    async def current(self, reference: str) -> Sequence[OwnReferralRow]:
        """Lock and return the referrals of a jobseeker that wait for an answer or have a consent."""
        query = select(OwnReferralRow).where(
            OwnReferralRow.reference == reference,
            col(OwnReferralRow.state).in_([ReferralState.REQUESTED, ReferralState.CONSENTED]),
            col(OwnReferralRow.outcome).is_(None),
        )
        return await self._all(query.order_by(col(OwnReferralRow.referral_id)).with_for_update())

    def add_consent(self, row: ConsentRow) -> None:
        """Record a consent."""
        self._tx.session.add(row)

    async def consents(self, referral_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[ConsentRow]]:
        """Return every consent to referrals, the oldest first."""
        query = select(ConsentRow).where(col(ConsentRow.referral_id).in_(set(referral_ids)))
        by_referral: dict[UUID, list[ConsentRow]] = {}
        for row in await self._all(query.order_by(col(ConsentRow.consent_id))):
            by_referral.setdefault(row.referral_id, []).append(row)
        return by_referral

    async def end_consent(self, referral_id: UUID, at: datetime, how: ConsentChannel | None, by: str | None) -> None:
        """Enter the end of the consent that is in force."""
        await self._run(
            update(ConsentRow)
            .where(col(ConsentRow.referral_id) == referral_id, col(ConsentRow.ended_at).is_(None))
            .values(ended_at=at, ended_how=how, ended_by=by)
        )

    async def consents_past(self, today: date, limit: int = 200) -> Sequence[OwnReferralRow]:
        """Lock and return referrals whose consent's last day has passed; none that another process has."""
        return await self._rows(
            OwnReferralRow,
            "SELECT * FROM own_referral WHERE state = 'consented' AND consent_until < :today AND outcome IS NULL"
            " ORDER BY referral_id LIMIT :limit FOR UPDATE SKIP LOCKED",
            today=today,
            limit=limit,
        )

    def add_offer(self, row: OwnOfferRow) -> None:
        """Keep a job offer; one that is there already stays as it is."""
        self._tx.stage(_OFFER, row)

    async def lock_offer(self, offer_id: UUID) -> OwnOfferRow | None:
        """Return a job offer to be changed."""
        return await self._get(OwnOfferRow, offer_id, lock=True)

    async def offers(self, referral_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[OwnOfferRow]]:
        """Return the job offers of referrals."""
        query = select(OwnOfferRow).where(col(OwnOfferRow.referral_id).in_(set(referral_ids)))
        by_referral: dict[UUID, list[OwnOfferRow]] = {}
        for row in await self._all(query.order_by(col(OwnOfferRow.answer_by), col(OwnOfferRow.offer_id))):
            by_referral.setdefault(row.referral_id, []).append(row)
        return by_referral

    async def withdraw_offers(self, referral_id: UUID, at: datetime) -> None:
        """Close the open offers of a referral whose consent has ended."""
        await self._run(
            update(OwnOfferRow)
            .where(col(OwnOfferRow.referral_id) == referral_id, col(OwnOfferRow.state) == OfferState.OPEN)
            .values(state=OfferState.WITHDRAWN, answered_at=at)
        )

    async def offers_to_handle(self, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[OwnOfferRow]:
        """Return offers whose answer leads to something that nobody has handled, the oldest first."""
        place = tuple_(col(OwnOfferRow.consequence_at), col(OwnOfferRow.offer_id))
        query = select(OwnOfferRow).where(
            col(OwnOfferRow.consequence).is_not(None),
            col(OwnOfferRow.consequence) != "none",
            col(OwnOfferRow.handled_at).is_(None),
        )
        if after is not None:
            query = query.where(place > after)
        oldest = (col(OwnOfferRow.consequence_at), col(OwnOfferRow.offer_id))
        return await self._all(query.order_by(*oldest).limit(limit))

    async def offers_past(self, now: datetime, limit: int = 200) -> Sequence[OwnOfferRow]:
        """Lock and return open offers whose deadline has passed; none that another process has."""
        return await self._rows(
            OwnOfferRow,
            "SELECT * FROM own_offer WHERE state = 'open' AND answer_by < :now ORDER BY offer_id LIMIT :limit"
            " FOR UPDATE SKIP LOCKED",
            now=now,
            limit=limit,
        )

    def log_query(self, row: ContactQueryRow) -> None:
        """Write down who asked for a jobseeker's name and contact, why, and whether it was answered."""
        self._tx.session.add(row)

    async def queries(
        self, *, referral_id: UUID | None = None, reference: str | None = None, after: int | None, limit: int
    ) -> Sequence[ContactQueryRow]:
        """Return who asked for a contact by a referral, or for a jobseeker's at all, the oldest first."""
        query = select(ContactQueryRow)
        if referral_id is not None:
            query = query.where(ContactQueryRow.referral_id == referral_id)
        if reference is not None:
            query = query.where(ContactQueryRow.reference == reference)
        if after is not None:
            query = query.where(col(ContactQueryRow.query_id) > after)
        return await self._all(query.order_by(col(ContactQueryRow.query_id)).limit(limit))


class OwnVacancies(Store):
    """Vacancies that a city took in itself, and what its pool answered for them."""

    def add(self, row: OwnVacancyRow) -> None:
        """Record a vacancy."""
        self._tx.session.add(row)

    async def read(self, vacancy_id: UUID) -> OwnVacancyRow | None:
        """Return a vacancy."""
        return await self._get(OwnVacancyRow, vacancy_id)

    async def lock(self, vacancy_id: UUID) -> OwnVacancyRow | None:
        """Return a vacancy to be changed."""
        return await self._get(OwnVacancyRow, vacancy_id, lock=True)

    async def page(
        self, after: tuple[datetime, UUID] | None, limit: int, *, registered: bool | None
    ) -> Sequence[OwnVacancyRow]:
        """Return vacancies, the newest first; `registered`: those that the joint office has, or has not."""
        place = tuple_(col(OwnVacancyRow.taken_at), col(OwnVacancyRow.vacancy_id))
        query = select(OwnVacancyRow)
        if registered is not None:
            at = col(OwnVacancyRow.registered_at)
            query = query.where(at.is_not(None) if registered else at.is_(None))
        if after is not None:
            query = query.where(place < after)
        newest = (col(OwnVacancyRow.taken_at).desc(), col(OwnVacancyRow.vacancy_id).desc())
        return await self._all(query.order_by(*newest).limit(limit))

    def add_assignment(self, row: OwnAssignmentRow) -> None:
        """Record what the own pool answered."""
        self._tx.session.add(row)

    async def assignments(self, vacancy_id: UUID, after: UUID | None, limit: int) -> Sequence[OwnAssignmentRow]:
        """Return what the own pool answered for a vacancy, by the assignment's id."""
        query = select(OwnAssignmentRow).where(OwnAssignmentRow.vacancy_id == vacancy_id)
        if after is not None:
            query = query.where(col(OwnAssignmentRow.assignment_id) > after)
        return await self._all(query.order_by(col(OwnAssignmentRow.assignment_id)).limit(limit))
