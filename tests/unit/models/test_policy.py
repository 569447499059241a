"""Whether a request may have a model fetched, by who can reach the server."""

import pytest
from support.fake_hub import policy

from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory


@pytest.mark.parametrize(("loopback", "shown"), [(True, "any"), (False, "deny")])
def test_without_a_rule_only_a_server_of_this_machine_fetches(loopback: bool, shown: str) -> None:  # noqa: FBT001 - a case
    """Whoever reaches another one could fill its disk."""
    assert str(policy(unset=True, loopback=loopback).rule) == shown


def test_a_key_that_is_created_later_ends_that_at_once() -> None:
    """And revoking it does not bring it back."""
    keys = KeysInMemory()
    chosen = policy(unset=True, keys=keys)
    assert chosen.refusal("org/name", here=True) is None
    made = new_key("first", now_s=1.0)
    keys.add(made.kept)
    assert chosen.refusal("org/name", here=True) == "hub_models is deny"
    keys.revoke(made.kept.key_id, now_s=2.0)
    assert str(chosen.rule) == "deny"


def test_without_a_rule_no_page_of_another_site_has_models_fetched() -> None:
    """A browser sends its requests from this very machine."""
    reason = policy(unset=True).refusal("org/name", here=False)
    assert reason is not None
    assert "a page of another site" in reason


def test_a_rule_of_the_operator_holds_for_everyone() -> None:
    """With keys, on any address, and for any page."""
    keys = KeysInMemory()
    keys.add(new_key("first", now_s=1.0).kept)
    chosen = policy("org/*", keys=keys, loopback=False)
    assert chosen.refusal("org/name", here=False) is None
    assert chosen.refusal("other/name", here=True) == "hub_models is org/*"
