"""Probes: texts that compare two ways of running a model when it is loaded.

Written for this purpose, and always used together: short and long, in several scripts, moods and
forms, single texts and pairs, so that a fault of a kernel or a graph shows in at least one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earmark.batching.packer import BatchLimits, Packing, answers_of, pack
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32
from earmark.domain.texts import Question, TextInput
from earmark.runtime.session import RuntimeSession
from earmark.tokenizing.tokenizer import TextTokenizer

PROBES: Final[tuple[TextInput, ...]] = (
    TextInput("I like it"),
    TextInput("I do not like it at all, and I will not buy here again."),
    TextInput("The film was fine, I suppose."),
    TextInput(
        "It is not bad, but it is not good either; I have seen worse and I have seen better."
    ),
    TextInput("WHAT AN AWFUL IDEA"),
    TextInput("sooo good :-) \N{GRINNING FACE} 10/10"),
    TextInput("The delivery came two days late and nobody answered the phone."),
    TextInput("Please cancel my subscription and send the remaining amount back to my account."),
    TextInput("My name is Sarah and I live in London."),
    TextInput("Angela Merkel met Barack Obama in Berlin on 3 June 2008."),
    TextInput("IBM bought Red Hat for 34 billion dollars, said Reuters."),
    TextInput("The University of Oxford and Cambridge United meet at Wembley."),
    TextInput("The contract is governed by the laws of England and Wales. " * 8),
    TextInput("Ich habe das Paket nie erhalten und möchte mein Geld zurück."),
    TextInput("Le serveur était très aimable, mais le plat était froid."),
    TextInput("El equipo ganó la final ante un estadio lleno."),
    TextInput("東京は日本の首都です。"),
    TextInput("Это очень хорошая книга."),
    TextInput("الطقس جميل اليوم"),
    TextInput("def f(x): return x ** 2  # 1,234.56 %"),
    TextInput("a"),
    TextInput("?!"),
    TextInput("A man is playing a guitar.", "A person makes music."),
    TextInput("A man is playing a guitar.", "Nobody is making music."),
    TextInput("I want my money back.", "This example is about a refund."),
    TextInput("I want my money back.", "This example is about sport."),
    TextInput("what is a panda?", "The giant panda is a bear native to south central China."),
    TextInput("what is a panda?", "The capital of France is Paris."),
)

PROBE_SET: Final = hashlib.sha256(repr(PROBES).encode()).hexdigest()[:12]
"""Identity of this set of texts."""

MOST_TOKENS = 128
"""Most tokens of a probe: more would slow down every first load and show nothing new."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One text, ready to be run.

    Attributes:
        encoding: its tokens.
        counts: which tokens count if every token has an answer, ``[tokens]``: all but the special
            ones, whose labels are never read.
    """

    encoding: Encoding
    counts: NDArray[np.bool_]


def encode_probes(
    tokenizer: TextTokenizer, *, max_tokens: int, rows: int | None = None
) -> list[Probe]:
    """Encode the probes as a model reads them, cut to its longest text.

    Args:
        tokenizer: the model's.
        max_tokens: the longest text.
        rows: number of rows of the word embeddings, if known; tokens beyond them are replaced.
    """
    questions = [Question(index, text) for index, text in enumerate(PROBES)]
    bound = min(max_tokens, MOST_TOKENS)
    probes = []
    for (encoding,) in tokenizer.encode(questions, max_tokens=bound, align=True):
        special = encoding.alignment.special if encoding.alignment else ()
        probes.append(Probe(encoding.within(rows), ~np.asarray(special, np.bool_)))
    return probes


def run_probes(
    session: RuntimeSession, probes: Sequence[Probe], limits: BatchLimits, head: HeadKind
) -> list[Float32]:
    """Run the probes in packed batches, as requests are run.

    Returns:
        The logits of each probe, ``[answers, labels]``: one answer for a text, or one for each
        token that counts.

    Raises:
        EngineError: the runtime failed.
    """
    answers: list[Float32] = []
    for batch in _batches([probe.encoding for probe in probes], limits):
        packed = pack(batch, limits)
        answers += answers_of(packed, session.run(packed), head)
    return [counted(logits, probe, head) for logits, probe in zip(answers, probes, strict=True)]


def counted(logits: Float32, probe: Probe, head: HeadKind) -> Float32:
    """Pick the answers that count from one text's logits, ``[labels]`` or ``[tokens, labels]``."""
    return logits[None] if head == "sequence" else logits[probe.counts]


def _batches(encodings: Sequence[Encoding], limits: BatchLimits) -> list[list[Encoding]]:
    """Split a list into batches, in order."""
    batches: list[list[Encoding]] = []
    packing = Packing(limits)
    for encoding in encodings:
        if not batches or not packing.add(len(encoding)):
            batches.append([])
            packing = Packing(limits)
            packing.add(len(encoding))
        batches[-1].append(encoding)
    return batches
