"""The description of an architecture for the exporter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from earmark.checkpoint.config import Config
from earmark.domain.head import HeadKind
from earmark.graph.config_fields import Field
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

HeadWriter: TypeAlias = Callable[[GraphWriter, PackedInputs, Config, int], Value]
"""Writes the whole graph up to the logits; the last argument is the number of labels.

Logits are ``[texts, labels]`` for a sequence head, ``[rows, width, labels]`` for a token head.
"""


@dataclass(frozen=True, slots=True)
class HeadLayers:
    """The layers of a head, by the names of their tensors, to recognise the head in a file.

    Attributes:
        own: layers of the head itself; the last one gives the logits, a row for each label.
        beside: layers of the base model that the head needs, but that do not identify it.
    """

    own: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A family of checkpoints.

    Attributes:
        prefix: prefix of base-model tensors in a file, with the dot.
        positions: reads from the config how many tokens a text may have.
        heads: class name in `architectures` of the config -> kind of head.
        layers: the layers of each kind of head.
        writers: the writer of each kind of head.
        fields: treatment of each field of the config, by its name.
    """

    prefix: str
    positions: Callable[[Config], int]
    heads: Mapping[str, HeadKind]
    layers: Mapping[HeadKind, HeadLayers]
    writers: Mapping[HeadKind, HeadWriter]
    fields: Mapping[str, Field]
