"""Decides which callers are let in."""

from collections.abc import Mapping

from earmark.errors import AccessDenied
from earmark.serving.access.keys import AccessKey, digest_of
from earmark.serving.access.store import KeyStore


class AccessGate:
    """Lets everyone in until the first key is created, and from then on only bearers of keys.

    A revoked key still counts as one that was created: an operator who revokes the last key wants
    fewer callers let in, not all.

    A presented key is looked up in a dictionary by its SHA-256. The lookup need not take constant
    time: its duration could reveal a kept digest at most, and the key cannot be found from that.
    """

    def __init__(self, store: KeyStore) -> None:
        """Make a gate for the keys of a store, which other processes may change at any time."""
        self._store = store
        self._version: object = None
        self._active: Mapping[bytes, AccessKey] = {}
        self._any = False

    @property
    def demands_key(self) -> bool:
        """Whether a key is needed at this moment.

        Raises:
            StateUnavailable: the store cannot be read.
        """
        # The version first: a change between the two reads is then read again, not lost.
        version = self._store.version()
        if version != self._version:
            keys = self._store.all_keys()
            self._active = {key.digest: key for key in keys if key.revoked_s is None}
            self._any = bool(keys)
            self._version = version
        return self._any

    @property
    def opens_to_nobody(self) -> bool:
        """Whether a key is needed at this moment, and none is valid: all of them are revoked.

        Raises:
            StateUnavailable: the store cannot be read.
        """
        return self.demands_key and not self._active

    def admit(self, secret: str | None) -> AccessKey | None:
        """Let the bearer of a credential in.

        Args:
            secret: what was presented; None for nothing.

        Returns:
            The key that was presented; None where no key is needed.

        Raises:
            AccessDenied: a key is needed, and this is not a valid one.
            StateUnavailable: the store cannot be read, so that nobody is let in.
        """
        if not self.demands_key:
            return None
        if secret is None:
            raise AccessDenied("no access key was sent")
        key = self._active.get(digest_of(secret))
        if key is None:
            raise AccessDenied("this access key is unknown here, or has been revoked")
        return key
