"""Exports a checkpoint's config and weights to an ONNX graph."""

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights.leftovers import refuse_computing
from earmark.checkpoint.weights.weights import Weights
from earmark.domain.head import HeadKind
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.config_fields import check_fields
from earmark.graph.inputs import PackedInputs
from earmark.graph.quantization import check_quantization
from earmark.graph.recorder import Recorder
from earmark.graph.writer import GraphWriter
from earmark.runtime.session import Graph, WeightForm

OUTPUT = "logits"


def check_config(config: Config, architecture: Architecture) -> None:
    """Raise an error for a config that no graph supports; reads no weights.

    Raises:
        InvalidCheckpoint: a field is malformed.
        UnsupportedCheckpoint: the quantisation is not supported, or a field means that the model
            computes differently; the message names it.
    """
    check_quantization(config)
    check_fields(architecture.fields, config)


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
        InvalidCheckpoint: a tensor is missing or misshapen, or sizes do not fit together.
        UnsupportedCheckpoint: the config needs something that no block does, or there are tensors
            that the model uses and the graph does not.
    """
    check_config(config, architecture)
    labels = len(config.labels())
    writer = GraphWriter(Recorder(config.text("model_type")), weights, form)
    inputs = PackedInputs(writer.recorder)
    logits = architecture.writers[head](writer, inputs, config, labels)
    refuse_computing(weights.path, weights.read(), weights.unread(), weights.unread(of_base=True))
    axes = ("texts", labels) if head == "sequence" else ("rows", "width", labels)
    writer.recorder.output(logits, OUTPUT, axes)
    return writer.recorder.to_graph()
