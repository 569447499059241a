"""The precision that a model runs in: the fastest whose certificate holds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from structlog.testing import capture_logs
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.batching.packer import BatchLimits
from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.packing import Float32, PackedBatch
from earmark.engine.certificate import Certificate, ReferenceKind
from earmark.engine.model import OpenedModel, open_model
from earmark.engine.settle import RunOptions, Settled, settle
from earmark.engine.trial import Trial
from earmark.engine.ways.way import Way
from earmark.errors import InvalidCheckpoint
from earmark.graph.precision import ComputePrecision, Precision
from earmark.runtime.session import RuntimeName, RuntimeSession

Fault = Callable[[Float32], Float32]

LIMITS = BatchLimits(256)
FILES = "the files"


def far(logits: Float32) -> Float32:
    """Return the opposite answer."""
    return -5 * logits


def damaged(logits: Float32) -> Float32:
    """Return NaN for every answer."""
    return np.full_like(logits, np.nan)


@dataclass
class Faulty:
    """A session whose answers are changed on their way out."""

    session: RuntimeSession
    fault: Fault

    runtime: str = "faulty 1.0"
    device: str = "a processor"
    layout: str = "packed batches"

    def run(self, batch: PackedBatch) -> Float32:
        """Run a batch, and change what comes out."""
        return self.fault(self.session.run(batch))

    def kernels(self) -> tuple[str, ...]:
        """Return no kernels."""
        return ()

    def close(self) -> None:
        """Close the session behind."""
        self.session.close()


@dataclass
class FaultyWay:
    """A way that runs every precision in float32, some with a fault; counts what was started."""

    way: Way
    faults: Mapping[ComputePrecision, Fault] = field(default_factory=dict)
    stored_precision: str = "int8"
    started: list[ComputePrecision] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    kind: Literal["graph"] = "graph"
    parameters: int = 1
    note: str = ""

    def start(
        self,
        precision: ComputePrecision,
        *,
        runtime: RuntimeName,
        threads: int,
        keep: Trial | None = None,
    ) -> RuntimeSession:
        """Start in float32."""
        self.started.append(precision)
        self.kept.append(keep is not None)
        session = self.way.start("float32", runtime=runtime, threads=threads)
        return Faulty(session, self.faults.get(precision, lambda logits: logits))


class Memory:
    """A store of certificates in memory."""

    def __init__(self) -> None:
        """Begin with none."""
        self.kept: dict[str, Certificate] = {}

    def find(self, key: str) -> Certificate | None:
        """Look one up."""
        return self.kept.get(key)

    def keep(self, key: str, certificate: Certificate) -> None:
        """Keep one."""
        self.kept[key] = certificate


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> OpenedModel:
    """Open a tiny model."""
    folder = write_checkpoint(tmp_path_factory.mktemp("model"), CheckpointSpec(num_labels=3))
    return open_model(LocalRepository.open(folder))


@contextmanager
def settled(
    model: OpenedModel,
    way: FaultyWay,
    precision: Precision = "auto",
    *,
    reference: ReferenceKind = "float32",
    tolerance: float | None = None,
    store: Memory | None = None,
) -> Iterator[Settled]:
    """Settle with ONNX Runtime, which never computes bfloat16: int8 and float32 are left."""
    options = RunOptions(
        precision=precision,
        runtime="onnxruntime",
        threads=1,
        reference=reference,
        tolerance=tolerance,
        certificates=store,
    )
    found = settle(replace(model, way=way), FILES, LIMITS, options)
    try:
        yield found
    finally:
        found.session.close()


def test_auto_takes_the_fastest_precision_that_holds(opened: OpenedModel) -> None:
    """`auto` takes int8, and the certificate says what was compared and that nothing differs."""
    with settled(opened, FaultyWay(opened.way)) as found:
        assert (found.precision, found.passed_over) == ("int8", ())
        certificate = found.certificate
    assert certificate is not None
    assert certificate.holds
    assert (certificate.reference, certificate.runtime) == ("float32", "faulty 1.0")
    assert (certificate.greatest_difference, certificate.texts) == (0.0, certificate.answers)


@pytest.mark.parametrize("fault", [far, damaged])
def test_auto_passes_over_what_does_not_hold_and_says_so(opened: OpenedModel, fault: Fault) -> None:
    """A precision that does not hold is passed over, and is in the log and the facts."""
    way = FaultyWay(opened.way, {"int8": fault})
    with capture_logs() as logs, settled(opened, way) as found:
        assert found.precision == "float32"
        assert found.certificate is None
        (passed,) = found.passed_over
    assert (passed.precision, passed.holds) == ("int8", False)
    assert way.started == ["float32", "int8", "float32"]
    assert way.kept == [False, True, True]  # the reference is not what will be started again
    told = [(one["event"], one["precision"], one["log_level"]) for one in logs]
    assert told == [("a precision is passed over", "int8", "warning")]


def test_a_precision_asked_for_by_name_is_taken_with_a_warning(opened: OpenedModel) -> None:
    """A precision that the operator names is taken though it does not hold, with a warning."""
    way = FaultyWay(opened.way, {"int8": far})
    with capture_logs() as logs, settled(opened, way, "int8") as found:
        assert found.precision == "int8"
        assert found.certificate is not None
        assert not found.certificate.holds
    assert [one["event"] for one in logs] == [
        "the model is further from its reference than it should be"
    ]


def test_a_certificate_is_made_once(opened: OpenedModel) -> None:
    """A second load of the same files starts the model once, and runs no reference."""
    store = Memory()
    with settled(opened, FaultyWay(opened.way), store=store) as first:
        pass
    way = FaultyWay(opened.way)
    with settled(opened, way, store=store) as second:
        assert second.certificate == first.certificate
    assert way.started == ["int8"]
    assert len(store.kept) == 1


def test_a_certificate_that_did_not_hold_is_remembered_too(opened: OpenedModel) -> None:
    """After a certificate that did not hold, the next load starts only the other precision."""
    store = Memory()
    with settled(opened, FaultyWay(opened.way, {"int8": far}), store=store) as first:
        pass
    way = FaultyWay(opened.way, {"int8": far})
    with settled(opened, way, store=store) as second:
        assert (second.precision, second.passed_over) == ("float32", first.passed_over)
    assert way.started == ["float32"]


def test_a_wider_tolerance_asks_anew(opened: OpenedModel) -> None:
    """With another tolerance a precision is measured again, and not judged by the stored one."""
    store = Memory()
    way = FaultyWay(opened.way, {"int8": lambda logits: logits * np.float32(1.001)})
    with settled(opened, way, store=store, tolerance=1e-9) as narrow:
        assert narrow.precision == "float32"
    with settled(opened, way, store=store, tolerance=0.1) as wide:
        assert wide.precision == "int8"
        assert wide.certificate is not None
        assert wide.certificate.tolerance == 0.1


def test_nothing_is_compared_where_nobody_wants_it(opened: OpenedModel) -> None:
    """With certificates off the model is started once, and has none."""
    way = FaultyWay(opened.way, {"int8": far})
    with settled(opened, way, reference="off") as found:
        assert (found.precision, found.certificate) == ("int8", None)
    assert way.started == ["int8"]


def test_a_reference_that_answers_no_numbers_is_a_damaged_model(opened: OpenedModel) -> None:
    """A model whose reference answers NaN is refused in every precision."""
    way = FaultyWay(opened.way, {"float32": damaged})
    with pytest.raises(InvalidCheckpoint, match="NaN or infinity"), settled(opened, way):
        pass


@pytest.mark.parametrize("head", ["sequence", "token"])
def test_real_precisions_hold_on_a_tiny_model(
    tmp_path: Path, head: Literal["sequence", "token"]
) -> None:
    """int8 and float32 of one graph on the default runtime differ, within the tolerance."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(head=head, storage="int8", num_labels=3))
    options = RunOptions(
        precision="int8", runtime="openvino", threads=1, reference="float32", certificates=None
    )
    found = settle(open_model(LocalRepository.open(folder)), FILES, LIMITS, options)
    found.session.close()
    assert found.certificate is not None
    assert found.certificate.holds
    assert found.certificate.answers >= found.certificate.texts
