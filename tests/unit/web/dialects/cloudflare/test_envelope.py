"""Ids that are always UUIDs."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from earmark.web.dialects.cloudflare.envelope import ai_request_id


@given(st.uuids())
def test_a_uuid_stays_what_it_is(given_id: uuid.UUID) -> None:
    """The log's id and the header's are the same but for hyphens."""
    assert ai_request_id(given_id.hex) == ai_request_id(str(given_id)) == str(given_id)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128))
def test_any_other_id_becomes_one(given_id: str) -> None:
    """The same each time, so that an operator can find it."""
    made = ai_request_id(given_id)
    assert str(uuid.UUID(made)) == made == ai_request_id(given_id)
