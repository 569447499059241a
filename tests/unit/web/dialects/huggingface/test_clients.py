"""Which form of a zero-shot answer a client reads, by its name and version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.web.dialects.huggingface.clients import (
    ZERO_SHOT_FORMS,
    reads_first_list,
    zero_shot_form,
)
from earmark.web.options import ZeroShotForm

_HUB = "unknown/None; hf_hub/{}; python/3.11.7; torch/2.4.0"
_NODE_21 = "@huggingface/inference/{} Node.js/21"
_NUMBER = st.integers(min_value=0, max_value=99)


def _form(
    user_agent: str, unknown: ZeroShotForm = "labels", *, listed: bool = False
) -> ZeroShotForm:
    return zero_shot_form(user_agent, unknown=unknown, listed=listed)


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("0.17.3", "object"),
        ("0.23.5", "object"),
        ("0.36.0", "object"),
        ("1.0.0", "object"),
        ("1.1.4", "object"),
        ("1.1.5", "labels"),
        ("1.1.10", "labels"),
        ("1.10.0", "labels"),
        ("2.4.0", "labels"),
        ("10.0.0", "labels"),
        ("1.1.4.rc0", "object"),
        ("1.1.5.rc0", "labels"),
        ("1.1.5.dev0", "labels"),
        ("1.2.0.dev0", "labels"),
        ("1.2", "labels"),
        ("1.1", "object"),
    ],
)
def test_the_python_client_reads_labels_from_1_1_5_on(version: str, form: ZeroShotForm) -> None:
    """Python clients from 1.1.5 on get labels; 1.10 is later, and a pre-release is its release."""
    assert _form(_HUB.format(version), unknown="both") == form


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("3.1.4", "objects"),
        ("3.5.0", "objects"),
        ("3.7.0", "objects"),
        ("3.7.1", "objects"),
        ("3.15.0", "objects"),
        ("4.4.0", "objects"),
        ("4.4.99", "objects"),
        ("4.5.0", "labels"),
        ("4.13.30", "labels"),
        ("4.10.0", "labels"),
        ("5.0.0-beta.1", "labels"),
    ],
)
@pytest.mark.parametrize("pattern", ["@huggingface/inference/{}", _NODE_21])
def test_the_javascript_client_reads_labels_from_4_5_on(
    version: str, form: ZeroShotForm, pattern: str
) -> None:
    """JavaScript clients from 4.5 on get labels; older ones get a list of one object."""
    assert _form(pattern.format(version), unknown="both") == form


@pytest.mark.parametrize(
    "user_agent",
    [
        "node",
        "Node",
        "node-fetch",
        "undici",
        "Bun/1.2.21",
        "Deno/2.9.6",
        "Cloudflare-Workers",
        "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0",
    ],
)
@pytest.mark.parametrize("unknown", ZERO_SHOT_FORMS)
def test_a_client_that_may_be_of_any_version_gets_both(
    user_agent: str, unknown: ZeroShotForm
) -> None:
    """JavaScript clients before 3.1.4 and browsers, which send no version, get the form `both`."""
    assert _form(user_agent, unknown) == "both"


@pytest.mark.parametrize(
    "user_agent",
    ["", "curl/8.5.0", "python-requests/2.32", "hf_hub/main", "my Mozilla/5.0"],
)
@pytest.mark.parametrize("unknown", ZERO_SHOT_FORMS)
def test_a_caller_who_is_no_official_client_gets_what_the_operator_chose(
    user_agent: str, unknown: ZeroShotForm
) -> None:
    """Unknown clients, and names without a version, get the form that the operator chose."""
    assert _form(user_agent, unknown) == unknown


@given(st.tuples(_NUMBER, _NUMBER, _NUMBER))
def test_versions_compare_by_their_numbers(version: tuple[int, int, int]) -> None:
    """Versions compare by their numbers: 1.1.10 comes after 1.1.5."""
    written = ".".join(map(str, version))
    assert (_form(f"x; hf_hub/{written}; y") == "labels") == (version >= (1, 1, 5))
    assert (_form(f"@huggingface/inference/{written}") == "labels") == (version >= (4, 5, 0))


@pytest.mark.parametrize("unknown", ZERO_SHOT_FORMS)
@pytest.mark.parametrize("user_agent", ["", "node", "Bun/1.2.21", "python-requests/2.32"])
def test_a_list_of_texts_is_answered_by_objects(user_agent: str, unknown: ZeroShotForm) -> None:
    """A list of texts is answered by objects; official clients get their version's form."""
    assert _form(user_agent, unknown, listed=True) == "objects"
    assert _form(_HUB.format("2.4.0"), unknown, listed=True) == "labels"


@pytest.mark.parametrize(
    ("user_agent", "alone"),
    [
        ("unknown/None; hf_hub/0.17.3; python/3.8", True),
        ("unknown/None; hf_hub/2.4.0; python/3.12", True),
        ("@huggingface/inference/3.1.4 Bun/1.2.21", True),
        ("@huggingface/inference/4.13.30", True),
        ("node", False),
        ("python-requests/2.32", False),
        ("", False),
    ],
)
def test_official_clients_read_the_first_list_alone(user_agent: str, *, alone: bool) -> None:
    """All versions of both official clients read only the first list of an answer."""
    assert reads_first_list(user_agent) is alone
