"""Change security: an employer's filing, who it concerns, and the receipts that come back.

The words follow the law in translation: see docs/message-flows.md for the flow. Every field of a filing but the
employer's business id may be missing: a filing is accepted incomplete and completed later (Co-operation Act 1333/2021
asks for the content, and no authority may refuse a filing for lack of it).
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event, Part
from shared.events.values import Absence, BusinessId, Count, Day, Instant

MunicipalityCode = str
"""Three digits, as text: 091."""


class FilingKind(StrEnum):
    """Two different statutory filings, never one."""

    NEGOTIATION_PROPOSAL = "negotiation_proposal"
    TERMINATION_NOTICE = "termination_notice"


class LegalBasis(StrEnum):
    """The law under which the employer files."""

    YTL_1333_2021 = "YTL_1333_2021"
    KUNTA_449_2007 = "KUNTA_449_2007"
    VALTIO_1233_2013 = "VALTIO_1233_2013"
    TSL_55_2001_9_3A = "TSL_55_2001_9_3a"
    VOLUNTARY = "VOLUNTARY"


class Measure(StrEnum):
    """What the employer considers."""

    TERMINATION = "termination"
    LAYOFF = "layoff"
    PART_TIME = "part_time"
    ESSENTIAL_TERM_CHANGE = "essential_term_change"


class LayoffGround(StrEnum):
    """Why employees are laid off. Only a temporary reduction of work exempts a lay-off from the Act's scope."""

    TEMPORARY_REDUCTION = "temporary_reduction"
    OTHER = "other"


class ReasonKind(StrEnum):
    """Why an authority is concerned. Three geographies, never mixed, and an officer's own judgement."""

    DOMICILE = "domicile"
    WORKPLACE = "workplace"
    RESIDENCE = "residence"
    MANUAL = "manual"


class HandlingMode(StrEnum):
    """How an authority's part is handled."""

    JOINT = "joint"
    OWN = "own"
    EXTERNAL = "external"


class Outcome(StrEnum):
    """How a change situation ended."""

    TERMINATIONS = "terminations"
    NO_TERMINATIONS = "no_terminations"


class DeclineReason(StrEnum):
    """Why an authority says that a notice is not its own."""

    NO_SITE_HERE = "no_site_here"
    NO_EMPLOYEES_HERE = "no_employees_here"
    OTHER = "other"


class AskedBecause(StrEnum):
    """Why an authority is asked to acknowledge a notice, or asked again."""

    ASSIGNED = "assigned"
    REVISED = "revised"
    INSISTED = "insisted"
    REOPENED = "reopened"
    UNMERGED = "unmerged"


class Employer(Part):
    """The employer that files."""

    business_id: BusinessId = Field(description="Y-tunnus, 1234567-8.")
    name: str | None = Field(default=None, max_length=200)
    domicile: MunicipalityCode | None = Field(default=None, max_length=10)
    regular_staff: Count | None = Field(default=None, description="Employees regularly in service.")
    in_restructuring: bool | None = Field(
        default=None, description="Whether the employer is in a restructuring procedure; null when not known."
    )
    phone: str | None = Field(default=None, max_length=50, description="A switchboard, not a person's number.")
    email: str | None = Field(default=None, max_length=200, description="A shared mailbox, not a person's.")


class PlannedMeasure(Part):
    """One measure for one personnel group, with the preliminary estimate of numbers."""

    measure: Measure
    personnel_group: str | None = Field(default=None, max_length=200)
    count: Count | None = Field(default=None, description="Employees concerned, a preliminary estimate.")
    layoff_days: Count | None = Field(default=None, description="Planned length of the lay-off, days.")
    layoff_ground: LayoffGround | None = Field(default=None, description="Of a lay-off; null when not known.")


class Negotiations(Part):
    """The change negotiations that a proposal opens."""

    given_on: Day | None = Field(
        default=None, description="The day the proposal was given to the personnel: it chooses the rules."
    )
    starts_at: Instant | None = None
    place: str | None = Field(default=None, max_length=500)
    matters: str | None = Field(default=None, max_length=5000)
    grounds: str | None = Field(default=None, max_length=10000)
    selection_principles: str | None = Field(default=None, max_length=5000)
    carried_out_within: str | None = Field(default=None, max_length=1000)
    personnel_informed_on: Day | None = None


