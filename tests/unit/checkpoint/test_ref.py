"""How names of models of the Hub are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.checkpoint.ref import HubRef

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SEGMENTS = st.from_regex(r"[a-z0-9]([a-z0-9_.]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda one: ".." not in one and not one.endswith(".git")
)


@pytest.mark.parametrize(
    ("written", "repo", "revision"),
    [
        ("org/name", "org/name", None),
        ("org/name@v1.0", "org/name", "v1.0"),
        ("org/name@refs/pr/3", "org/name", "refs/pr/3"),
        (f"org/name@{COMMIT}", "org/name", COMMIT),
        ("bert-base-uncased", "bert-base-uncased", None),
        ("a_b/c.d-e@feature/x", "a_b/c.d-e", "feature/x"),
    ],
)
def test_a_name_is_read_with_its_revision(written: str, repo: str, revision: str | None) -> None:
    """A branch, tag, pull request or commit is read after the @."""
    read = HubRef.read(written)
    assert read == HubRef(repo, revision)
    assert str(read) == written


@pytest.mark.parametrize(
    "written",
    [
        "",
        "word",
        "./org/name",
        "/org/name",
        "~/name",
        "org/name/",
        "a/b/c",
        "org/na--me",
        "org/a..b",
        "org/name.git",
        "org/name@",
        "org/name@../x",
        "org/name@a/../b",
        "org/name@/a",
        "org/-name",
        "org name/x",
        "org/" + "n" * 97,
        "C:\\models\\x",
    ],
)
def test_what_the_hub_does_not_allow_is_no_name_of_it(written: str) -> None:
    """A name that the Hub does not allow, or a revision that leads out of the cache, is no name."""
    assert HubRef.read(written) is None


def test_only_a_whole_commit_counts_as_one() -> None:
    """Only 40 digits are a commit; a short one is a revision. People see twelve digits."""
    pinned = HubRef("org/name").at(COMMIT)
    assert pinned.commit == COMMIT
    assert pinned.shown == f"org/name@{COMMIT[:12]}"
    assert HubRef("org/name", COMMIT[:7]).commit is None
    assert HubRef("org/name", "main").shown == "org/name@main"


@given(SEGMENTS, SEGMENTS)
def test_every_plain_name_is_read_as_it_is_written(org: str, name: str) -> None:
    """Every plain name is read unchanged."""
    assert HubRef.read(f"{org}/{name}") == HubRef(f"{org}/{name}")
