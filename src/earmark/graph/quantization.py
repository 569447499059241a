"""Which quantised weights a graph can be written from (`quantization_config` of a config).

They are those of compressed-tensors in integers of eight bits, each stored as it is. Fields follow
compressed-tensors 0.20.1, quantization/quant_args.py and quantization/quant_config.py.
"""

from collections.abc import Iterator, Mapping

from earmark.checkpoint.config import Config
from earmark.errors import UnsupportedCheckpoint

__all__ = ["check_quantization"]

SECTIONS = ("quantization_config", "compression_config")
"""Where a config says how its weights are quantised; the second is how older files call it."""
METHOD = "compressed-tensors"
FORMATS = ("int-quantized", "naive-quantized")
"""Formats that store each weight as one integer of eight bits."""
STRATEGIES = ("tensor", "channel", "group")
"""What has a scale of its own: the whole matrix, each row, or each part of a row."""
ORDERS = ("weight", "static")
"""Orders of columns that matter to calibration alone (class ActivationOrdering)."""
LIBRARIES = {
    "aqlm": "AQLM",
    "auto-round": "AutoRound",
    "awq": "AWQ",
    "bitnet": "BitNet",
    "bitsandbytes": "bitsandbytes",
    "eetq": "EETQ",
    "fbgemm_fp8": "FP8 (fbgemm)",
    "fp8": "FP8",
    "gptq": "GPTQ",
    "higgs": "HIGGS",
    "hqq": "HQQ",
    "modelopt": "ModelOpt",
    "quanto": "Quanto",
    "quark": "Quark",
    "spqr": "SpQR",
    "torchao": "torchao",
    "vptq": "VPTQ",
}
"""`quant_method` -> what the method is called; any other goes by its own word."""
OFF: tuple[object, ...] = (None, False, {}, [], "dense", "none")
"""Values that switch a part of the scheme off."""
INSTEAD = (
    "take the checkpoint that it was made from, or save it with its weights in floats "
    "(`dequantize()` in transformers), and ask for --precision int8 where memory counts"
)


def check_quantization(config: Config) -> None:
    """Refuse weights that are quantised in a way that is not ours.

    Raises:
        InvalidCheckpoint: the section is no object.
        UnsupportedCheckpoint: the weights are quantised by another method, or in another scheme.
    """
    for key in SECTIONS:
        section = config.section(key)
        found = next(_objections(section.fields), None) if section.fields else None
        if found is not None:
            raise UnsupportedCheckpoint(
                f'{config.path}: "{key}" says that the weights are quantised: {found}. Supported '
                f"is {METHOD} in integers of eight bits ({' or '.join(FORMATS)}), with or without "
                f"zero points, scales by {', '.join(STRATEGIES)}; {INSTEAD}"
            )


def _objections(fields: Mapping[str, object]) -> Iterator[str]:
    """Name what is not ours, the most general first."""
    method = _method(fields)
    if method != METHOD:
        yield f"by {LIBRARIES.get(method, method)} (quant_method {method!r})"
    yield from _unless("format", fields.get("format"), (None, *FORMATS, "mixed-precision"))
    for key in ("kv_cache_scheme", "transform_config", "moe_sparsity_config"):
        yield from _unless(key, fields.get(key), OFF)
    yield from _sparse(fields.get("sparsity_config"))
    groups = fields.get("config_groups") or {}
    if not isinstance(groups, dict):
        yield f"config_groups {groups!r}"
        return
    for name, group in groups.items():
        for objection in _of_group(group):
            yield f"{name}: {objection}"


def _method(fields: Mapping[str, object]) -> str:
    """Read the method's name; older files of bitsandbytes leave it out."""
    stated = fields.get("quant_method")
    if stated is None:
        by_flag = any(fields.get(f"load_in_{bits}bit") for bits in (4, 8))
        return "bitsandbytes" if by_flag else METHOD
    return str(stated)


def _sparse(section: object) -> Iterator[str]:
    found = section.get("format") if isinstance(section, dict) else section
    yield from _unless("sparsity_config", found, OFF)


def _of_group(group: object) -> Iterator[str]:
    """Name what is not ours in a scheme for some of the layers."""
    if not isinstance(group, dict):
        yield f"{group!r} is no scheme of weights and activations"
        return
    yield from _unless("format", group.get("format"), (None, *FORMATS))
    yield from _unless("output_activations", group.get("output_activations"), OFF)
    weights, inputs = group.get("weights"), group.get("input_activations")
    if isinstance(weights, dict):
        yield from _of_integers("weights", weights)
        yield from _unless("weights.dynamic", weights.get("dynamic"), OFF)
        yield from _unless("weights.strategy", weights.get("strategy"), (None, *STRATEGIES))
        yield from _unless("weights.actorder", weights.get("actorder"), (*OFF, *ORDERS))
    else:
        yield from _unless("weights", weights, OFF)
    if isinstance(inputs, dict):
        # Rounded to their own largest value as they come: that loses digits and no more, and
        # whether to do it is the precision's to say. A fixed range cuts values off.
        yield from _of_integers("input_activations", inputs)
        yield from _unless("input_activations.dynamic", inputs.get("dynamic"), (True,))
    else:
        yield from _unless("input_activations", inputs, OFF)


def _of_integers(what: str, scheme: Mapping[str, object]) -> Iterator[str]:
    yield from _unless(f"{what}.num_bits", scheme.get("num_bits"), (None, 8))
    yield from _unless(f"{what}.type", scheme.get("type"), (None, "int"))


def _unless(key: str, found: object, wanted: tuple[object, ...]) -> Iterator[str]:
    """Name a field whose value is none of those wanted; True is no 1, and False no 0."""
    if not any(type(found) is type(one) and found == one for one in wanted):
        yield f"{key} is {found!r}"
