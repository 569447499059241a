"""How the Hugging Face Hub is reached, and where its files lie: as its own library has it.

Everything of that library is imported after this module, which keeps it from telling more about
the machine than a request needs.
"""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

# With this variable the library neither tells versions of other libraries in its user agent nor
# asks the Hub which programs it may be driven by (huggingface_hub 2.4, utils/_headers.py). It is
# read when the library is imported.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from huggingface_hub import constants

__all__ = ["HubAccess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAccess:
    """A Hub, a cache and a token.

    Attributes:
        endpoint: the Hub's address, without a slash at its end.
        cache: the folder of the library's cache, which other programs share.
        token: to prove oneself by; None takes that of ``HF_TOKEN`` or of ``hf auth login``.
        offline: never ask the Hub.
    """

    endpoint: str
    cache: Path
    token: str | None = None
    offline: bool = False

    @classmethod
    def of_environment(cls) -> "HubAccess":
        """Take ``HF_ENDPOINT``, ``HF_HOME``, ``HF_HUB_CACHE``, ``HF_HUB_OFFLINE`` as they are."""
        return cls(
            endpoint=constants.ENDPOINT,
            cache=Path(constants.HF_HUB_CACHE),
            offline=constants.HF_HUB_OFFLINE,
        )

    @property
    def host(self) -> str:
        """Whom a message names: no more of the address, which may hold a password."""
        return self.endpoint.partition("//")[2].rpartition("@")[2] or self.endpoint

    @property
    def headers(self) -> dict[str, str]:
        """What each request says of us: name and version."""
        return {"user-agent": f"earmark/{version('earmark')}"}

    @property
    def timeout_s(self) -> float:
        """How long an answer may take to begin."""
        return float(constants.HF_HUB_ETAG_TIMEOUT)
