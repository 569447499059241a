"""What an architecture tells the exporter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from earmark.checkpoint.config import Config
from earmark.domain.head import HeadKind
from earmark.graph.config_fields import Field
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

__all__ = ["Architecture", "HeadLayers", "HeadWriter"]

HeadWriter: TypeAlias = Callable[[GraphWriter, PackedInputs, Config, int], Value]
"""Writes the whole graph up to the logits; the last argument counts the labels.

Logits are ``[texts, labels]`` for a sequence head, ``[rows, width, labels]`` for a token head.
"""


@dataclass(frozen=True, slots=True)
class HeadLayers:
    """The layers of a head, by the names of their tensors: what a head is recognised by in a file.

    Attributes:
        own: layers that the head brings; the last one gives the logits, a row for each label.
        beside: layers of the base model that the head needs, and that say nothing of it.
    """

    own: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A family of checkpoints.

    Attributes:
        prefix: what base-model tensors are called by in a file, with the dot.
        positions: reads from the config how many tokens a text may have.
        heads: class name in `architectures` of the config -> kind of head.
        layers: what each kind of head is recognised by.
        writers: how to write each kind of head.
        fields: what becomes of each field of the config, by its name.
    """

    prefix: str
    positions: Callable[[Config], int]
    heads: Mapping[str, HeadKind]
    layers: Mapping[HeadKind, HeadLayers]
    writers: Mapping[HeadKind, HeadWriter]
    fields: Mapping[str, Field]
