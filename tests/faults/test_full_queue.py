"""More texts at once than the server lets in: refusals in each dialect's form, and no loss."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults.figures import Figures
from faults.served import (
    Answer,
    Served,
    asked,
    assert_answered_once,
    assert_clean,
    member,
    neighbour,
    serving,
)
from support.checkpoints import CheckpointSpec, write_checkpoint

_CALLERS = 48
"""Three times as many as there is room for: 16 requests of 1,024 texts fill the queue."""
_IN_EACH_FORM = 24
_TEXTS = 1024
_NEIGHBOUR_S = 3.0
_LONGEST_S = 120.0
_RUN = "/client/v4/accounts/a/ai/run/mine"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one caller met.

    Attributes:
        refusals: before it was let in.
        answer: at last.
        ids: of its requests.
    """

    refusals: list[Answer]
    answer: Answer
    ids: list[str]


@dataclass(frozen=True, slots=True)
class _Form:
    """How a dialect is asked, and how it refuses.

    Attributes:
        path: of many texts.
        body: holds them.
        reads: whether a refusal has the dialect's form.
    """

    path: str
    body: Callable[[list[str]], object]
    reads: Callable[[object], bool]


def _is_cloudflares(body: object) -> bool:
    errors = member(body, "errors")
    assert isinstance(errors, list)
    return member(body, "success") is False and member(errors[0], "code") == 3040


def _is_busy(name: str) -> Callable[[object], bool]:
    return lambda body: "the server is busy" in str(member(body, name))


_FORMS: Final[Mapping[str, _Form]] = {
    "Hugging Face": _Form("/models/tiny", lambda texts: {"inputs": texts}, _is_busy("error")),
    "text-embeddings-inference": _Form(
        "/rerank", lambda texts: {"query": "q", "texts": texts}, _is_busy("error")
    ),
    "Cohere": _Form(
        "/v2/rerank",
        lambda texts: {"query": "q", "documents": texts, "model": "ranker"},
        _is_busy("message"),
    ),
    "Workers AI": _Form(
        "/client/v4/accounts/a/ai/run/ranker",
        lambda texts: {"query": "q", "contexts": [{"text": text} for text in texts]},
        _is_cloudflares,
    ),
}


def _insist(served: Served, number: int) -> _Outcome:
    """Ask until the server lets the request in, after the time that each refusal names."""
    texts = [f"{number} {place} is good" for place in range(_TEXTS)]
    refusals: list[Answer] = []
    ids: list[str] = []
    until_s = time.monotonic() + _LONGEST_S
    with closing(served.connect()) as to:
        while True:
            ids.append(f"caller-{number}-{len(ids)}")
            headers = {"x-request-id": ids[-1], "x-use-cache": "false"}
            found = asked(to, "POST", "/models/tiny", {"inputs": texts}, headers)
            if found.status != 429 or time.monotonic() > until_s:
                return _Outcome(refusals, found, ids)
            refusals.append(found)
            time.sleep(int(found.headers["retry-after"]))


def test_a_full_queue_refuses_and_loses_nothing(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """Callers that come again as they are told are all answered; small requests are let in."""
    with serving("--model", tiny, folder=tmp_path) as served:
        served.ask()
        with neighbour(served) as one, ThreadPoolExecutor(_CALLERS) as callers:
            begun_s = time.monotonic()
            outcomes = list(callers.map(lambda number: _insist(served, number), range(_CALLERS)))
            took_s = time.monotonic() - begun_s
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        refusals = [each for outcome in outcomes for each in outcome.refusals]
        assert refusals
        for refusal in refusals:
            assert "the server is busy" in str(member(refusal.body, "error"))
            assert 1 <= int(refusal.headers["retry-after"]) <= 60
        for outcome in outcomes:
            assert outcome.answer.status == 200
            assert isinstance(outcome.answer.body, list)
            assert len(outcome.answer.body) == _TEXTS
        assert served.server.stop() == 0
        ids = [name for outcome in outcomes for name in outcome.ids]
        assert_answered_once(served.server.events, ids)
        assert_clean(served.server.events)
    figures.add(
        f"{_CALLERS} requests of {_TEXTS:,} texts at once, three times what is let in",
        "the rest get 429 with Retry-After; all are answered once; small requests are let in",
        f"{len(refusals)} refusals; all answered after {took_s:.1f} s; neighbour: at most"
        f" {one.worst_ms:,.0f} ms of {len(one.took_s)}",
    )


def test_each_dialect_refuses_in_its_own_form(tiny: str, tmp_path: Path, figures: Figures) -> None:
    """429 with Retry-After, and a body that the dialect's clients read."""
    spec = CheckpointSpec(num_labels=1)
    ranker = str(write_checkpoint(tmp_path / "ranker", spec))
    refused: Counter[str] = Counter()
    with serving("--model", tiny, "--model", ranker, folder=tmp_path) as served:
        for name, form in _FORMS.items():

            def ask(form: _Form = form) -> Answer:
                texts = [f"text {next(served.texts)}" for _ in range(_TEXTS)]
                return served.ask(form.path, form.body(texts))

            with ThreadPoolExecutor(_IN_EACH_FORM) as callers:
                answers = [callers.submit(ask) for _ in range(_IN_EACH_FORM)]
            for answer in (one.result() for one in answers):
                if answer.status == 200:
                    continue
                assert answer.status == 429
                assert int(answer.headers["retry-after"]) >= 1
                assert form.reads(answer.body), answer.body
                refused[name] += 1
            assert 0 < refused[name] < _IN_EACH_FORM
        assert served.health() == (200, "ready")
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        f"the same in each of {len(_FORMS)} forms",
        "429, Retry-After and the body of the dialect",
        ", ".join(f"{name} {count} of {_IN_EACH_FORM}" for name, count in refused.items()),
    )
