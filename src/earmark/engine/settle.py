"""Chooses the precision of a model: the fastest one whose certificate holds."""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import structlog

from earmark.batching.packer import BatchLimits
from earmark.domain.packing import Float32
from earmark.engine.certificate import TOLERANCES, Certificate, ReferenceKind, compare
from earmark.engine.model import OpenedModel
from earmark.engine.probes import PROBE_SET, Probe, encode_probes, run_probes
from earmark.engine.transformers_reference import (
    transformers_logits,
    transformers_release,
    why_not_transformers,
)
from earmark.engine.trial import Trial
from earmark.engine.warmup import refuse_non_finite
from earmark.engine.ways.way import Way
from earmark.errors import EngineError
from earmark.graph.precision import ComputePrecision, Precision, precisions_to_try
from earmark.runtime.machine import machine_identity
from earmark.runtime.runtimes import computes_bfloat16, prefers_bfloat16
from earmark.runtime.session import RuntimeName, RuntimeSession, closed_on_error

log = structlog.get_logger("earmark.engine")


class CertificateStore(Protocol):
    """Certificates of earlier loads."""

    def find(self, key: str) -> Certificate | None:
        """Return a certificate; None if there is none."""
        ...

    def keep(self, key: str, certificate: Certificate) -> None:
        """Keep a certificate for later loads; raises nothing if that fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run a model, and how to compare it with its reference.

    Attributes:
        precision: the requested precision.
        runtime: what runs it.
        threads: how many it may use.
        reference: what the model is compared with.
        tolerance: greatest difference of a probability; None uses the precision's own.
        certificates: of earlier loads; None keeps none.
    """

    precision: Precision
    runtime: RuntimeName
    threads: int
    reference: ReferenceKind
    tolerance: float | None = None
    certificates: CertificateStore | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A running model, with the precision that was chosen.

    Attributes:
        session: what runs it.
        precision: in which it runs.
        certificate: how far it is from its reference; None if it was not compared.
        passed_over: certificates of faster precisions that did not hold.
    """

    session: RuntimeSession
    precision: ComputePrecision
    certificate: Certificate | None = None
    passed_over: tuple[Certificate, ...] = ()


def settle(model: OpenedModel, files: str, limits: BatchLimits, options: RunOptions) -> Settled:
    """Start a model in the requested precision, or for `auto` in the fastest that is good enough.

    If the certificate of a precision does not hold, `auto` skips it; a precision that was requested
    by name is used, with a warning in the log. A model in float32 is not compared with itself.

    Args:
        model: opened.
        files: its identity, from `files_identity`.
        limits: of its batches.
        options: how it is to run.

    Raises:
        CheckpointError: the files are wrong, or the model cannot run as requested.
        EngineError: the runtime failed, or, for `auto`, no precision agrees with `transformers`.
    """
    wanted = _precisions_to_try(model.way, options)
    judge = _Judge(model, files, limits, options)
    passed_over: list[Certificate] = []
    by_name = options.precision != "auto"
    for precision in wanted:
        certificate = judge.known(precision)
        if by_name or certificate is None or certificate.holds:
            session, certificate = judge.started(precision, certificate)
            if by_name or certificate is None or certificate.holds:
                if certificate is not None and not certificate.holds:
                    _log_outcome(
                        model,
                        "the model is further from its reference than it should be",
                        certificate,
                    )
                return Settled(session, precision, certificate, tuple(passed_over))
            session.close()
        passed_over.append(certificate)
        _log_outcome(model, "a precision is passed over", certificate)
    raise EngineError(
        f"{model.repository.source}: no precision agrees with its reference: "
        + "; ".join(f"{one.precision} is {one.verdict}" for one in passed_over)
        + "; ask for a precision by name to run it all the same, or run it as the reference does "
        "with --runtime pytorch"
    )


def _precisions_to_try(way: Way, options: RunOptions) -> tuple[ComputePrecision, ...]:
    """List the allowed precisions, fastest first; for a foreign graph only its own."""
    if way.kind != "graph" and options.precision == "auto":
        return ("float32",)
    return precisions_to_try(
        options.precision,
        stored_dtype=way.stored_precision,
        native_bfloat16=options.precision == "auto" and computes_bfloat16(options.runtime),
        bfloat16_first=prefers_bfloat16(options.runtime),
    )


def _log_outcome(model: OpenedModel, event: str, certificate: Certificate) -> None:
    log.warning(
        event,
        source=model.repository.source,
        precision=certificate.precision,
        found=certificate.verdict,
    )


@dataclass
class _Judge:
    """Compares one model with its reference, which is run at most once."""

    model: OpenedModel
    files: str
    limits: BatchLimits
    options: RunOptions

    @cached_property
    def probes(self) -> list[Probe]:
        model = self.model
        return encode_probes(model.tokenizer, max_tokens=model.max_tokens, rows=model.rows)

    @cached_property
    def reference(self) -> list[Float32]:
        """The reference's logits; finite."""
        logits = self._run_reference()
        refuse_non_finite(logits, self.model)
        return logits

    @cached_property
    def kind(self) -> ReferenceKind:
        """What the model is compared with: itself in float32 if `transformers` is unsuitable."""
        wanted = self.options.reference
        why_not = why_not_transformers(self.model.config) if wanted == "transformers" else ""
        if why_not:
            log.warning(
                "float32 of the same graph is the reference instead of transformers",
                reason=why_not,
                source=self.model.repository.source,
            )
            return "float32"
        return wanted

    @cached_property
    def reference_name(self) -> str:
        return transformers_release() if self.kind == "transformers" else "float32"

    def compares(self, precision: ComputePrecision) -> bool:
        """Return whether this precision is compared with a reference."""
        match self.kind:
            case "off":
                return False
            case "float32":
                return precision != "float32"
            case "transformers":
                return precision != "float32" or self.model.way.kind != "pytorch"

    def known(self, precision: ComputePrecision) -> Certificate | None:
        """Return the certificate of an earlier load of the same files on the same machine."""
        store = self.options.certificates
        if store is None or not self.compares(precision):
            return None
        return store.find(self._key(precision))

    def started(
        self, precision: ComputePrecision, known: Certificate | None
    ) -> tuple[RuntimeSession, Certificate | None]:
        """Start the model, and compare it with its reference unless the result is known.

        Returns:
            The session, and its certificate; None if there is nothing to compare.
        """
        wanted = known is None and self.compares(precision)
        if wanted:
            _ = self.reference  # before the model is in memory a second time
        options = self.options
        session = self.model.way.start(
            precision, runtime=options.runtime, threads=options.threads, keep=self.trial(precision)
        )
        with closed_on_error(session):
            return session, self.judge(session, precision) if wanted else known

    def trial(self, precision: ComputePrecision) -> Trial:
        """Return the trial for a kept compiled model when it is reused."""
        model = self.model
        tolerance = TOLERANCES[precision]
        return Trial(lambda: self.probes, self.limits, model.head, model.config.labels(), tolerance)

    def judge(self, session: RuntimeSession, precision: ComputePrecision) -> Certificate:
        """Run the probes on a session, and keep the certificate."""
        tolerance = self._tolerance(precision)
        found = compare(
            self.reference,
            run_probes(session, self.probes, self.limits, self.model.head),
            labels=self.model.config.labels(),
            head=self.model.head,
            tolerance=tolerance,
        )
        certificate = Certificate(
            precision=precision,
            runtime=session.runtime,
            device=session.device,
            reference=self.reference_name,
            texts=len(self.probes),
            answers=found.answers,
            greatest_difference=found.greatest_difference,
            mean_difference=found.mean_difference,
            disagreements=found.disagreements,
            close_calls=found.close_calls,
            tolerance=tolerance,
            holds=found.within(tolerance),
        )
        if self.options.certificates is not None:
            self.options.certificates.keep(self._key(precision), certificate)
        return certificate

    def _run_reference(self) -> list[Float32]:
        options = self.options
        if self.kind == "transformers":
            return transformers_logits(self.model, threads=options.threads)
        with closing(
            self.model.way.start("float32", runtime=options.runtime, threads=options.threads)
        ) as session:
            return run_probes(session, self.probes, self.limits, self.model.head)

    def _tolerance(self, precision: ComputePrecision) -> float:
        chosen = self.options.tolerance
        return TOLERANCES[precision] if chosen is None else chosen

    def _key(self, precision: ComputePrecision) -> str:
        """Return a certificate's key; other files, machines or releases have other keys."""
        parts = (
            self.files,
            precision,
            self.model.way.kind,
            machine_identity("earmark", "onnxruntime", "openvino", "torch", "transformers"),
            self.options.runtime,
            self.reference_name,
            self._tolerance(precision),
            PROBE_SET,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
