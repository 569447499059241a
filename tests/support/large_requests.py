"""Requests near the limits of what is accepted, and some beyond them, in every dialect."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_BYTES = 2_000_000
"""Bodies of 2 MiB are accepted."""
_WORDS = "ab " * (_BYTES // 3 - 50)
_SENTENCE = "Berlin IBM Sarah " * 29
_WORKERS_AI = "/client/v4/accounts/x/ai/run"
_BINDING = f"{_WORKERS_AI}/proxy"
_GZIP = {"content-encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class LargeRequest:
    """One request.

    Attributes:
        name: what is large in it.
        path: where it is sent.
        body: as it is sent.
        headers: beside the usual ones.
    """

    name: str
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _classification() -> Iterator[LargeRequest]:
    path = "/models/acme/tc"
    inputs: dict[str, object] = {
        "one text": _WORDS,
        "one row of signs": "!" * _BYTES,
        "one word": "a" * _BYTES,
        "ideographs": "\u6f22\u5b57" * (_BYTES // 6 - 10),
        "emoji": "\U0001f600" * (_BYTES // 4 - 10),
        "spaces": " " * _BYTES,
        "texts": [_SENTENCE] * 1024,
        "different texts": [f"{index} {_SENTENCE * 3}" for index in range(1024)],
        "pairs": [{"text": "a b c " * 150, "text_pair": "d e f " * 150}] * 1024,
        "one pair": {"text": _WORDS[: _BYTES // 2 - 50], "text_pair": _WORDS[: _BYTES // 2 - 50]},
        "empty texts": [""] * 400_000,
        "lists": [["a", "b"]] * 130_000,
        "numbers": [1] * 500_000,
    }
    for name, value in inputs.items():
        yield LargeRequest(f"classify {name}", path, _json({"inputs": value}))
    yield LargeRequest("classify cut left", "/models/acme/left", _json({"inputs": _WORDS}))
    yield LargeRequest("classify at the root", "/", _json({"inputs": _WORDS}))
    uncut = {"inputs": _WORDS, "parameters": {"truncation": False}}
    yield LargeRequest("classify uncut", path, _json(uncut))
    names = {f"p{index}": index for index in range(110_000)}
    yield LargeRequest("unread parameters", path, _json({"inputs": "x", "parameters": names}))
    yield LargeRequest("unread members", path, _json({"inputs": "x", **names}))
    yield LargeRequest("escapes", path, b'{"inputs":"' + b"\\u00e4" * 330_000 + b'"}')
    brackets = b"[" * 990_000 + b"]" * 990_000
    yield LargeRequest("deep inputs", path, b'{"inputs":' + brackets + b"}")
    yield LargeRequest("deep member", path, b'{"inputs":"x","extra":' + brackets + b"}")
    yield LargeRequest("no end", path, _json({"inputs": _WORDS})[:-2])
    yield LargeRequest("no UTF-8", path, _json({"inputs": _WORDS})[:-2] + b'\xff"}')
    yield LargeRequest("gzip", path, gzip.compress(_json({"inputs": _WORDS})), _GZIP)
    bomb = gzip.compress(b'{"inputs":"' + b"a" * 30_000_000)
    yield LargeRequest("gzip bomb", path, bomb, _GZIP)
    yield LargeRequest("long address", "/models/" + "a/" * 14_000, _json({"inputs": "x"}))


def _zero_shot() -> Iterator[LargeRequest]:
    path = "/models/acme/zs"

    def asked(name: str, inputs: object, labels: object, **parameters: object) -> LargeRequest:
        parameters["candidate_labels"] = labels
        return LargeRequest(name, path, _json({"inputs": inputs, "parameters": parameters}))

    yield asked("zero-shot one text", _WORDS, ["x"])
    yield asked("zero-shot texts", ["ab cd " * 100] * 1000, list("wxyz"))
    yield asked("zero-shot labels", "ab", [f"label {index}" for index in range(4000)])
    yield asked("zero-shot labels in a string", "ab", "a," * 900_000)
    yield asked("zero-shot long labels", "ab", ["l" * 900_000, "m" * 900_000])
    yield asked("zero-shot template", "ab", ["a", "b"], hypothesis_template="{{" * 450_000 + "{}")
    yield asked("zero-shot place", "ab", ["a", "b"], hypothesis_template="{0}" * 100_000)
    pairs = [[["ab " * 500, "cd " * 100]]] * 900
    yield LargeRequest("pairs for zero-shot's model", path, _json({"inputs": pairs}))


def _tokens() -> Iterator[LargeRequest]:
    path = "/models/acme/tk"

    def asked(name: str, inputs: object, **parameters: object) -> LargeRequest:
        return LargeRequest(name, path, _json({"inputs": inputs, "parameters": parameters}))

    yield asked("entities of one text", _WORDS)
    yield asked("entities in windows", "ab " * 300_000, stride=64)
    yield asked("entities in too many windows", "abcde " * 300_000, stride=200)
    yield asked(
        "entities of words in windows", "Berlin. " * 60_000, aggregation_strategy="first", stride=16
    )
    yield asked("entities of texts", [_SENTENCE] * 1024)
    every = {"aggregation_strategy": "none", "ignore_labels": []}
    yield asked("every token of texts", [_SENTENCE] * 512, **every)
    yield asked("entities but for labels", "x", ignore_labels=[f"l{i}" for i in range(150_000)])
    windows = {"inputs": "Berlin. " * 20_000, "parameters": {"stride": 16}, "stream": True}
    yield LargeRequest("stream of windows", path, _json(windows))
    texts = {"inputs": [_SENTENCE] * 256, "stream": True}
    yield LargeRequest("stream of texts", path, _json(texts))


def _ranking() -> Iterator[LargeRequest]:
    texts = ["ab cd " * 300] * 1024
    ranked = {"inputs": {"query": "q", "texts": texts}}
    yield LargeRequest("rank texts", "/models/acme/rr", _json(ranked))
    tei: dict[str, object] = {"query": "q", "texts": texts, "return_text": True, "model": "acme/rr"}
    yield LargeRequest("rerank texts", "/rerank", _json(tei))
    yield LargeRequest(
        "rerank by a long query", "/rerank", _json(tei | {"query": _WORDS[:-200], "texts": ["a"]})
    )
    predicted = {"inputs": [["ab cd " * 300]] * 1024, "model": "acme/tc"}
    yield LargeRequest("predict texts", "/predict", _json(predicted))
    documents: dict[str, object] = {
        "query": "q",
        "documents": texts,
        "return_documents": True,
        "model": "acme/rr",
    }
    yield LargeRequest("rerank documents", "/v2/rerank", _json(documents))
    many = [{"text": "a", **{f"k{index}": 1 for index in range(150)}}] * 900
    yield LargeRequest("documents of members", "/v1/rerank", _json(documents | {"documents": many}))


def _workers_ai() -> Iterator[LargeRequest]:
    model = f"{_WORKERS_AI}/acme/rr"
    yield LargeRequest("run one text", f"{_WORKERS_AI}/acme/tc", _json({"text": _WORDS}))
    contexts = {"query": "q", "contexts": [{"text": "ab cd " * 300}] * 1024}
    yield LargeRequest("run contexts", model, _json(contexts))
    contexts = {"query": "q", "contexts": [{"text": "a"}] * 120_000}
    yield LargeRequest("run short contexts", model, _json(contexts))
    named = {"model": "acme/tc", "input": {"text": _WORDS}}
    yield LargeRequest("run by name", _WORKERS_AI, _json(named))
    binding = {"cf-consn-model-id": "acme/tc", "cf-consn-sdk-version": "1.1.0"}
    bound = {"inputs": {"text": _WORDS}, "options": {}}
    yield LargeRequest("run by a binding", _BINDING, _json(bound), binding)
    batch = {"requests": [{"text": "ab " * 4000}] * 800}
    queued = f"{_WORKERS_AI}/acme/tc?queueRequest=true"
    yield LargeRequest("queue a batch", queued, _json(batch))


LARGE_REQUESTS = (*_classification(), *_zero_shot(), *_tokens(), *_ranking(), *_workers_ai())