class Occupation(Part):
    """An occupation by a published classification (ISCO-08 or ESCO)."""

    scheme: str = Field(max_length=20)
    version: str | None = Field(default=None, max_length=20)
    code: str = Field(max_length=120)
    label: str | None = Field(default=None, max_length=200)


class Termination(Part):
    """Employees whose employment ends, by occupation or duties. No names, no personal identity codes."""

    count: Count | None = None
    occupation: Occupation | None = None
    duties: str | None = Field(default=None, max_length=500)
    municipality: MunicipalityCode | None = Field(default=None, max_length=10, description="Of the workplace.")
    ends_from: Day | None = None
    ends_until: Day | None = None


class Site(Part):
    """A workplace, if the employer tells of it: the law requires no breakdown by site."""

    municipality: MunicipalityCode = Field(max_length=10)
    name: str | None = Field(default=None, max_length=200)
    affected: Count | None = Field(default=None, description="Employees concerned at this site.")


class Residence(Part):
    """How many of the workers live in a municipality. Counts only."""

    municipality: MunicipalityCode = Field(max_length=10)
    count: Count | None = None


class Attachment(Part):
    """A document by reference; the document itself never travels in a message."""

    reference: str = Field(max_length=500)
    media_type: str | None = Field(default=None, max_length=100)
    size_bytes: int | None = Field(default=None, ge=0)
    sha256: str | None = Field(default=None, max_length=64)


class Filing(Part):
    """What the employer files."""

    kind: FilingKind
    legal_basis: LegalBasis | None = None
    employer: Employer
    language: Literal["fi", "sv", "en"] | None = None
    not_public: bool = Field(default=False, description="The plan is not public: it may be inside information.")
    negotiations: Negotiations | None = None
    measures: tuple[PlannedMeasure, ...] = Field(default=(), max_length=200)
    terminations: tuple[Termination, ...] = Field(default=(), max_length=500)
    site_breakdown: Literal["given", "asked", "unknown"] = "unknown"
    sites: tuple[Site, ...] = Field(default=(), max_length=500)
    residences: tuple[Residence, ...] = Field(default=(), max_length=400)
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=50)
    relates_to: UUID | None = Field(
        default=None, description="Of a notice of terminations: the notice id of the proposal that it follows."
    )


class Reason(Part):
    """One reason why an authority is concerned."""

    kind: ReasonKind
    municipality: MunicipalityCode | None = None


class HandlingReason(StrEnum):
    """Why a matter is handled jointly, or not."""

    SMALLER_AND_SHARED = "smaller_and_shared"
    ONE_AUTHORITY = "one_authority"
    NUMBER_UNKNOWN = "number_unknown"
    NOT_SMALLER = "not_smaller"


class Choice(Part):
    """Who was chosen, by whom and why, with the numbers of that moment."""

    authority: str
    officer: str | None = Field(default=None, max_length=200)
    by: str = Field(max_length=250, description="`rule`, or the officer who decided.")
    because: str = Field(max_length=60, description="A code; its texts are shown by the service.")
    agreed_percent: float | None = None
    actual_percent: float | None = None
    open: int | None = Field(default=None, description="Joint matters that the officer had open.")
    reason: str | None = Field(default=None, max_length=500, description="What an officer gave as the reason.")
    at: Instant


class Handling(Part):
    """How a matter is handled, why, and who leads it."""

    mode: HandlingMode
    reason: HandlingReason
    authorities: tuple[str, ...] = Field(description="Those of the region that it concerns and that did not take it.")
    affected_at_least: int
    limit: int = Field(description="Jointly handled when certainly fewer are affected.")
    limit_to_be_checked: bool
    lead: Choice | None = None
    specialist: Choice | None = Field(default=None, description="None while nobody can be named.")


