"""A `transformers` reference where PyTorch is not installed; `make test-torch` has the rest."""

import pytest

from earmark.engine.transformers_reference import transformers_release
from earmark.errors import UnsupportedDevice


def test_a_reference_that_is_not_installed_names_the_extra() -> None:
    """The error names the extra to install, and how to do without it."""
    with pytest.raises(
        UnsupportedDevice, match=r"pip install 'earmark\[torch\]', or leave certify"
    ):
        transformers_release(installed=False)
