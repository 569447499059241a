"""Access keys: how one is made, and what is kept of it.

A key has 256 random bits, so that keeping its plain SHA-256 is safe: nobody can try so many values,
and no dictionary helps. A slow hash (argon2, bcrypt) protects passwords that people make up; here
it would only let strangers spend processor time with made-up credentials.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from earmark.errors import SettingsError

PREFIX = "ek_"
"""What every key begins with, so that people and scanners of secrets recognise one."""

_KEY_BYTES = 32
_ENDING = 4
"""Characters of a key that a listing shows: enough to distinguish keys, 24 bits of 256."""
_ID_DIGITS = 12
"""Length of an id. An id is the first hexadecimal digits of the digest, so that the holder of a key
can work it out."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_ID = re.compile(rf"[0-9a-f]{{{_ID_DIGITS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """What is kept of a key: everything but the key itself.

    Attributes:
        key_id: public; log lines and listings name the key by it.
        name: chosen by the operator; no two keys that are not revoked have the same one.
        digest: SHA-256 of the key.
        ending: the key's last characters.
        created_s: Unix time.
        revoked_s: Unix time; None while the key is valid.
    """

    key_id: str
    name: str
    digest: bytes = field(repr=False)
    ending: str
    created_s: float
    revoked_s: float | None = None

    @property
    def shown(self) -> str:
        """The key as a listing may show it."""
        return f"{PREFIX}…{self.ending}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: only now is the key itself known here.

    Attributes:
        secret: the key itself, which is kept nowhere.
        kept: the rest.
    """

    secret: str = field(repr=False)
    kept: AccessKey


def new_key(name: str, *, now_s: float) -> NewKey:
    """Make a key from the system's own randomness.

    Args:
        name: up to 64 letters, digits and ``. _ @ + -``.
        now_s: Unix time.

    Raises:
        SettingsError: the name is not of this form, or could be taken for a key's id.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{name[:64]!r} cannot name an access key; expected up to 64 letters, digits and"
            " . _ @ + -, a letter or digit first"
        )
    if _ID.fullmatch(name):
        raise SettingsError(f"{name!r} looks like the id of an access key; choose another name")
    secret = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    digest = digest_of(secret)
    return NewKey(
        secret,
        AccessKey(
            key_id=digest.hex()[:_ID_DIGITS],
            name=name,
            digest=digest,
            ending=secret[-_ENDING:],
            created_s=now_s,
        ),
    )


def digest_of(secret: str) -> bytes:
    """Return the SHA-256 by which a key, or what was presented as one, is looked up."""
    return hashlib.sha256(secret.encode()).digest()


def find_key(keys: Iterable[AccessKey], wanted: str) -> AccessKey:
    """Find a key that is not revoked, by its id or its name.

    Raises:
        SettingsError: there is none, or it is revoked already.
    """
    meant = [key for key in keys if wanted in (key.key_id, key.name)]
    active = [key for key in meant if key.revoked_s is None]
    if active:
        return active[0]
    if meant:
        raise SettingsError(f"the access key {wanted} is revoked already")
    raise SettingsError(
        f"there is no access key with the id or the name {wanted[:64]!r}; `earmark keys list` shows"
        " those there are"
    )
