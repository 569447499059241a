"""A tiny checkpoint, opened and on a runtime: the engine's floors without its queue and thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from earmark.batching.packer import pack
from earmark.checkpoint.config import read_config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.weights.weights import Weights
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32
from earmark.domain.texts import TextInput
from earmark.graph.architectures.registry import find_architecture
from earmark.graph.export import export_graph
from earmark.graph.precision import ComputePrecision
from earmark.runtime.runtimes import graph_support
from earmark.runtime.session import GraphRuntime, RuntimeSession, SessionOptions
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

ONE_THREAD = 1
"""Tiny graphs gain nothing from more, and two runtimes in one process would fight over cores."""


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that can run.

    Attributes:
        tokenizer: its tokenizer.
        session: its graph on a runtime.
        head: what its logits are for.
    """

    tokenizer: TextTokenizer
    session: RuntimeSession
    head: HeadKind

    def logits(self, encodings: Sequence[Encoding]) -> list[Float32]:
        """Run texts packed together.

        Returns:
            For each text, ``[1, labels]`` of a sequence head, ``[tokens, labels]`` of a token head.
        """
        batch = pack(encodings)
        answers = self.session.run(batch)
        if self.head == "sequence":
            return [row.reshape(1, -1) for row in answers]
        cells = answers.reshape(-1, answers.shape[-1])
        spans = zip(batch.first_token.tolist(), batch.lengths.tolist(), strict=True)
        return [cells[first : first + length] for first, length in spans]


def as_input(text: str | tuple[str, str]) -> TextInput:
    """Turn a text, or a pair, into what earmark takes."""
    return TextInput(text) if isinstance(text, str) else TextInput(*text)


def open_checkpoint(
    folder: Path, *, runtime: GraphRuntime, precision: ComputePrecision = "float32"
) -> OpenedCheckpoint:
    """Open a folder of either head and put its graph on a runtime."""
    config = read_config(folder / "config.json")
    architecture, head = find_architecture(config)
    weights = Weights.open(folder / "model.safetensors", prefix=architecture.prefix)
    graphs = graph_support(runtime)
    form = graphs.int8_weights if precision == "int8" else graphs.float_weights
    graph = export_graph(config, weights, architecture=architecture, head=head, form=form)
    compute = SessionOptions(
        compute="bfloat16" if precision == "bfloat16" else "float32", threads=ONE_THREAD
    )
    session = graphs.open_graph(graph, compute, None)
    return OpenedCheckpoint(load_tokenizer(LocalRepository.open(folder)), session, head)