class LegalGround(StrEnum):
    """On what ground an officer acts in a case."""

    OWN_COMPETENCE = "own_competence"
    CONSENT = "consent"
    DELEGATION = "delegation"


class ActingState(StrEnum):
    """How far an authority's acting for another has come. It only moves forward, in this order."""

    ASKED = "asked"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    ENDED = "ended"


class Acting(Part):
    """One authority acts in another's part of a matter: asked or offered, consented to, ended."""

    acting_id: UUID
    competent_authority: str
    acting_authority: str
    state: ActingState
    asked_by: str = Field(description="The authority that asked, or offered; the other one answers.")
    reason: str = Field(max_length=500)
    asked_at: Instant
    answer_by: Instant | None = None
    answered_by: str | None = Field(default=None, max_length=200, description="An officer; none for a delegation.")
    answered_at: Instant | None = None
    legal_ground: LegalGround | None = None
    ground_source: str | None = Field(default=None, max_length=300)
    ended_by: str | None = Field(default=None, description="An authority, or `rule`.")
    end_reason: str | None = Field(default=None, max_length=500)
    ended_at: Instant | None = None


class PlanStepState(StrEnum):
    """How far a step of the shared plan is."""

    PLANNED = "planned"
    DONE = "done"
    NOT_NEEDED = "not_needed"


class PlanStep(Part):
    """One step of a joint matter's plan, as it was changed last. Changes count up; of two, the later one stands."""

    step_id: UUID
    authority: str = Field(description="Whose step it is.")
    step: str = Field(max_length=60, description="A step of the course.")
    municipality: MunicipalityCode | None = Field(default=None, max_length=10, description="Of the site.")
    language: Literal["fi", "sv", "en"] | None = None
    planned_on: Day | None = None
    detail: str | None = Field(default=None, max_length=280)
    state: PlanStepState = PlanStepState.PLANNED
    change: int = Field(ge=1, le=100_000)
    changed_at: Instant
    changed_by: str = Field(max_length=200, description="An officer's opaque id.")
    changed_authority: str


class EarlierReduction(Part):
    """One measure of another filing of the same employer, so that its reductions of the days before can be counted."""

    day: Day
    kind: FilingKind
    measure: Measure | None = Field(default=None, description="Null: the filing names none.")
    count: Count | None = Field(default=None, description="Null where unknown, or masked: one to four.")
    layoff_days: Count | None = None
    layoff_ground: LayoffGround | None = None


FilerReference = Annotated[str, Field(min_length=1, max_length=100)]
"""The filer's own reference of a matter, by which it can be found."""


class _AboutNotice(Event):
    KEY: ClassVar[str] = "notice_id"
    notice_id: UUID


# -- from other systems -----------------------------------------------------------------------------------------------


class NoticeSubmitted(_AboutNotice):
    """Another system files a notice, or a revision of one it filed. `revision` n follows `revision` n - 1."""

    type: Literal["change-security.notice-submitted.v1"] = "change-security.notice-submitted.v1"
    revision: int = Field(default=1, ge=1, le=100_000)
    arrived_at: Instant | None = Field(
        default=None,
        description="When it first reached an authority. A claim, unless the system is a receiving authority's.",
    )
    filer_reference: FilerReference | None = None
    filing: Filing


class NoticeWithdrawalSubmitted(_AboutNotice):
    """Another system withdraws a notice that it filed."""

    type: Literal["change-security.notice-withdrawal-submitted.v1"] = "change-security.notice-withdrawal-submitted.v1"


# -- from the joint side to an office ---------------------------------------------------------------------------------


class _ToOffice(_AboutNotice):
    version: int = Field(ge=1, description="Grows with every change of the matter; an older one arriving late is void.")
    revision: int = Field(ge=1, description="Of the filing.")
    authority: str = Field(description="The competent authority that this concerns.")


