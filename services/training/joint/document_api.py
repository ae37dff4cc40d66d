"""The joint office's API of documents: selection decisions in the service languages."""

import asyncio
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.training.catalogue import Catalogue
from services.training.domain.appeal import AppealInstruction, instruction_on
from services.training.joint import decision_document
from services.training.joint.store import Decisions, Queue
from shared.calendar import local_day
from shared.errors import UnknownError
from shared.events.v1.training import Language
from shared.http.auth import OwnOfficer, part
from shared.http.transactions import IdempotentRoute
from shared.messaging.transaction import Database

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["documents"])
TheDatabase = Annotated[Database, Depends(part(Database))]


class Appeals:
    """The appeal instructions, each with its dates."""

    def __init__(self, instructions: tuple[AppealInstruction, ...]) -> None:
        self._instructions = instructions

    def on(self, lang: Language, day: date) -> AppealInstruction:
        """Return the instruction in force on a day."""
        return instruction_on(self._instructions, lang, day)


TheAppeals = Annotated[Appeals, Depends(part(Appeals))]


@router.get("/applications/{application_id}/decisions/{decision_id}/document", response_class=Response)
async def read_decision_document(
    _: OwnOfficer,
    application_id: UUID,
    decision_id: int,
    appeals: TheAppeals,
    database: TheDatabase,
    lang: Language = "fi",
) -> Response:
    """Get a selection decision (`offered` or `rejected`) as PDF, with the appeal instruction."""
    async with database.read() as tx:
        application = await Queue(tx).get(application_id)
        decision = await Decisions(tx).selection(application_id, decision_id)
        if application is None or decision is None:
            raise UnknownError("selection decision")
        course = (await Catalogue(tx).course(application.course_id)).course
    instruction = appeals.on(lang, local_day(decision.at))
    # Drawing takes time: not in the event loop, and in no transaction.
    document = await asyncio.to_thread(decision_document.pdf, application, decision, course, instruction)
    return Response(document, media_type="application/pdf")
