"""A Worker's binding, in the form of each generation of the package `@cloudflare/ai`.

Cloudflare's documentation had this package before bindings had a `run()` of their own. It sends its
version in ``cf-consn-sdk-version``. From the source of its releases: 1.0 (to 1.0.53) sends tensors,
gzipped, and reads tensors; 1.1 (1.1.0) sends JSON and gunzips every answer; from 1.2 on the
binding's own `run()` sends the request.
"""

import gzip
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from starlette.responses import Response

from earmark.domain.results import LabelScore
from earmark.errors import InvalidInput
from earmark.web.body import decode_json, decoder, members
from earmark.web.dialects.cloudflare.envelope import bare
from earmark.web.dialects.cloudflare.inputs import as_upstream_says
from earmark.web.dialects.cloudflare.wrappers import Bound, RunOptions

Generation = Literal["tensors", "gunzips", "plain"]
"""`tensors`: 1.0; `gunzips`: 1.1; `plain`: every other caller."""

_VERSION: Final = re.compile(r"1\.(?P<minor>[01])(\.|$)")
_OF_MINOR: Final[Mapping[str, Generation]] = {"0": "tensors", "1": "gunzips"}

_TEXT: Final = "input_text"
"""The tensor that holds the text of a text classification."""


def generation(version: str) -> Generation:
    """Return the form that a version of the package has.

    Args:
        version: as the package sends it; empty for every other caller.
    """
    found = _VERSION.match(version)
    return _OF_MINOR[found["minor"]] if found else "plain"


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor, of a request or of an answer.

    Attributes:
        name: what it holds.
        type: of its values, such as ``str`` or ``float32``.
        shape: of `value`.
        value: nested as `shape` has it, or flat.
    """

    name: str | None = None
    type: str
    shape: list[int]
    value: list[object]


class TensorBody(msgspec.Struct, frozen=True):
    """Body of a run by 1.0."""

    input: list[Tensor]


class TensorAnswer(msgspec.Struct, frozen=True):
    """What 1.0 reads."""

    result: list[Tensor]


_bound = decoder(Bound[msgspec.Raw])
_tensors = decoder(TensorBody)
_NO_OPTIONS: Final = RunOptions()


def opened(body: bytes, form: Generation) -> tuple[bytes, bool]:
    """Read the body of a run.

    Returns:
        The input of the model as JSON, and whether it is a batch.

    Raises:
        InvalidInput: it is not of this form.
    """
    if form != "tensors":
        asked = decode_json(body, _bound, misfit=as_upstream_says)
        queue = members(asked.options, _NO_OPTIONS).queue_request is True
        return bytes(asked.inputs), queue
    tensors = decode_json(body, _tensors, misfit=as_upstream_says).input
    found = next((each.value for each in tensors if each.name == _TEXT), None)
    if found is None or len(found) != 1:
        raise InvalidInput(f"expected a tensor called {_TEXT}, of one text")
    return msgspec.json.encode({"text": found[0]}), False


def answered(result: object, form: Generation, *, headers: Mapping[str, str]) -> Response:
    """Answer a run.

    Args:
        result: of the model.
        form: of the caller.
        headers: of the answer.
    """
    if form == "tensors" and isinstance(result, Sequence):
        scores = [each.score for each in result if isinstance(each, LabelScore)]
        # The package calls them logits, and reads them as scores, in the order of the classes.
        logits = Tensor(name="logits", type="float32", shape=[1, len(scores)], value=[scores])
        return bare(TensorAnswer([logits]), headers=headers)
    answer = bare(result, headers=headers)
    if form == "gunzips":
        # Without a `content-encoding`: a proxy would decompress the body.
        answer.body = gzip.compress(bytes(answer.body))
        answer.headers["content-length"] = str(len(answer.body))
    return answer
