"""How the id of a model is written, so that it needs no escaping in an address."""

import re
from typing import Final

__all__ = ["ID_PATTERN", "ID_SEGMENT", "MODEL_ID"]

ID_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""What stands between slashes; none begins with a dot, so that ``..`` is none."""

ID_PATTERN: Final = rf"{ID_SEGMENT}(?:/{ID_SEGMENT})*"
"""What the Hub allows in a repository's name, of any number of segments."""

MODEL_ID: Final = re.compile(ID_PATTERN)
