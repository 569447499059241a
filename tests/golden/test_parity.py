"""earmark against `transformers`: every golden case, on both runtimes, packed and alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from golden.answers import GoldenFile, PipelineAnswer, read_golden
from golden.cases import CASES, GoldenCase
from golden.tolerances import (
    FLOAT32_LOGIT_TOLERANCE,
    FLOAT32_SCORE_TOLERANCE,
    reduced_logit_tolerance,
)
from support.checkpoint_sessions import ONE_THREAD, OpenedCheckpoint, as_input, open_checkpoint
from support.checkpoints import write_checkpoint

from earmark.checkpoint.ref import FolderRef
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.domain.results import Classification
from earmark.domain.texts import Question
from earmark.engine.load import EngineOptions, load_engine
from earmark.graph.precision import ComputePrecision
from earmark.runtime.runtimes import GRAPH_RUNTIMES, computes_bfloat16
from earmark.runtime.session import GraphRuntime
from earmark.tasks.text_classification import TextClassification

REDUCED: tuple[tuple[GraphRuntime, ComputePrecision], ...] = (
    ("openvino", "bfloat16"),
    *((runtime, "int8") for runtime in GRAPH_RUNTIMES),
)
"""What runs below float32; ONNX Runtime has no bfloat16 on processors."""

SEQUENCE_CASES = [case for case in CASES if case.spec.head == "sequence"]
SHAPE_CASES = [case for case in CASES if case.name.endswith(("-small", "-medium", "-odd", "-int8"))]


@dataclass(frozen=True, slots=True)
class Opened:
    """A case ready to be asked.

    Attributes:
        case: its texts.
        golden: what `transformers` answered.
        checkpoint: the checkpoint on a runtime.
    """

    case: GoldenCase
    golden: GoldenFile
    checkpoint: OpenedCheckpoint

    def encodings(self) -> list[Encoding]:
        """Encode all texts of the case."""
        asked = [Question(item, as_input(text)) for item, text in enumerate(self.case.texts)]
        encoded = self.checkpoint.tokenizer.encode(asked, max_tokens=self.golden.max_tokens)
        return [one for (one,) in encoded]

    def furthest(self, logits: list[Float32]) -> float:
        """Return the greatest difference of a logit from the reference."""
        references = [np.asarray(one.logits, np.float32) for one in self.golden.answers]
        pairs = zip(logits, references, strict=True)
        return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> GoldenCase:
    """Every case in turn."""
    chosen: GoldenCase = request.param
    return chosen


@pytest.fixture(scope="module")
def folder(case: GoldenCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case's checkpoint, built once for all tests of it."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"), case.spec)


@pytest.fixture(scope="module", params=GRAPH_RUNTIMES)
def opened(request: pytest.FixtureRequest, case: GoldenCase, folder: Path) -> Iterator[Opened]:
    """The case in float32 on each runtime in turn."""
    checkpoint = open_checkpoint(folder, runtime=request.param)
    yield Opened(case, read_golden(case), checkpoint)
    checkpoint.session.close()


def test_token_ids_equal_those_of_transformers(opened: Opened) -> None:
    """Ids, types and the count of what was cut off are the same, to the last token."""
    ours = [(one.ids, one.type_ids, one.truncated_tokens) for one in opened.encodings()]
    answers = opened.golden.answers
    assert ours == [(one.ids, one.type_ids, one.truncated_tokens) for one in answers]


def test_texts_packed_together_get_the_logits_of_transformers(opened: Opened) -> None:
    """All texts of the case in one batch: none is moved by its neighbours."""
    logits = opened.checkpoint.logits(opened.encodings())
    assert opened.furthest(logits) <= FLOAT32_LOGIT_TOLERANCE


def test_texts_alone_get_the_logits_of_transformers(opened: Opened) -> None:
    """Each text in a batch of its own."""
    logits = [opened.checkpoint.logits([one])[0] for one in opened.encodings()]
    assert opened.furthest(logits) <= FLOAT32_LOGIT_TOLERANCE


@pytest.mark.parametrize(("runtime", "precision"), REDUCED)
@pytest.mark.parametrize("shape", SHAPE_CASES, ids=lambda shape: shape.name)
def test_reduced_precision_stays_near_float32(
    shape: GoldenCase, runtime: GraphRuntime, precision: ComputePrecision, tmp_path: Path
) -> None:
    """bfloat16 and int8 answer like the float32 reference, but for their rounding."""
    if precision == "bfloat16" and not computes_bfloat16(runtime):
        pytest.skip("this processor does not compute bfloat16")
    folder = write_checkpoint(tmp_path, shape.spec)
    checkpoint = open_checkpoint(folder, runtime=runtime, precision=precision)
    opened = Opened(shape, read_golden(shape), checkpoint)
    allowed = reduced_logit_tolerance(shape.spec.architecture, precision)
    assert opened.furthest(checkpoint.logits(opened.encodings())) <= allowed


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
@pytest.mark.parametrize("model", SEQUENCE_CASES, ids=lambda model: model.name)
def test_classifications_equal_those_of_the_pipeline(
    model: GoldenCase, runtime: GraphRuntime, tmp_path: Path
) -> None:
    """A loaded engine gives the pipeline's labels in its order, with its scores."""
    golden = read_golden(model)
    options = EngineOptions(precision="float32", runtime=runtime, threads=ONE_THREAD)
    engine = load_engine(FolderRef(write_checkpoint(tmp_path, model.spec)), options=options)
    try:
        assert engine.info.max_input_tokens == golden.max_tokens
        assert engine.info.labels.names == golden.labels
        assert engine.info.labels.problem_type == golden.problem_type
        asked = {(one.function, one.top_k) for each in golden.answers for one in each.pipeline}
        inputs = tuple(as_input(text) for text in model.texts)
        for function, top_k in asked:
            request = TextClassification(inputs, function=function, top_k=top_k)
            results = engine.answer_blocking(request).results()
            for result, answer in zip(results, golden.answers, strict=True):
                for expected in answer.pipeline:
                    if (expected.function, expected.top_k) == (function, top_k):
                        assert_same_scores(result, expected)
    finally:
        engine.close()


def assert_same_scores(result: Classification, expected: PipelineAnswer) -> None:
    """Labels in the same order, scores within the tolerance."""
    labels = [label for label, _ in expected.scores]
    scores = [score for _, score in expected.scores]
    assert [one.label for one in result.scores] == labels
    ours = [one.score for one in result.scores]
    assert ours == pytest.approx(scores, rel=0, abs=FLOAT32_SCORE_TOLERANCE)
