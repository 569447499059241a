"""How a caller wants a request to be handled."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """A caller's options for a request; every dialect has its own names for them.

    Attributes:
        use_cache: whether an earlier answer to the same text may be returned.
        wait: whether to wait while the model loads, instead of answering an error at once.
        load: whether the request may start the load of a model that is not loaded.
        timeout_s: how long the answer may take, limited by the server's own maximum.
    """

    use_cache: bool = True
    wait: bool = False
    load: bool = True
    timeout_s: float | None = None


NO_PREFERENCES = Preferences()
