"""Which models of the Hub may be fetched, as written by the operator."""

import pytest

from earmark.errors import SettingsError
from earmark.models.hub_rule import ANY, DENY, HubRule


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
    """In the same case; several patterns may be written in one word."""
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
    """And named, with what would do."""
    with pytest.raises(SettingsError, match=f"^hub_models (has )?{complaint}"):
        HubRule.read(written)


def test_a_rule_is_shown_as_it_is_written() -> None:
    """Each pattern once."""
    shown = [str(each) for each in (ANY, DENY, HubRule.read(("a/*,b/*", "a/*")))]
    assert shown == ["any", "deny", "a/*, b/*"]
