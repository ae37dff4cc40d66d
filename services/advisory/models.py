"""What both sides take: a contact of an employer."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from services.advisory.domain.contact import Person
from shared.events.v1.advisory import Contact, ContactChannel, ContactTopic, Language
from shared.events.v1.change_security import MunicipalityCode


class ContactIn(BaseModel):
    """A contact of an employer, and who calls. Who calls stays in the office that takes the contact."""

    channel: ContactChannel
    topic: ContactTopic = ContactTopic.OTHER
    language: Language = "fi"
    municipality: MunicipalityCode | None = None
    business_id: str | None = Field(default=None, max_length=20)
    received_at: AwareDatetime | None = Field(default=None, description="Now, if not given.")
    person: Person | None = None

    def contact(self, now: datetime) -> Contact:
        """Return the contact without whoever calls."""
        return Contact(
            channel=self.channel,
            topic=self.topic,
            language=self.language,
            municipality=self.municipality,
            business_id=self.business_id,
            received_at=min(self.received_at or now, now),
        )
