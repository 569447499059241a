"""How an access key is made, what is kept of it, and how it is found."""

import hashlib
import re

import pytest

from earmark.errors import SettingsError
from earmark.serving.access.keys import AccessKey, digest_of, find_key, new_key


def kept(key_id: str, name: str, *, revoked_s: float | None = None) -> AccessKey:
    """Return a key as a store keeps it."""
    return AccessKey(
        key_id=key_id, name=name, digest=b"", ending="abcd", created_s=0.0, revoked_s=revoked_s
    )


def test_a_key_holds_256_random_bits_and_is_recognised() -> None:
    """43 characters of base64 for URLs hold 258 bits; no two keys are alike."""
    secrets = {new_key("ci", now_s=0.0).secret for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert re.fullmatch(r"ek_[A-Za-z0-9_-]{43}", secret)


def test_what_is_kept_of_a_key_does_not_hold_it() -> None:
    """What is kept has the digest, an id from the digest, and the ending, but not the key."""
    made = new_key("ci", now_s=7.5)
    digest = hashlib.sha256(made.secret.encode()).digest()
    assert made.kept == AccessKey(
        key_id=digest.hex()[:12],
        name="ci",
        digest=digest,
        ending=made.secret[-4:],
        created_s=7.5,
        revoked_s=None,
    )
    assert made.kept.shown == f"ek_…{made.secret[-4:]}"


def test_no_key_stands_in_a_traceback_or_a_log() -> None:
    """The repr of a key's objects holds neither the key nor its digest."""
    made = new_key("ci", now_s=0.0)
    assert made.secret not in repr(made)
    assert repr(made.kept.digest) not in repr(made)


def test_anything_has_a_digest() -> None:
    """Any text that a caller presents has a digest and can be looked up."""
    assert digest_of("") != digest_of("\xff\u20ac")


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a" * 65, "a\n", "caf\xe9", "a/b", "[red]"])
def test_a_name_is_a_plain_word(name: str) -> None:
    """Only names of letters, digits and a few signs are accepted."""
    with pytest.raises(SettingsError, match="cannot name an access key"):
        new_key(name, now_s=0.0)


def test_a_name_cannot_be_mistaken_for_an_id() -> None:
    """A name in the form of an id is refused, so that revoking by id cannot hit another key."""
    with pytest.raises(SettingsError, match="looks like the id"):
        new_key("0123456789ab", now_s=0.0)


def test_a_key_is_found_by_its_id_and_by_its_name() -> None:
    """A key is found by id and by name; of keys with one name, the valid one is found."""
    old = kept("0" * 12, "ci", revoked_s=1.0)
    current = kept("1" * 12, "ci")
    assert find_key([old, current], "ci") is current
    assert find_key([old, current], "1" * 12) is current


@pytest.mark.parametrize("wanted", ["ci", "0" * 12])
def test_a_revoked_key_is_not_found_again(wanted: str) -> None:
    """Finding a revoked key raises an error that says it is revoked already."""
    with pytest.raises(SettingsError, match=f"{wanted} is revoked already"):
        find_key([kept("0" * 12, "ci", revoked_s=1.0)], wanted)


def test_an_unknown_key_is_told_where_to_look() -> None:
    """The error for an unknown key names the command that lists keys."""
    with pytest.raises(SettingsError, match="'nobody'; `earmark keys list`"):
        find_key([kept("0" * 12, "ci")], "nobody")