class _NoticeForAuthority(_ToOffice):
    reasons: tuple[Reason, ...]
    handling_mode: HandlingMode
    routing_version: str = Field(description="The municipality table and rules by which it was routed.")
    arrived_at: Instant
    registered_at: Instant
    acknowledge_by: Instant
    missing: tuple[str, ...] = ()
    filing: Filing
    handling: Handling | None = None
    filer_reference: FilerReference | None = None
    arrived_at_claimed: Instant | None = Field(
        default=None, description="An earlier arrival that the filer states. It moves no clock."
    )
    revision_arrived_at: Instant | None = Field(default=None, description="When this revision arrived.")
    earlier_reductions: tuple[EarlierReduction, ...] | None = Field(
        default=None,
        description="The employer's other reductions, where the scope hangs on them; null when they are not known.",
    )
    asked_version: int | None = Field(
        default=None, ge=1, description="The version at which the authority was last asked to acknowledge."
    )
    asked_because: AskedBecause | None = None


class NoticeAssigned(_NoticeForAuthority):
    """A notice concerns this authority: it opens its own case."""

    type: Literal["change-security.notice-assigned.v1"] = "change-security.notice-assigned.v1"


class NoticeAmended(_NoticeForAuthority):
    """A notice that concerns this authority has changed."""

    type: Literal["change-security.notice-amended.v1"] = "change-security.notice-amended.v1"


class NoticeReleased(_ToOffice):
    """After a change the notice no longer concerns this authority."""

    type: Literal["change-security.notice-released.v1"] = "change-security.notice-released.v1"


class NoticeWithdrawn(_ToOffice):
    """The employer has withdrawn the notice."""

    type: Literal["change-security.notice-withdrawn.v1"] = "change-security.notice-withdrawn.v1"


class NoticeClosed(_ToOffice):
    """The change situation is over."""

    type: Literal["change-security.notice-closed.v1"] = "change-security.notice-closed.v1"
    outcome: Outcome


class HandlingChanged(_ToOffice):
    """How the matter is handled has changed: jointly or not, who leads it, who is its specialist."""

    type: Literal["change-security.handling-changed.v1"] = "change-security.handling-changed.v1"
    handling_mode: HandlingMode
    acting_authority: str
    handling: Handling | None = None


class ReceiptOverdue(_ToOffice):
    """A receipt has not come by its deadline: somebody should look."""

    type: Literal["change-security.receipt-overdue.v1"] = "change-security.receipt-overdue.v1"
    awaiting: Literal["stored", "acknowledged"]
    due_at: Instant


class NoticeAskedAgain(_NoticeForAuthority):
    """A coordinator asks the authority again: its case shows it, and must be acknowledged or declined anew."""

    type: Literal["change-security.notice-asked-again.v1"] = "change-security.notice-asked-again.v1"
    reason: str = Field(max_length=500, description="The coordinator's; it names no person.")


class NoticeMerged(_ToOffice):
    """The notice is one with another: the case is closed as merged, and continues there."""

    type: Literal["change-security.notice-merged.v1"] = "change-security.notice-merged.v1"
    into: UUID = Field(description="The notice that continues.")


# -- from an office to the joint side ---------------------------------------------------------------------------------


class _FromOffice(_AboutNotice):
    authority: str


class NoticeStored(_FromOffice):
    """The receipt of a store: committed with the case itself, in the same transaction."""

    type: Literal["change-security.notice-stored.v1"] = "change-security.notice-stored.v1"
    version: int
    revision: int
    stored_at: Instant


class NoticeAcknowledged(_FromOffice):
    """An officer of the authority has acknowledged the notice."""

    type: Literal["change-security.notice-acknowledged.v1"] = "change-security.notice-acknowledged.v1"
    acting_authority: str
    acknowledged_at: Instant
    version: int | None = Field(default=None, description="The newest that the officer had before them.")
    revision: int | None = None


class NoticeDeclined(_FromOffice):
    """The authority says that the notice is not its own. A coordinator looks into it."""

    type: Literal["change-security.notice-declined.v1"] = "change-security.notice-declined.v1"
    reason: DeclineReason
    declined_at: Instant
    version: int | None = Field(default=None, description="The newest that the officer had before them.")
    revision: int | None = None


