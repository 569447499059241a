"""Models that only `transformers` knows answer through earmark as they do there, text by text."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch.foreign_models import AUTO, EXPORTED, FOREIGN, export_model, save_model
from support.checkpoint_spec import Head

from earmark.batching.packer import answers_of, pack
from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.engine.model import OpenedModel, open_model
from earmark.runtime.session import RuntimeSession

TOLERANCE = 1e-5
"""Sums in another order: PyTorch's kernels split work by the batch's shape."""
LONGEST = 46
"""Fits every position table among the models."""

TEXTS = st.lists(
    st.lists(st.integers(5, 319), min_size=1, max_size=LONGEST - 2).map(lambda ids: [2, *ids, 3]),
    min_size=1,
    max_size=10,
)


@cache
def opened(name: str, head: Head) -> tuple[OpenedModel, RuntimeSession, Any]:
    """Save a tiny model; open it by earmark and by `transformers`; each once for all tests."""
    with TemporaryDirectory() as place:
        folder = save_model(Path(place), FOREIGN[name], head)
        model = open_model(LocalRepository.open(folder))
        session = model.way.start("float32", runtime="openvino", threads=1)
        reference = AUTO[head].from_pretrained(folder).eval()  # type: ignore[attr-defined]
    return model, session, reference


def encodings(texts: Sequence[Sequence[int]]) -> list[Encoding]:
    """Make encodings whose second half is of type 1."""
    return [
        Encoding(tuple(ids), tuple(int(2 * index >= len(ids)) for index in range(len(ids))))
        for ids in texts
    ]


def alone(reference: Any, one: Encoding) -> Float32:  # noqa: ANN401 - the library is untyped
    """Ask `transformers` for one text."""
    feed = {"input_ids": torch.tensor([one.ids])}
    if "token_type_ids" in reference.forward.__annotations__:
        feed["token_type_ids"] = torch.tensor([one.type_ids])
    with torch.inference_mode():
        logits: Float32 = reference(**feed).logits[0].numpy()
    return logits


@pytest.mark.parametrize("head", ["sequence", "token"])
@pytest.mark.parametrize("name", FOREIGN)
@settings(max_examples=8, deadline=None)
@given(texts=TEXTS)
def test_any_mix_answers_as_transformers_does_text_by_text(
    name: str, head: Head, texts: list[list[int]]
) -> None:
    """Of either head, whatever stands beside a text, and however the model bears padding."""
    model, session, reference = opened(name, head)
    assert model.way.kind == "pytorch"
    batch = pack(encodings(texts))
    answers = answers_of(batch, session.run(batch), head)
    for one, answer in zip(encodings(texts), answers, strict=True):
        np.testing.assert_allclose(answer, alone(reference, one), rtol=0, atol=TOLERANCE)


@cache
def exported(name: str, head: Head) -> tuple[RuntimeSession, Any]:
    """Export a tiny model; open the graph by earmark; each once for all tests."""
    with TemporaryDirectory() as place:
        folder = save_model(Path(place), EXPORTED[name], head)
        reference = export_model(folder, head)
        model = open_model(LocalRepository.open(folder))
        assert model.way.kind == "onnx"
        return model.way.start("float32", runtime="openvino", threads=1), reference


# PyTorch warns of its older exporter, and of every size that it takes for fixed.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("convbert", "sequence"),
        ("squeezebert", "token"),
        ("roberta", "token"),
        ("bart", "sequence"),
    ],
)
@settings(max_examples=8, deadline=None)
@given(texts=TEXTS, pairs=st.booleans())
def test_a_graph_that_pytorch_exports_answers_as_its_model_text_by_text(
    name: str, head: Head, texts: list[list[int]], *, pairs: bool
) -> None:
    """A real export, of texts and of pairs with further end tokens between their halves."""
    session, reference = exported(name, head)
    mixed = [*texts, [2, 9, 3, 3, 8, 3]] if pairs else texts
    found = [Encoding(tuple(ids), (0,) * len(ids)) for ids in mixed]
    batch = pack(found)
    for one, answer in zip(found, answers_of(batch, session.run(batch), head), strict=True):
        np.testing.assert_allclose(answer, alone(reference, one), rtol=0, atol=TOLERANCE)
