"""Announcements as Atom (RFC 4287) and JSON Feed 1.1, per audience and language."""

import re
from collections.abc import Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from services.advisory.domain.letters import list_title
from services.advisory.joint.tables import AnnouncementRow
from shared.calendar import start_of
from shared.events.v1.advisory import Audience, Language, Texts

_ATOM: Final = "http://www.w3.org/2005/Atom"
_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AUTHOR: Final[dict[Language, str]] = {
    "fi": "Pääkaupunkiseudun työllisyyspalvelut",
    "sv": "Huvudstadsregionens sysselsättningstjänster",
    "en": "Employment services of the capital region",
}


def _texts(row: AnnouncementRow, language: Language) -> Texts:
    return {"fi": row.texts.fi, "sv": row.texts.sv, "en": row.texts.en}[language]


def _published(row: AnnouncementRow) -> str:
    return max(start_of(row.publish_on), row.made_at).isoformat()


def atom(rows: Sequence[AnnouncementRow], audience: Audience, language: Language, url: str) -> bytes:
    """Write announcements as an Atom feed."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})
    _add(feed, "id", url)
    _add(feed, "title", list_title(audience, language))
    _add(feed, "updated", _published(rows[0]) if rows else "2025-01-01T00:00:00+02:00")
    _add(_add(feed, "author"), "name", _AUTHOR[language])
    _add(feed, "link", rel="self", type="application/atom+xml", href=url)
    for row in rows:
        texts, entry = _texts(row, language), _add(feed, "entry")
        _add(entry, "id", f"urn:uuid:{row.announcement_id}")
        _add(entry, "title", texts.title)
        _add(entry, "updated", _published(row))
        _add(entry, "published", _published(row))
        _add(entry, "content", texts.body, type="text")
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = None if text is None else _NOT_XML.sub("", text)
    return element


def json_feed(rows: Sequence[AnnouncementRow], audience: Audience, language: Language, url: str) -> dict[str, Any]:
    """Write announcements as a JSON Feed."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": list_title(audience, language),
        "feed_url": url,
        "language": language,
        "authors": [{"name": _AUTHOR[language]}],
        "items": [
            {
                "id": f"urn:uuid:{row.announcement_id}",
                "title": _texts(row, language).title,
                "content_text": _texts(row, language).body,
                "date_published": _published(row),
                "language": language,
            }
            for row in rows
        ],
    }