class NoticeTaken(_FromOffice):
    """An authority takes its own part out of joint handling. Others' parts, of older versions, are asked for."""

    type: Literal["change-security.notice-taken.v1"] = "change-security.notice-taken.v1"
    parts: tuple[str, ...] = Field(description="The competent authorities whose parts are taken, or asked for.")
    taken_at: Instant
    version: int | None = Field(default=None, description="The newest that the officer had before them.")
    revision: int | None = None


class CaseClosed(_FromOffice):
    """The authority has closed its own case."""

    type: Literal["change-security.case-closed.v1"] = "change-security.case-closed.v1"
    outcome: Outcome
    closed_at: Instant
    version: int | None = Field(default=None, description="The newest that the officer had before them.")
    revision: int | None = None
    acting_authority: str | None = Field(default=None, description="Whose officer closed it; none: its own.")


class NoticeFiled(_FromOffice):
    """A notice, or a revision, that an authority received and registered itself; the joint side reconciles it."""

    type: Literal["change-security.notice-filed.v1"] = "change-security.notice-filed.v1"
    revision: int = Field(ge=1, le=100_000)
    arrived_at: Instant
    registered_at: Instant
    filer_reference: FilerReference | None = None
    filing: Filing


class NoticeWithdrawalFiled(_FromOffice):
    """A withdrawal that an authority received itself."""

    type: Literal["change-security.notice-withdrawal-filed.v1"] = "change-security.notice-withdrawal-filed.v1"


# -- to everyone ------------------------------------------------------------------------------------------------------


class WorkforceRelease(Part):
    """Workers of one occupation who will be free in one municipality."""

    occupation: Occupation | None = None
    municipality: MunicipalityCode | None = None
    count: int | None = Field(default=None, description="None where unknown, or masked: one to four.")
    masked: bool = False
    available_from: Day | None = None
    available_until: Day | None = None


class WorkforceReleased(_AboutNotice):
    """What a notice releases to the labour market. Says nothing of the employer.

    The newest version replaces the older ones whole; no releases means that there are none any more.
    """

    type: Literal["change-security.workforce-released.v1"] = "change-security.workforce-released.v1"
    version: int = Field(ge=1)
    releases: tuple[WorkforceRelease, ...]


# -- joint matters and acting for another -----------------------------------------------------------------------------


class PartReturned(_FromOffice):
    """An authority returns its own part, which it had taken, to joint handling."""

    type: Literal["change-security.part-returned.v1"] = "change-security.part-returned.v1"
    returned_at: Instant


class SpecialistListed(Event):
    """A change security officer's languages and time, as the own city has them. The newest replaces the older."""

    KEY: ClassVar[str] = "officer"
    type: Literal["change-security.specialist-listed.v1"] = "change-security.specialist-listed.v1"
    officer: str = Field(max_length=200)
    authority: str
    version: int = Field(ge=1)
    languages: tuple[Literal["fi", "sv", "en"], ...]
    person_years: float = Field(ge=0, le=1)
    absences: tuple[Absence, ...] = Field(default=(), max_length=100)


class PlanStepReported(_FromOffice):
    """A concerned authority has added or changed a step of the shared plan."""

    type: Literal["change-security.plan-step-reported.v1"] = "change-security.plan-step-reported.v1"
    step: PlanStep


class PlanChanged(_AboutNotice):
    """The shared plan of a matter, whole. Each step is newer than a reader's or it changes nothing."""

    type: Literal["change-security.plan-changed.v1"] = "change-security.plan-changed.v1"
    steps: tuple[PlanStep, ...]


class ActingReported(_FromOffice):
    """An authority asks to act for another or offers it, answers that, or ends it."""

    type: Literal["change-security.acting-reported.v1"] = "change-security.acting-reported.v1"
    acting: Acting


class ActingChanged(_AboutNotice):
    """How far the acting of one authority for another has come; both hear it."""

    type: Literal["change-security.acting-changed.v1"] = "change-security.acting-changed.v1"
    acting: Acting


# -- to whoever filed -------------------------------------------------------------------------------------------------


class HandledBy(Part):
    """An authority that a filing concerns, and how its part is handled."""

    authority: str
    handling_mode: HandlingMode
    acting_authority: str = Field(description="Another than the authority itself: it acts on its behalf.")


