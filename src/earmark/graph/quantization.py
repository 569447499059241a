"""Checks whether a graph can use the quantised weights of a `quantization_config`.

It can use those of compressed-tensors in integers of eight bits, one integer a weight. Fields
follow compressed-tensors 0.20.1, quantization/quant_args.py and quantization/quant_config.py.
"""

from collections.abc import Iterator, Mapping

from earmark.checkpoint.config import Config
from earmark.errors import UnsupportedCheckpoint

SECTIONS = ("quantization_config", "compression_config")
"""Fields of a config that describe quantisation; the second is the name in older files."""
METHOD = "compressed-tensors"
FORMATS = ("int-quantized", "naive-quantized")
"""Formats that store each weight as one integer of eight bits."""
STRATEGIES = ("tensor", "channel", "group")
"""The parts with their own scale: the whole matrix, each row, or each group of a row."""
ORDERS = ("weight", "static")
"""Orders of columns that matter only for calibration (class ActivationOrdering)."""
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
"""`quant_method` -> name of the method; any other is shown as it is."""
OFF: tuple[object, ...] = (None, False, {}, [], "dense", "none")
"""Values that switch a part of the scheme off."""
INSTEAD = (
    "take the checkpoint that it was made from, or save it with its weights in floats "
    "(`dequantize()` in transformers), and ask for --precision int8 where memory counts"
)


def check_quantization(config: Config) -> None:
    """Raise an error for a quantisation that is not supported.

    Raises:
        InvalidCheckpoint: the section is not an object.
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
    """List what is not supported, the most general first."""
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
    """Return the method's name, which older files of bitsandbytes leave out."""
    stated = fields.get("quant_method")
    if stated is None:
        by_flag = any(fields.get(f"load_in_{bits}bit") for bits in (4, 8))
        return "bitsandbytes" if by_flag else METHOD
    return str(stated)


def _sparse(section: object) -> Iterator[str]:
    found = section.get("format") if isinstance(section, dict) else section
    yield from _unless("sparsity_config", found, OFF)


def _of_group(group: object) -> Iterator[str]:
    """List what is not supported in the scheme for a group of layers."""
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
        # Dynamic quantisation of activations only loses digits, and the chosen precision decides
        # whether to do it. A fixed range would cut values off.
        yield from _of_integers("input_activations", inputs)
        yield from _unless("input_activations.dynamic", inputs.get("dynamic"), (True,))
    else:
        yield from _unless("input_activations", inputs, OFF)


def _of_integers(what: str, scheme: Mapping[str, object]) -> Iterator[str]:
    yield from _unless(f"{what}.num_bits", scheme.get("num_bits"), (None, 8))
    yield from _unless(f"{what}.type", scheme.get("type"), (None, "int"))


def _unless(key: str, found: object, wanted: tuple[object, ...]) -> Iterator[str]:
    """Report a field whose value is not one of those wanted; True is not 1, and False not 0."""
    if not any(type(found) is type(one) and found == one for one in wanted):
        yield f"{key} is {found!r}"
