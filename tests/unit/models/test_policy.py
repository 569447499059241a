"""The operator's rule, or who can reach the server, decides which models may be fetched."""

import pytest
from support.fake_hub import policy

from earmark.errors import SettingsError
from earmark.models.policy import ANY, DENY, HubRule
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory


@pytest.mark.parametrize(
    ("written", "allowed", "denied"),
    [
        (("deny",), (), ("dslim/bert-base-NER", "bert-base")),
        (("any",), ("dslim/bert-base-NER", "bert-base"), ()),
        (("dslim/*",), ("dslim/bert-base-NER",), ("Dslim/bert", "a-dslim/bert", "dslim-x")),
        (
            ("org/one, cardiffnlp/twitter-*", "*/ner-?"),
            ("org/one", "cardiffnlp/twitter-roberta", "x/ner-1"),
            ("org/one2", "cardiffnlp/other", "x/ner-12"),
        ),
    ],
)
def test_a_rule_allows_ids_that_fit_as_a_whole(
    written: tuple[str, ...], allowed: tuple[str, ...], denied: tuple[str, ...]
) -> None:
    """A pattern fits a whole id in the same case; a word may hold several, with commas."""
    rule = HubRule.read(written)
    assert [rule.allows(each) for each in allowed] == [True] * len(allowed)
    assert [rule.allows(each) for each in denied] == [False] * len(denied)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (("dslim*",), r"'dslim\*'; expected deny, any, or patterns such as"),
        (("a/b/c",), "'a/b/c'"),
        (("org/na me",), "'org/na me'"),
        (("org/name@main",), "'org/name@main'"),
        (("",), "''"),
        (("any", "org/*"), "'any' beside other values"),
        (("org/*,deny",), "'deny' beside other values"),
        ((), "is empty"),
    ],
)
def test_what_is_no_pattern_is_refused(written: tuple[str, ...], complaint: str) -> None:
    """The error names the word that is no pattern, and what is expected instead."""
    with pytest.raises(SettingsError, match=f"^hub_models (has )?{complaint}"):
        HubRule.read(written)


def test_a_rule_is_shown_as_it_is_written() -> None:
    """A rule is written as the operator would, each pattern once."""
    shown = [str(each) for each in (ANY, DENY, HubRule.read(("a/*,b/*", "a/*")))]
    assert shown == ["any", "deny", "a/*, b/*"]


@pytest.mark.parametrize(("loopback", "shown"), [(True, "any"), (False, "deny")])
def test_without_a_rule_only_a_server_of_this_machine_fetches(loopback: bool, shown: str) -> None:  # noqa: FBT001 - a case
    """Where other machines reach the server, their clients could fill its disk."""
    assert str(policy(unset=True, loopback=loopback).rule) == shown


def test_a_key_that_is_created_later_ends_that_at_once() -> None:
    """Once a key was created nothing is fetched without a rule, also after it is revoked."""
    keys = KeysInMemory()
    chosen = policy(unset=True, keys=keys)
    assert chosen.refusal("org/name", here=True) is None
    made = new_key("first", now_s=1.0)
    keys.add(made.kept)
    assert chosen.refusal("org/name", here=True) == "hub_models is deny"
    keys.revoke(made.kept.key_id, now_s=2.0)
    assert str(chosen.rule) == "deny"


def test_without_a_rule_no_page_of_another_site_has_models_fetched() -> None:
    """A request that a page of another site causes is refused, though it comes from here."""
    reason = policy(unset=True).refusal("org/name", here=False)
    assert reason is not None
    assert "a page of another site" in reason


def test_a_rule_of_the_operator_holds_for_everyone() -> None:
    """The operator's rule holds with keys, on any address, and for any page."""
    keys = KeysInMemory()
    keys.add(new_key("first", now_s=1.0).kept)
    chosen = policy("org/*", keys=keys, loopback=False)
    assert chosen.refusal("org/name", here=False) is None
    assert chosen.refusal("other/name", here=True) == "hub_models is org/*"
