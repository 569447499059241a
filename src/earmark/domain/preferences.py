"""How a caller wants a request carried out, beside what he asks."""

from dataclasses import dataclass

__all__ = ["NO_PREFERENCES", "Preferences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """A caller's wishes; every dialect has its own words for them.

    Attributes:
        use_cache: an earlier answer to the same text may be given again.
        wait: hold the request while its model loads, instead of saying so at once.
        load: let the request start the load of a model that is not loaded.
        timeout_s: how long the answer may take, at most what the service allows anyone.
    """

    use_cache: bool = True
    wait: bool = False
    load: bool = True
    timeout_s: float | None = None


NO_PREFERENCES = Preferences()
