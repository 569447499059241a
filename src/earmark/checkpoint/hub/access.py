"""The address, cache and token for the Hugging Face Hub, with the defaults of its own library.

Import everything else of that library after this module: it stops the library from sending
details about the machine that a request does not need.
"""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

# With this variable the library neither sends versions of other libraries in its user agent nor
# asks the Hub for the list of programs that may run it (huggingface_hub 2.4, utils/_headers.py).
# The library reads the variable when it is imported.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from huggingface_hub import constants


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAccess:
    """A Hub, a cache and a token.

    Attributes:
        endpoint: the Hub's address, without a slash at its end.
        cache: the folder of the library's cache, which other programs share.
        token: the access token; None takes that of ``HF_TOKEN`` or of ``hf auth login``.
        offline: never ask the Hub.
    """

    endpoint: str
    cache: Path
    token: str | None = None
    offline: bool = False

    @classmethod
    def of_environment(cls) -> "HubAccess":
        """Read ``HF_ENDPOINT``, ``HF_HOME``, ``HF_HUB_CACHE`` and ``HF_HUB_OFFLINE``."""
        return cls(
            endpoint=constants.ENDPOINT,
            cache=Path(constants.HF_HUB_CACHE),
            offline=constants.HF_HUB_OFFLINE,
        )

    @property
    def host(self) -> str:
        """The Hub's host, for messages; the rest of the address may hold a password."""
        return self.endpoint.partition("//")[2].rpartition("@")[2] or self.endpoint

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each request: the name and version of this program."""
        return {"user-agent": f"earmark/{version('earmark')}"}

    @property
    def timeout_s(self) -> float:
        """How long an answer may take to begin."""
        return float(constants.HF_HUB_ETAG_TIMEOUT)
