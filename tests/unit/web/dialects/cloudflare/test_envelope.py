"""The ids of requests are always UUIDs in this dialect."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from earmark.web.dialects.cloudflare.envelope import ai_request_id


@given(st.uuids())
def test_a_uuid_stays_what_it_is(given_id: uuid.UUID) -> None:
    """A request id that is a UUID is the same in the header but for its hyphens."""
    assert ai_request_id(given_id.hex) == ai_request_id(str(given_id)) == str(given_id)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128))
def test_any_other_id_becomes_one(given_id: str) -> None:
    """Any other request id becomes the same UUID each time."""
    made = ai_request_id(given_id)
    assert str(uuid.UUID(made)) == made == ai_request_id(given_id)
