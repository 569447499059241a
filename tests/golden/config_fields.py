"""The config fields that the classes of `transformers` have or read, written by both releases.

    python -m golden.config_fields      write the release's own part of config_fields.json

Run with `tests` on the Python path, in the environments of both references.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")
READ = re.compile(r'\bconfig\.([a-z_A-Z]\w*)\b(?!\()|getattr\((?:self\.)?config, "(\w+)"')
"""A field in the code of a model; a method is no field."""
NO_FIELDS = {"_attn_implementation", "_pre_quantization_dtype", "from_pretrained"}
"""What the library keeps in a config while it runs."""


def read_config_fields() -> Mapping[str, Mapping[str, list[str]]]:
    """Read the file: release of `transformers` -> architecture -> fields."""
    fields: dict[str, dict[str, list[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return fields


def _fields(architecture: str) -> Iterator[str]:
    """Give what an architecture's config class has beyond every config, and what its code reads."""
    import transformers  # noqa: PLC0415 - an extra, which reading the file does not need

    every = transformers.PretrainedConfig().to_dict()
    own = transformers.AutoConfig.for_model(architecture).to_dict()
    yield from (name for name in own if name not in every)
    name = architecture.replace("-", "_")
    code = Path(transformers.__file__).parent / "models" / name / f"modeling_{name}.py"
    for found in READ.finditer(code.read_text(encoding="utf-8")):
        yield found[1] or found[2]


def _write() -> None:
    import transformers  # noqa: PLC0415 - the same

    from earmark.graph.architectures.registry import ARCHITECTURES  # noqa: PLC0415 - the same

    kept = dict(read_config_fields()) if FILE.exists() else {}
    kept[transformers.__version__] = {
        name: sorted(set(_fields(name)) - NO_FIELDS) for name in ARCHITECTURES
    }
    FILE.write_text(_text(kept), encoding="utf-8")


def _text(kept: Mapping[str, Mapping[str, list[str]]]) -> str:
    """Write JSON with a line for each architecture."""
    releases = []
    for release, fields in sorted(kept.items()):
        lines = (f'  "{name}": {json.dumps(row)}' for name, row in fields.items())
        releases.append(f' "{release}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(releases) + "\n}\n"


if __name__ == "__main__":
    _write()
