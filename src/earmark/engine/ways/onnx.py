"""The way to run a checkpoint's exported graph as it is."""

from collections.abc import Mapping
from dataclasses import replace

from earmark.checkpoint.config import Config
from earmark.checkpoint.files.names import ONNX_FILES
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.onnx_file import OnnxFile, OnnxValue, read_onnx
from earmark.domain.head import HeadKind
from earmark.engine.trial import Trial
from earmark.engine.ways.foreign import foreign_max_tokens, padded_form
from earmark.engine.ways.way import WayKind
from earmark.errors import UnsupportedCheckpoint, UnsupportedDevice
from earmark.graph.precision import ComputePrecision
from earmark.runtime.onnx_model import IndexType, OnnxModelFile
from earmark.runtime.padded import open_padded
from earmark.runtime.runtimes import GRAPH_RUNTIMES, RUNTIMES
from earmark.runtime.session import RuntimeName, RuntimeSession, SessionOptions
from earmark.tokenizing.tokenizer import TextTokenizer

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
OUTPUT = "logits"
INDEX_TYPES: dict[str, IndexType] = {"int64": "int64", "int32": "int32"}
RANKS: Mapping[HeadKind, int] = {"sequence": 2, "token": 3}
"""Axes of the logits: texts and labels; texts, tokens and labels."""
FLOAT_TYPES = ("float32", "float16", "float64")


class OnnxWay:
    """A checkpoint with an exported graph."""

    kind: WayKind = "onnx"
    note = "the repository's own ONNX graph"

    def __init__(
        self, repository: Repository, config: Config, tokenizer: TextTokenizer, head: HeadKind
    ) -> None:
        """Check the graph's inputs and outputs.

        Args:
            repository: the checkpoint's files.
            config: its `config.json`.
            tokenizer: its tokenizer.
            head: what its logits mean.

        Raises:
            InvalidCheckpoint: a file is malformed.
            UnsupportedCheckpoint: earmark does not know an input, or not the output.
        """
        file = read_onnx(repository.require(*ONNX_FILES))
        inputs = _inputs(file)
        one_row, width = _fixed(file)
        limit = foreign_max_tokens(config, tokenizer)
        self.max_tokens = min(limit, width or limit)
        form = padded_form(repository, config, tokenizer, head=head, max_tokens=self.max_tokens)
        form = replace(form, source=str(file.path), one_row=one_row, width=width)
        output = _output(file, head, form.labels)
        self._form, self._file = form, OnnxModelFile(file.path, inputs, output.name)
        self.stored_precision = file.stored_precision
        self.parameters = file.parameters

    def start(
        self,
        precision: ComputePrecision,
        *,
        runtime: RuntimeName,
        threads: int,
        keep: Trial | None = None,
    ) -> RuntimeSession:
        """Load the graph into a runtime, and try it; errors as for `Way`."""
        del keep  # foreign graphs are small: compiling takes no longer than reading
        graphs = RUNTIMES[runtime].graphs
        if graphs is None:
            raise UnsupportedDevice(
                f"{RUNTIMES[runtime].title} does not run {self._file.path}; choose the runtime"
                f" {' or '.join(GRAPH_RUNTIMES)}"
            )
        if precision == "int8":
            raise UnsupportedDevice(
                f"{self._file.path} runs as it was exported and is not made int8; choose the "
                "precision auto or float32, or export the graph in int8"
            )
        options = SessionOptions(compute=precision, threads=threads)
        model = graphs.open_file(self._file, options)
        return open_padded(model, self._form, precision)


def _inputs(file: OnnxFile) -> dict[str, IndexType]:
    """Check the graph's inputs, and return their types.

    Raises:
        UnsupportedCheckpoint: an input is not known, or has another form.
    """
    names = [one.name for one in file.inputs]
    if "input_ids" not in names or not set(names) <= set(INPUTS):
        raise UnsupportedCheckpoint(
            f"{file.path} takes {', '.join(names) or 'nothing'}; expected input_ids, and of the "
            f"others no more than {', '.join(INPUTS[1:])}"
        )
    for one in file.inputs:
        if one.dtype not in INDEX_TYPES or (one.axes is not None and len(one.axes) != len("bt")):
            raise UnsupportedCheckpoint(
                f"{file.path} takes {one.name} as {_form_of(one)}; "
                "expected int64 or int32 of two axes, texts and tokens"
            )
    return {one.name: INDEX_TYPES[one.dtype] for one in file.inputs}


def _fixed(file: OnnxFile) -> tuple[bool, int | None]:
    """Return whether a graph takes one row at a time, and the length of its rows if it is fixed.

    Raises:
        UnsupportedCheckpoint: it takes another fixed number of rows, or contradicts itself.
    """
    rows = {one.axes[0] for one in file.inputs if one.axes} - {None}
    widths = {one.axes[1] for one in file.inputs if one.axes} - {None}
    if rows - {1} or len(widths) > 1:
        shapes = ", ".join(f"{one.name} {_form_of(one)}" for one in file.inputs)
        raise UnsupportedCheckpoint(
            f"{file.path} is fixed to {shapes}; expected any number of texts or one, and any "
            "length or one: export it with dynamic axes"
        )
    width = next(iter(widths), None)
    if width is not None and all(one.name != "attention_mask" for one in file.inputs):
        raise UnsupportedCheckpoint(
            f"{file.path} takes rows of {width} tokens and no attention_mask, so that it cannot "
            "tell a shorter text from its padding: export it with a mask or with dynamic axes"
        )
    return bool(rows), width


def head_of_graph(file: OnnxFile) -> tuple[HeadKind | None, int | None]:
    """Return the head and the number of labels that a graph's logits declare; None if unknown.

    Raises:
        UnsupportedCheckpoint: it has no logits.
    """
    axes = _logits(file).axes or ()
    head = next((head for head, rank in RANKS.items() if rank == len(axes)), None)
    return head, axes[-1] if head else None


def _logits(file: OnnxFile) -> OnnxValue:
    named = [one for one in file.outputs if one.name == OUTPUT] or list(file.outputs)
    if len(named) != 1:
        names = ", ".join(one.name for one in file.outputs)
        raise UnsupportedCheckpoint(
            f"{file.path} answers {names or 'nothing'}; expected {OUTPUT}, or one output"
        )
    return named[0]


def _output(file: OnnxFile, head: HeadKind, labels: int) -> OnnxValue:
    """Return the output that has the logits.

    Raises:
        UnsupportedCheckpoint: there is none, or it does not match the head and its labels.
    """
    found = _logits(file)
    fits = found.axes is None or (
        len(found.axes) == RANKS[head] and found.axes[-1] in {None, labels}
    )
    if not fits or found.dtype not in FLOAT_TYPES:
        raise UnsupportedCheckpoint(
            f"{file.path} answers {found.name} as {_form_of(found)}; expected floats of "
            f"{RANKS[head]} axes for a {head} head, the last one of {labels} labels, as "
            "config.json has it"
        )
    return found


def _form_of(value: OnnxValue) -> str:
    if value.axes is None:
        return value.dtype
    return f"{value.dtype}[{', '.join('?' if one is None else str(one) for one in value.axes)}]"