class ReceiptClock(Part):
    """A day that the law sets, computed for the reader. Not a decision."""

    name: str = Field(description="earliest_end_of_negotiations or earliest_end_of_employment.")
    day: Day
    to_be_checked: bool
    condition: str | None = Field(default=None, description="The code of the condition under which the day holds.")


class _Receipt(_AboutNotice):
    filed_by: str = Field(description="The system that filed: a reader passes over what others filed.")
    version: int = Field(ge=1, description="Grows with every change; an older one arriving late is void.")
    revision: int = Field(ge=1, description="Of the filing.")


class _FilingInForce(_Receipt):
    arrived_at: Instant
    authorities: tuple[HandledBy, ...] = Field(description="Who handles the filing.")
    missing: tuple[str, ...] = Field(
        default=(), description="JSON pointers into the filing of what is asked for; a revision completes it."
    )
    clocks: tuple[ReceiptClock, ...] = ()


class FilingAccepted(_FilingInForce):
    """A filing is registered and has been sent to every authority that it concerns. What is missing is asked for."""

    type: Literal["change-security.filing-accepted.v1"] = "change-security.filing-accepted.v1"


class FilingRevised(_FilingInForce):
    """A revision of a filing is in force."""

    type: Literal["change-security.filing-revised.v1"] = "change-security.filing-revised.v1"


class FilingReassigned(_FilingInForce):
    """The filing stands as it was; who handles it has changed, or it is open again."""

    type: Literal["change-security.filing-reassigned.v1"] = "change-security.filing-reassigned.v1"


class FilingWithdrawn(_Receipt):
    """The withdrawal of a filing is registered."""

    type: Literal["change-security.filing-withdrawn.v1"] = "change-security.filing-withdrawn.v1"


class FilingClosed(_Receipt):
    """The matter of a filing is closed."""

    type: Literal["change-security.filing-closed.v1"] = "change-security.filing-closed.v1"
    outcome: Outcome


class FilingMerged(_Receipt):
    """The filing is one with another of the same employer: it continues there, and goes on being answered here."""

    type: Literal["change-security.filing-merged.v1"] = "change-security.filing-merged.v1"
    into: UUID = Field(description="The notice that continues.")


class FilingRefused(Event):
    """A record could not be taken in. It waits for an operator; sent right, it is taken in as a new record.

    Carries nothing of the record's body. `filing-accepted` may still follow, when an operator handles the record.
    """

    KEY: ClassVar[str] = "notice_id"
    type: Literal["change-security.filing-refused.v1"] = "change-security.filing-refused.v1"
    refusal_id: UUID = Field(description="Names the parked record to an operator.")
    notice_id: UUID | None = Field(default=None, description="The record's key, if that is readable.")
    event_id: str | None = Field(default=None, max_length=200, description="The record's ce_id, if readable.")
    source: str | None = Field(default=None, max_length=200, description="The record's ce_source, if readable.")
    code: str
    refused_at: Instant

    @property
    def key(self) -> str:
        """The notice, so that its receipts keep their order; without one the refusal itself."""
        return str(self.notice_id or self.refusal_id)


EVENTS: tuple[type[Event], ...] = (
    NoticeSubmitted,
    NoticeWithdrawalSubmitted,
    NoticeAssigned,
    NoticeAmended,
    NoticeReleased,
    NoticeWithdrawn,
    NoticeClosed,
    HandlingChanged,
    ReceiptOverdue,
    NoticeStored,
    NoticeAcknowledged,
    NoticeDeclined,
    NoticeTaken,
    CaseClosed,
    NoticeFiled,
    NoticeWithdrawalFiled,
    WorkforceReleased,
    PartReturned,
    SpecialistListed,
    PlanStepReported,
    PlanChanged,
    ActingReported,
    ActingChanged,
    FilingAccepted,
    FilingRevised,
    FilingReassigned,
    FilingWithdrawn,
    FilingClosed,
    FilingRefused,
    NoticeAskedAgain,
    NoticeMerged,
    FilingMerged,
)
