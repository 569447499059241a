"""From a checkpoint's config and weights to an ONNX graph."""

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights import Weights
from earmark.domain.head import HeadKind
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.inputs import PackedInputs
from earmark.graph.leftovers import refuse_computing
from earmark.graph.recorder import Recorder
from earmark.graph.writer import GraphWriter, WeightForm
from earmark.runtime.session import Graph

__all__ = ["OUTPUT", "export_graph"]

OUTPUT = "logits"


def export_graph(
    config: Config,
    weights: Weights,
    *,
    architecture: Architecture,
    head: HeadKind,
    form: WeightForm,
) -> Graph:
    """Write the graph of a checkpoint.

    Inputs are those of `PackedInputs` that the architecture reads. The one output, ``logits``,
    is float32: ``[texts, labels]`` for a sequence head, ``[rows, width, labels]`` for a token head.

    Raises:
        InvalidCheckpoint: a tensor is missing or misshapen, or sizes do not go together.
        UnsupportedCheckpoint: the config asks for something no block does, or there are tensors
            that the model computes with and the graph does not.
    """
    labels = len(config.labels())
    writer = GraphWriter(Recorder(config.text("model_type")), weights, form)
    inputs = PackedInputs(writer.recorder)
    logits = architecture.writers[head](writer, inputs, config, labels)
    refuse_computing(weights.path, weights.read(), weights.unread(), weights.unread(of_base=True))
    axes = ("texts", labels) if head == "sequence" else ("rows", "width", labels)
    writer.recorder.output(logits, OUTPUT, axes)
    return writer.recorder.to_graph()
