"""Both classes of `cohere`, which ask ``/v1/rerank`` and ``/v2/rerank``."""

import cohere
from clients.calls.checking import Seen, equal, expect
from clients.calls.reranking import KEY, MODEL, PASSAGES, QUERY, URL, best_alone, checks, ranking


@checks.add("ClientV2.rerank: id, meta, top_n")
def second_version() -> Seen:
    """What is billed is what Cohere would count."""
    client = cohere.ClientV2(KEY, base_url=URL)
    answer = client.rerank(model=MODEL, query=QUERY, documents=PASSAGES)
    expect(bool(answer.id), "the answer has no id")
    equal(answer.meta.api_version.version, "2", "the version")
    equal(answer.meta.billed_units.search_units, 1.0, "search units")
    seen = ranking((each.index, each.relevance_score) for each in answer.results)
    best = client.rerank(model=MODEL, query=QUERY, documents=PASSAGES, top_n=1)
    best_alone((each.index for each in best.results), seen)
    return seen


@checks.add("Client.rerank: documents come back")
def first_version() -> Seen:
    """As objects with their text."""
    client = cohere.Client(KEY, base_url=URL)
    answer = client.rerank(model=MODEL, query=QUERY, documents=PASSAGES, return_documents=True)
    equal(answer.meta.api_version.version, "1", "the version")
    for each in answer.results:
        equal(each.document.text, PASSAGES[each.index], "a document")
    return ranking((each.index, each.relevance_score) for each in answer.results)


@checks.add("ClientV2.rerank: errors")
def refused() -> None:
    """With the server's words."""
    for key, model, kind, text in (
        (KEY, "rerank-v3.5", cohere.NotFoundError, "does not exist"),
        ("wrong", MODEL, cohere.UnauthorizedError, "unknown here"),
    ):
        try:
            cohere.ClientV2(key, base_url=URL).rerank(model=model, query="q", documents=["d"])
        except kind as error:
            expect(text in str(error.body), f"no {text!r} in {error.body}")
        else:
            raise AssertionError(f"expected {kind.__name__}, and nothing was raised")


checks.run()
