"""Who is let in."""

from collections.abc import Mapping

from earmark.errors import AccessDenied
from earmark.serving.access.keys import AccessKey, digest_of
from earmark.serving.access.store import KeyStore

__all__ = ["AccessGate"]


class AccessGate:
    """Lets everyone in until the first key is created, and from then on only bearers of keys.

    A revoked key still counts as one that was created: whoever revokes the last key wants fewer
    people in, not everyone.

    What was presented is looked up by its SHA-256 in a dictionary. Nothing takes care that this
    lasts equally long, and nothing need: time could tell of a kept digest at most, and from that
    nobody finds the key.
    """

    def __init__(self, store: KeyStore) -> None:
        """Stand before a store, which others may change at any time."""
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
        self._refresh()
        return self._any

    @property
    def opens_to_nobody(self) -> bool:
        """Whether a key is needed at this moment, and none opens: all of them are revoked.

        Raises:
            StateUnavailable: the store cannot be read.
        """
        return self.demands_key and not self._active

    def admit(self, secret: str | None) -> AccessKey | None:
        """Let the bearer of a credential in.

        Args:
            secret: what was presented; None for nothing.

        Returns:
            The key that it is; None where no key is needed.

        Raises:
            AccessDenied: a key is needed, and this is none.
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

    def _refresh(self) -> None:
        """Read the keys anew where one was created or revoked since."""
        # Asked before the keys are read: what changes between the two is then read once more.
        version = self._store.version()
        if version == self._version:
            return
        keys = self._store.all_keys()
        self._active = {key.digest: key for key in keys if key.revoked_s is None}
        self._any = bool(keys)
        self._version = version
