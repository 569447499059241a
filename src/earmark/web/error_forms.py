"""How a dialect finds what to make of an error."""

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["nearest_form"]

Form = TypeVar("Form")


def nearest_form(forms: Mapping[type[BaseException], Form], error: BaseException) -> Form:
    """Find the form of an error by walking up its classes; `forms` has one for `Exception`."""
    return next(forms[kind] for kind in type(error).__mro__ if kind in forms)
