"""The bounds of docs/security.md, with the values that the code has: ``make security``."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from earmark.batching.queue import TicketQueue
from earmark.checkpoint import config, onnx_file
from earmark.checkpoint.files import json_file
from earmark.checkpoint.weights import pickle_machine, safetensors_file, torch_pickle
from earmark.engine.load import EngineOptions
from earmark.models.on_demand import OnDemandOptions
from earmark.serving.jobs.runner import JobOptions
from earmark.serving.limits import ServiceOptions
from earmark.settings.settings import KNOWN, Settings
from earmark.tokenizing import bounds, load, patterns, sentencepiece_model
from earmark.web import body_budget, descriptors, request_log
from earmark.web.connections import ConnectionLimits
from earmark.web.dialects.cloudflare import batches
from earmark.web.options import WebOptions
from earmark.web.serve import ServerOptions

__all__ = ["BOUNDS", "Bound", "security_doc"]

DOC: Final = Path(__file__).parents[2] / "docs" / "security.md"
BEGINS: Final = "<!-- written by make security: {} -->\n"
ENDS: Final = "<!-- to here -->\n"
HEADER: Final = (
    "| what | at most | setting | where | beyond it | test |",
    "|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Bound:
    """One bound.

    Attributes:
        what: the thing that is bounded.
        value: as the code has it.
        where: the module below `src/earmark`.
        beyond: the answer beyond it, or what happens.
        test: the test that holds it, as ``file::name`` below `tests`.
        setting: the name of the setting that changes it; None for none.
    """

    what: str
    value: str
    where: str
    beyond: str
    test: str
    setting: str | None = None

    def row(self) -> str:
        """Write it as a row of the table."""
        setting = "-"
        if self.setting is not None:
            known = KNOWN[self.setting]
            setting = f"`{known.flag}`, `{known.variable}`"
        file, _, name = self.test.partition("::")
        cells = (self.what, self.value, setting, f"`{self.where}`", self.beyond)
        return f"| {' | '.join(cells)} | `tests/{file}` `{name}` |"


_WEB, _SERVICE, _SERVER = WebOptions(), ServiceOptions(), ServerOptions()
_LIMITS, _ENGINE, _JOBS, _LOADS = (
    ConnectionLimits(),
    EngineOptions(),
    JobOptions(),
    OnDemandOptions(),
)
_GUARD = "integration/test_server_guard.py"
_SERVED = "unit/serving/test_service.py"


def _bytes(count: int) -> str:
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= size and count % size == 0:
            return f"{count // size:,} {unit}"
    return f"{count:,} bytes"


def _seconds(count: float) -> str:
    return f"{count:g} s"


def of_connections() -> Iterable[Bound]:
    """List what a client can do with connections."""
    where = "web/server_guard.py"
    yield Bound(
        "connections at once",
        f"{descriptors.MOST_CONNECTIONS:,}, or the file descriptors less some spare",
        "web/descriptors.py",
        "the idlest is closed; 503 where all are busy",
        f"{_GUARD}::test_idle_connections_make_room_and_busy_ones_stay",
    )
    yield Bound(
        "wait for a connection's first byte",
        _seconds(_LIMITS.first_byte_s),
        where,
        "closed",
        f"{_GUARD}::test_a_client_that_sends_nothing_is_hung_up_on",
    )
    yield Bound(
        "wait for the headers",
        _seconds(_LIMITS.headers_s),
        where,
        "408",
        f"{_GUARD}::test_headers_that_do_not_end_are_refused",
    )
    yield Bound(
        "wait for the body",
        _seconds(_LIMITS.body_s),
        where,
        "408",
        f"{_GUARD}::test_a_body_that_does_not_end_is_refused",
    )
    yield Bound(
        "wait for the client to read its answer",
        _seconds(_LIMITS.answer_s),
        where,
        "dropped",
        f"{_GUARD}::test_an_answer_that_nobody_reads_is_dropped",
    )
    yield Bound(
        "idle connection",
        _seconds(_SERVER.keep_alive_s),
        "web/serve.py",
        "closed",
        f"{_GUARD}::test_an_idle_connection_is_closed_after_its_time",
    )
    yield Bound(
        "request line and headers",
        _bytes(_LIMITS.max_header_bytes),
        where,
        "431",
        f"{_GUARD}::test_headers_over_the_limit_are_refused",
    )
    yield Bound(
        "number of headers",
        f"{_LIMITS.max_headers:,}",
        where,
        "431",
        f"{_GUARD}::test_more_headers_than_the_limit_are_refused",
    )
    yield Bound(
        "`x-request-id` that is taken over",
        f"{request_log._LONGEST_ID} characters",  # noqa: SLF001 - the page states it
        "web/request_log.py",
        "replaced",
        "unit/web/test_request_log.py::test_any_other_request_id_is_replaced",
    )


def of_requests() -> Iterable[Bound]:
    """List what a request may ask for."""
    yield Bound(
        "body, as it comes and expanded",
        _bytes(_WEB.max_body_bytes),
        "web/body.py",
        "413, unread where its length is announced",
        "unit/web/test_body.py::test_what_expands_to_a_gigabyte_costs_no_more_than_the_bound",
        "max_body_bytes",
    )
    yield Bound(
        "bodies of all requests in memory",
        f"{_bytes(body_budget.BODIES._most)}, and a quarter for small ones",  # noqa: SLF001 - as above
        "web/body_budget.py",
        "429",
        "unit/web/test_body_budget.py::test_what_is_held_never_exceeds_the_budget",
    )
    yield Bound(
        "depth of JSON",
        "Python's recursion limit",
        "web/body.py",
        "400",
        "unit/web/test_body.py::test_a_bad_body_gets_one_sentence",
    )
    yield Bound(
        "texts",
        f"{_SERVICE.max_inputs:,}",
        "serving/limits.py",
        "413",
        f"{_SERVED}::test_too_many_texts_in_one_request_never_reach_the_engine",
        "max_inputs",
    )
    yield Bound(
        "texts times labels, and so labels",
        f"{_SERVICE.max_texts:,}",
        "serving/limits.py",
        "400",
        f"{_SERVED}::test_texts_times_labels_are_bounded",
        "max_texts",
    )
    yield Bound(
        "characters, hypothesis template and labels counted for each text",
        f"{_SERVICE.max_characters:,}",
        "serving/limits.py",
        "400",
        f"{_SERVED}::test_characters_are_bounded_as_they_multiply",
    )
    yield Bound(
        "tokens that the model reads",
        f"{bounds.MOST_REQUEST_TOKENS:,}",
        "tokenizing/bounds.py",
        "400",
        "unit/tokenizing/test_bounds.py::test_a_request_is_bounded_as_a_whole",
    )
    yield Bound(
        "tokens of windows that overlap",
        f"{bounds.MOST_TIMES_READ} times those of the texts, or {bounds.ALWAYS_READ:,}",
        "tokenizing/bounds.py",
        "400",
        "unit/tokenizing/test_bounds.py::test_a_stride_that_multiplies_the_work_is_refused",
    )
    yield Bound(
        "inputs of an asynchronous batch",
        f"{batches.MOST_INPUTS:,}",
        "web/dialects/cloudflare/batches.py",
        "400",
        "unit/web/dialects/cloudflare/test_batches.py::test_too_many_inputs_are_refused",
    )
    yield Bound(
        "asynchronous batches that wait",
        f"{_JOBS.max_waiting:,}",
        "serving/jobs/runner.py",
        "429",
        "unit/serving/jobs/test_runner.py::test_more_jobs_than_may_wait_are_refused_until_some_are_done",
    )
    yield Bound(
        "requests in flight",
        f"{_SERVICE.admission.max_requests:,}",
        "serving/admission.py",
        "429",
        "unit/serving/test_admission.py::test_too_many_requests_are_refused_with_the_figures",
    )
    yield Bound(
        "texts in flight",
        f"{_SERVICE.admission.max_texts:,}",
        "serving/admission.py",
        "429",
        "unit/serving/test_admission.py::test_too_many_texts_are_refused_with_the_figures",
    )
    yield Bound(
        "tokens that wait for a model",
        f"{_ENGINE.max_waiting_tokens:,}",
        TicketQueue.__module__.replace(".", "/").removeprefix("earmark/") + ".py",
        "429",
        "unit/batching/test_queue.py::test_more_than_the_limit_is_refused_whole",
    )
    yield Bound(
        "time for an answer",
        _seconds(_SERVICE.request_timeout_s),
        "serving/limits.py",
        "504, 408 in the form of Workers AI",
        f"{_SERVED}::test_the_engine_gets_a_deadline",
        "request_timeout_s",
    )
    yield Bound(
        "models loaded on demand",
        f"{_LOADS.max_loaded}",
        "models/on_demand.py",
        "the one used longest ago makes room",
        "unit/models/test_lifecycle.py::test_the_idle_engine_used_least_recently_makes_room",
        "max_loaded",
    )


def of_checkpoints() -> Iterable[Bound]:
    """List what the files of a checkpoint may hold; beyond it, the checkpoint is refused."""
    refused = "refused, by file and figure"
    yield Bound(
        "a JSON file: config, tokenizer settings, index of weights",
        _bytes(json_file.MOST_JSON_BYTES),
        "checkpoint/files/json_file.py",
        refused,
        "unit/checkpoint/files/test_json_file.py::test_a_file_of_any_size_is_not_read",
    )
    yield Bound(
        "a size in `config.json`",
        f"below {config.LARGEST_SIZE:,}, and that of the tensors",
        "checkpoint/config.py",
        refused,
        "unit/checkpoint/test_config.py::test_a_size_is_a_positive_whole_number",
    )
    yield Bound(
        "labels of a head",
        f"{config.MOST_LABELS:,}, and those of the tensors",
        "checkpoint/config.py",
        refused,
        "unit/checkpoint/test_config.py::test_the_labels_are_those_that_the_head_has",
    )
    yield Bound(
        "`tokenizer.json`, `vocab.txt`, `vocab.json`, `merges.txt`",
        _bytes(load.MOST_FILE_BYTES),
        "tokenizing/load.py",
        refused,
        "unit/tokenizing/test_tokenizer.py::test_a_tokenizer_file_larger_than_any_is_not_read",
    )
    yield Bound(
        "a SentencePiece `.model`; its table is walked whole",
        _bytes(sentencepiece_model.LARGEST_FILE),
        "tokenizing/sentencepiece_model.py",
        refused,
        "unit/tokenizing/test_sentencepiece_model.py::test_a_file_too_large_for_any_vocabulary_is_not_read",
    )
    yield Bound(
        "a probe of a tokenizer's own regular expression",
        f"the engine's own steps, for {patterns.RUN} equal characters",
        "tokenizing/patterns.py",
        refused,
        "unit/tokenizing/test_patterns.py::test_expressions_that_backtrack_are_refused",
    )
    yield Bound(
        "header of a `.safetensors` file",
        f"{safetensors_file.LARGEST_HEADER:,} bytes",
        "checkpoint/weights/safetensors_file.py",
        refused,
        "unit/checkpoint/weights/test_weights.py::test_a_header_larger_than_any_is_not_read",
    )
    yield Bound(
        "pickle of a `pytorch_model.bin`",
        _bytes(pickle_machine.LARGEST_PICKLE),
        "checkpoint/weights/pickle_machine.py",
        refused,
        "unit/checkpoint/weights/test_hostile_pickles.py::test_a_pickle_without_end_is_not_read_to_its_end",
    )
    yield Bound(
        "record of its archive, unpacked",
        f"{_bytes(torch_pickle.BOMB_BYTES)}, or {torch_pickle.BOMB_RATIO} times what is packed",
        "checkpoint/weights/torch_pickle.py",
        refused,
        "unit/checkpoint/weights/test_hostile_pickles.py::test_a_bomb_is_not_unpacked",
    )
    yield Bound(
        "axes of a tensor in an ONNX file; graphs within graphs",
        f"{onnx_file.MOST_AXES}; {onnx_file.DEEPEST_GRAPH}",
        "checkpoint/onnx_file.py",
        refused,
        "unit/checkpoint/test_onnx_file.py::test_graphs_within_graphs_and_axes_are_bounded",
    )
    yield Bound(
        "a load on demand, downloads not counted",
        _seconds(_LOADS.load_s),
        "models/on_demand.py",
        "failed; its place is free",
        "e2e/test_endless_loads.py::test_it_fails_after_its_time_and_the_others_go_on",
        "load_timeout_s",
    )
    yield Bound(
        "disk for compiled models",
        f"{Settings().compiled_bytes:,} bytes",
        "runtime/compiled.py",
        "the one used longest ago is removed",
        "unit/runtime/test_compiled.py::test_those_used_longest_ago_make_room",
        "compiled_bytes",
    )


BOUNDS: Final = {
    "connections": tuple(of_connections()),
    "requests": tuple(of_requests()),
    "checkpoints": tuple(of_checkpoints()),
}
"""Every bound, by the section of the page."""


def security_doc(page: str) -> str:
    """Put the tables in their places.

    Raises:
        ValueError: a place is not marked.
    """
    for section, rows in BOUNDS.items():
        begins = BEGINS.format(section)
        before, found, rest = page.partition(begins)
        _, ends, after = rest.partition(ENDS)
        if not found or not ends:
            raise ValueError(f"docs/security.md marks no place by {begins!r} and {ENDS!r}")
        table = "\n".join((*HEADER, *(one.row() for one in rows)))
        page = f"{before}{begins}\n{table}\n\n{ENDS}{after}"
    return page


if __name__ == "__main__":
    DOC.write_text(security_doc(DOC.read_text("utf-8")), "utf-8")
