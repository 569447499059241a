"""The documentation page is complete, loads nothing from outside, and is fetched once."""

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from support.fake_engine import FakeEngine
from support.http_app import ask

_ENGINES = (FakeEngine(),)


class _References(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(
        self,
        tag: str,  # noqa: ARG002
        attrs: list[tuple[str, str | None]],
    ) -> None:
        """Keep the addresses in a tag."""
        names = {"src", "href", "action", "data"}
        self.found += [value for name, value in attrs if name in names and value]


def _references() -> list[str]:
    page = _References()
    page.feed(ask("GET", "/docs", engines=_ENGINES).text)
    return page.found


def test_the_page_is_a_page() -> None:
    """The page is HTML with an element that shows the document."""
    answer = ask("GET", "/docs", engines=_ENGINES)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<rapi-doc" in answer.text


def test_everything_the_page_is_made_of_is_served() -> None:
    """Every file that the page refers to is served with its exact type."""
    types = {".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
    served = [each for each in _references() if each != "data:,"]
    assert len(served) == 4
    for reference in served:
        # Relative to /docs: below whatever prefix a proxy adds.
        assert not reference.startswith(("/", "http"))
        answer = ask("GET", f"/{reference}", engines=_ENGINES)
        assert answer.status_code == 200, reference
        expected = types["." + reference.rpartition(".")[2]]
        assert answer.headers["content-type"].startswith(expected)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_can_reach_nobody_else() -> None:
    """The page's policy allows only this server, and no other page may frame it."""
    policy = ask("GET", "/docs", engines=_ENGINES).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    allowed = {word for rule in rules.values() for word in rule.split()}
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert rules["script-src"] == rules["connect-src"] == "'self'"


@pytest.mark.parametrize("name", ["index.html", "welcome.html", "page.js", "page.css"])
def test_our_own_part_of_the_page_names_no_other_server(name: str) -> None:
    """Our part of the page names no other server, and the viewer loads no fonts from one."""
    text = (files("earmark.web") / "docs" / name).read_text("utf-8")
    assert not re.search(r"(https?:)?//[a-z]", text.replace("// ", ""))
    if name == "index.html":
        assert 'load-fonts="false"' in text


_ADDRESSES = ("/openapi.json", "/docs", "/docs/page.js", "/docs/page.css", "/docs/rapidoc-min.js")


@pytest.mark.parametrize("path", _ADDRESSES)
def test_what_has_not_changed_is_not_sent_again(path: str) -> None:
    """A request with a file's entity tag gets 304; the tag depends on the content."""
    first = ask("GET", path, engines=_ENGINES)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask("GET", path, engines=_ENGINES, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    stale = ask("GET", path, engines=_ENGINES, headers={"if-none-match": '"other"'})
    assert (stale.status_code, stale.content) == (200, first.content)


def test_tags_differ() -> None:
    """Files of different contents have different entity tags."""
    tags = {ask("GET", path, engines=_ENGINES).headers["etag"] for path in _ADDRESSES}
    assert len(tags) == len(_ADDRESSES)


_BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_person_at_the_root_gets_a_short_page() -> None:
    """A browser at `/` gets a page with relative links to the API and to what is served."""
    answer = ask("GET", "/", engines=_ENGINES, headers=_BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Accept" in answer.headers["vary"]
    page = _References()
    page.feed(answer.text)
    leads = [each for each in page.found if each not in ("data:,", "docs/page.css")]
    assert leads == ["docs", "models", "health"]
    assert all(ask("GET", f"/{each}", engines=_ENGINES).status_code == 200 for each in leads)


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/json", "", "text/plain", "text/html;q=0", "text/html ; q=0.0, */*"],
)
def test_a_program_at_the_root_gets_json(accept: str) -> None:
    """A program at `/` gets JSON; `Vary` keeps the page and the JSON apart in caches."""
    answer = ask("GET", "/", engines=_ENGINES, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert "Accept" in answer.headers["vary"]
    assert answer.json()["server"] == "earmark"


def test_the_licence_of_the_viewer_is_in_the_package() -> None:
    """The viewer's licence is in the package, where the notice and the readme say it is."""
    folder = files("earmark.web") / "docs"
    assert "MIT License" in (folder / "rapidoc-LICENSE.txt").read_text("utf-8")
    version = re.search(r"RapiDoc (\S+)", (folder / "rapidoc-min.js").read_text("utf-8"))
    assert version is not None
    assert f"`rapidoc` {version[1]}" in (folder / "README.md").read_text("utf-8")
