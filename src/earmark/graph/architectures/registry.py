"""The supported architectures, and how to find that of a config."""

from collections.abc import Iterator, Mapping

from earmark.checkpoint.config import Config
from earmark.domain.head import HeadKind
from earmark.errors import UnsupportedCheckpoint
from earmark.graph.architectures.albert import ALBERT
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.architectures.bart import BART
from earmark.graph.architectures.bert import BERT
from earmark.graph.architectures.camembert import CAMEMBERT
from earmark.graph.architectures.deberta import DEBERTA
from earmark.graph.architectures.deberta_v2 import DEBERTA_V2
from earmark.graph.architectures.distilbert import DISTILBERT
from earmark.graph.architectures.electra import ELECTRA
from earmark.graph.architectures.modernbert import MODERNBERT
from earmark.graph.architectures.mpnet import MPNET
from earmark.graph.architectures.roberta import ROBERTA
from earmark.graph.architectures.xlm_roberta import XLM_ROBERTA

ARCHITECTURES: dict[str, Architecture] = {
    "bert": BERT,
    "distilbert": DISTILBERT,
    "roberta": ROBERTA,
    "xlm-roberta": XLM_ROBERTA,
    "camembert": CAMEMBERT,
    "electra": ELECTRA,
    "albert": ALBERT,
    "mpnet": MPNET,
    "deberta": DEBERTA,
    "deberta-v2": DEBERTA_V2,
    "modernbert": MODERNBERT,
    "bart": BART,
}
"""`model_type` of the config -> architecture."""


def find_architecture(config: Config) -> tuple[Architecture, HeadKind]:
    """Return the architecture and the head that a config names.

    Raises:
        InvalidCheckpoint: the config does not name them.
        UnsupportedCheckpoint: earmark does not know one of them.
    """
    kind, named = find_family(config)
    architecture = ARCHITECTURES[kind]
    if named is None or named not in architecture.heads.values():
        raise UnsupportedCheckpoint(
            f"{config.path}: {_classes(config)}; of {kind} supported are "
            f"{', '.join(architecture.heads)}"
        )
    return architecture, named


def find_family(config: Config) -> tuple[str, HeadKind | None]:
    """Return the `model_type` of the graph for a config, and the head if the config names one.

    `transformers` uses `model_type` and the class for the requested task. So do we, if the class is
    one of that library: a foreign class computes differently under the same `model_type`. Without a
    `model_type`, the class decides.

    Returns:
        The `model_type`; and the head, None if the config names no class, the bare encoder or a
        class for another task.

    Raises:
        InvalidCheckpoint: a field is malformed, or nothing names the architecture.
        UnsupportedCheckpoint: the config names an architecture or a class that earmark does not
            know.
    """
    names = config.class_names
    read = [_read_class(name) for name in names]
    families = [family for family, _ in read if family is not None]
    kind = config.model_type or next(iter(families), "")
    if kind not in ARCHITECTURES:
        found = repr(kind) if kind else "not named"
        raise UnsupportedCheckpoint(
            f"{config.path}: the architecture (model_type) is {found}; "
            f"supported are {', '.join(ARCHITECTURES)}{_own_code(config)}"
        )
    if len(families) < len(names) or (not names and _names_code(config)):
        raise UnsupportedCheckpoint(
            f"{config.path}: {_classes(config)}, which is not the architecture {kind!r} of "
            f"model_type as earmark knows it; of {kind} supported are "
            f"{', '.join(ARCHITECTURES[kind].heads)}{_own_code(config)}"
        )
    heads = [head for _, head in read if head is not None]
    return kind, next(iter(heads), None)


def class_of(kind: str, head: HeadKind) -> str:
    """Return the `transformers` class of an architecture and a head.

    Raises:
        UnsupportedCheckpoint: the architecture has no such head.
    """
    for name, named in ARCHITECTURES[kind].heads.items():
        if named == head:
            return name
    raise UnsupportedCheckpoint(
        f"a {head} head is not known of {kind}; known are {', '.join(ARCHITECTURES[kind].heads)}"
    )


HEAD_SUFFIXES: Mapping[str, HeadKind] = {
    "ForSequenceClassification": "sequence",
    "ForTokenClassification": "token",
}
"""Endings of `transformers` classes with a classification head."""

OTHER_SUFFIXES = (
    "Model",
    "PreTrainedModel",
    "ForPreTraining",
    "ForMaskedLM",
    "ForCausalLM",
    "LMHeadModel",
    "ForConditionalGeneration",
    "ForMultipleChoice",
    "ForNextSentencePrediction",
    "ForQuestionAnswering",
)
"""Endings of `transformers` classes for the bare encoder and for other tasks."""

_FRAMEWORKS = ("TF", "Flax")
"""Prefixes of `transformers` classes for frameworks other than PyTorch."""


def _families() -> Iterator[tuple[str, str]]:
    for kind, architecture in ARCHITECTURES.items():
        for name in architecture.heads:
            for suffix in HEAD_SUFFIXES:
                if name.endswith(suffix):
                    yield name.removesuffix(suffix), kind


_FAMILIES: Mapping[str, str] = dict(_families())
"""Beginning of an architecture's class names -> its `model_type`."""


def _read_class(name: str) -> tuple[str | None, HeadKind | None]:
    """Parse a class name into its architecture, None for a foreign class, and its head."""
    plain = next((name.removeprefix(one) for one in _FRAMEWORKS if name.startswith(one)), name)
    for suffix in (*HEAD_SUFFIXES, *OTHER_SUFFIXES):
        family = _FAMILIES.get(plain.removesuffix(suffix)) if plain.endswith(suffix) else None
        if family is not None:
            return family, HEAD_SUFFIXES.get(suffix)
    return None, None


def _names_code(config: Config) -> bool:
    return bool(config.section("auto_map").fields)


def _own_code(config: Config) -> str:
    """Return a part of a message if a checkpoint brings its own code; else an empty text."""
    if not _names_code(config):
        return ""
    return (
        '; the model is defined by code that it brings ("auto_map"), which is never run: what '
        "helps is an export to onnx/model.onnx"
    )


def _classes(config: Config) -> str:
    names = config.class_names
    return f"the model class is {', '.join(names)}" if names else "no model class is named"
