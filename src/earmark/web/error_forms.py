"""How a dialect finds what to make of an error."""

import math
from collections.abc import Mapping
from typing import TypeVar

from earmark.errors import CapacityError

__all__ = ["nearest_form", "retry_after"]

Form = TypeVar("Form")


def nearest_form(forms: Mapping[type[BaseException], Form], error: BaseException) -> Form:
    """Find the form of an error by walking up its classes; `forms` has one for `BaseException`."""
    return next(forms[kind] for kind in type(error).__mro__ if kind in forms)


def retry_after(error: CapacityError) -> str:
    """Write when to try again as HTTP's ``Retry-After``: whole seconds, and never at once."""
    return str(max(1, math.ceil(error.retry_after_s)))
