"""`earmark classify`: texts in, labels out, without a server."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from earmark.cli.answers import Answers, BarAnswers, JsonAnswers
from earmark.cli.banner import example
from earmark.cli.download import Download
from earmark.cli.flags import ENGINE, settings_from, takes
from earmark.cli.lines import STANDARD_INPUT, Line, argument_chunks, stream_chunks
from earmark.cli.logs import configure_logs
from earmark.cli.problems import show_note
from earmark.compose import loaded_engine, pinned
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.info import EngineInfo
from earmark.errors import EarmarkError, InvalidInput, UnsupportedTask
from earmark.settings import NamedModel, Settings
from earmark.tasks.text_classification import TextClassification


@takes(*ENGINE)
def classify(
    *texts: Annotated[str, Parameter(help="Texts; - stands for the lines of standard input.")],
    model: Annotated[
        str | None,
        Parameter(
            help="A bundled id, a folder, org/name of the Hub, or an id of the settings; "
            "their first if absent."
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        Parameter(name=("--top-k", "-k"), help="Keep this many of the best labels."),
        Parameter(validator=Number(gte=1), show_default=lambda _: "all"),
    ] = None,
    json: Annotated[
        bool, Parameter(help="JSON lines also on a terminal.", negative=(), show_default=False)
    ] = False,
    **flags: object,
) -> None:
    """Classify texts, or lines of a pipe.

    Without texts, or for a text that is `-`, the lines of standard input are read, UTF-8, one
    text a line; an empty line is an empty text. Bars on a terminal, JSON lines in a pipe.
    """
    _refuse_files(texts)
    chunks = _chunks(texts)
    settings = settings_from(flags)
    configure_logs(settings.log_format, settings.log_level)
    chosen = _choose(model, settings)
    console = Console(highlight=False)
    with ExitStack() as stack:
        stderr = Console(stderr=True, highlight=False)
        chosen = pinned(chosen, Download(stderr))
        with stderr.status(f"loading {chosen.model_id}"):
            engine = stack.enter_context(loaded_engine(settings, chosen))
        _refuse_other_tasks(engine.info, chosen, settings)
        answers: Answers = (
            JsonAnswers(sys.stdout.buffer)
            if json or not sys.stdout.isatty()
            else BarAnswers(console, engine.info.labels, top_k=top_k)
        )
        answered = 0
        for chunk in chunks:
            _answer(chunk, engine, answers, top_k=top_k)
            answered += len(chunk)
    if not answered:
        show_note("standard input held no lines, so there was nothing to classify")


def _refuse_files(texts: tuple[str, ...]) -> None:
    """Refuse a text that is the name of a file: the user means the file's contents.

    Raises:
        InvalidInput: a text is a file's name.
    """
    for text in texts:
        with suppress(OSError, ValueError):  # too long for a name, or no valid name
            folder = Path(text).is_dir()
            # A word may be the name of a folder by chance; a path cannot.
            if (Path(text).exists() and not folder) or (folder and "/" in text):
                kind = "folder" if folder else "file"
                error = InvalidInput(f"{text!r} is a {kind}, and classify takes texts")
                if kind == "file":
                    error.add_note(
                        f"did you mean earmark classify < {shlex.quote(text)}, whose lines are"
                        " then the texts?"
                    )
                raise error


def _refuse_other_tasks(info: EngineInfo, chosen: NamedModel, settings: Settings) -> None:
    """Refuse a model that does not label whole texts by itself, and name the way to use it.

    Raises:
        UnsupportedTask: the model is for another task.
    """
    if info.task == "text-classification":
        return
    needs = ", which needs labels" if info.task == "zero-shot-classification" else ""
    error = UnsupportedTask(
        f"{info.model_id} is for {info.task}{needs}, and classify labels whole texts by a model's"
        " own labels"
    )
    named = str(chosen.ref)
    if named != info.model_id:
        named = f"{info.model_id}={named}"
    request = example(f"http://{settings.host}:{settings.port}", info, keyed=False)
    error.add_note(f"earmark serve --model {shlex.quote(named)}, then {request}")
    raise error


def _choose(model: str | None, settings: Settings) -> NamedModel:
    configured = settings.named_models()
    if model is None:
        return configured[0]
    by_id = {one.model_id: one for one in configured}
    return by_id.get(model) or NamedModel.read(model)


def _chunks(texts: tuple[str, ...]) -> Iterator[list[Line]]:
    """Join the sources of texts in the order they were named.

    Raises:
        InvalidInput: there is nothing to read, or standard input is named twice.
    """
    if not texts:
        if sys.stdin is None or sys.stdin.isatty():
            error = InvalidInput("no texts given, and standard input is a terminal")
            error.add_note("earmark classify 'I like it', or pipe lines into it")
            raise error
        texts = (STANDARD_INPUT,)
    if texts.count(STANDARD_INPUT) > 1:
        raise InvalidInput("standard input can be read only once, but - was given twice")
    if STANDARD_INPUT not in texts:
        return argument_chunks(texts)
    at = texts.index(STANDARD_INPUT)
    return chain(
        argument_chunks(texts[:at]),
        # Opened again: the type of the text layer's own buffer has no `read1`.
        stream_chunks(open(sys.stdin.fileno(), "rb", closefd=False)),
        argument_chunks(texts[at + 1 :]),
    )


def _answer(chunk: list[Line], engine: Engine, answers: Answers, *, top_k: int | None) -> None:
    """Classify a chunk and show its answers, also those before a text that fails.

    Raises:
        EarmarkError: the error of a text, with a note of its place, and without the text.
    """
    inputs = tuple(TextInput(line.text) for line in chunk)
    reply = engine.answer_blocking(TextClassification(inputs, top_k=top_k))
    try:
        for line, outcome in zip(chunk, reply.outcomes, strict=True):
            if isinstance(outcome, EarmarkError):
                outcome.add_note(f"it was {line.place}")
                raise outcome
            answers.show(line.text, outcome)
    finally:
        answers.flush()
