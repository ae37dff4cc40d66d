"""What an operator sees of a payload."""

from shared.redaction import redacted


def test_a_payload_shows_ids_times_and_types_and_hides_texts_and_numbers() -> None:
    payload = (
        b'{"type": "change-security.notice-assigned.v1", "notice_id": "5d0f7c1e-5a0b-4b53-9a53-0c7a1f3c2d01",'
        b' "arrived_at": "2026-11-24T06:30:00Z", "joint": true, "name": "Esa", "count": 3, "sites": ["a", {"x": null}],'
        b' "Esa Esimerkki": 1}'
    )
    assert redacted(payload) == {
        "type": "change-security.notice-assigned.v1",
        "notice_id": "5d0f7c1e-5a0b-4b53-9a53-0c7a1f3c2d01",
        "arrived_at": "2026-11-24T06:30:00Z",
        "joint": True,
        "name": "«text of 3 characters»",
        "count": "«number»",
        "sites": ["«text of 1 characters»", {"x": None}],
        "«key of 13 characters»": "«number»",
    }
    assert redacted(b"\xff{") == "«no JSON, 2 bytes»"
    assert redacted(None) is None
