"""Explains a folder without a readable checkpoint: what it holds instead, and what would help."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatch
from pathlib import PurePosixPath

from earmark.checkpoint.files.names import ADAPTER_FILE, MODULES_FILE, ONNX_FILES

_EXPORT = "save it with `save_pretrained` of transformers, which writes model.safetensors"
_ORIGINAL = f"take the model it was made of, or {_EXPORT}"
_FROM_TENSORFLOW = f"load them with `from_tf=True` in transformers 4, and {_EXPORT}"

_OTHERS: Mapping[str, str] = {
    ADAPTER_FILE: (
        "an adapter, which changes a base model: put the two together with peft's "
        "`merge_and_unload` and save the result with `save_pretrained`"
    ),
    MODULES_FILE: (
        "a sentence-transformers model of several modules, which is read by that library alone; "
        "earmark runs a checkpoint with a classification head in one folder"
    ),
    "*.gguf": f"GGUF weights of llama.cpp, which are not read: {_ORIGINAL}",
    "tf_model*.h5*": f"TensorFlow weights: {_FROM_TENSORFLOW}",
    "model.ckpt*": f"a TensorFlow checkpoint: {_FROM_TENSORFLOW}",
    "saved_model.pb": f"a TensorFlow graph: {_ORIGINAL}",
    "flax_model*.msgpack*": (
        f"Flax weights: load them with `from_flax=True` in transformers 4, and {_EXPORT}"
    ),
    "rust_model.ot": f"weights of rust-bert: {_ORIGINAL}",
    "*.tflite": f"a model of TensorFlow Lite: {_ORIGINAL}",
    "coreml_model*": f"a Core ML model: {_ORIGINAL}",
    "openvino_model*.xml": f"a graph of OpenVINO: {_ORIGINAL}",
}
"""Name of a file anywhere in the folder -> what it means; the first match counts."""

OTHER_WEIGHTS = ("*.gguf", "tf_model.h5", "flax_model.msgpack", "rust_model.ot")
"""Weights that are not read, but show that a folder is a model's."""

_TRAINING = (
    "training_args.bin",
    "optimizer.bin",
    "optimizer.pt",
    "scheduler.*",
    "trainer_state.json",
)
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.ckpt")


def explain_others(names: Collection[str]) -> str:
    """Explain what is there instead of weights or an exported graph, and what would help.

    Args:
        names: every file of the folder, with its path below the folder.

    Returns:
        An empty text if no file is known.
    """
    plain = {PurePosixPath(name).name: name for name in sorted(names, reverse=True)}
    for pattern, what in _OTHERS.items():
        found = next((one for one in plain if fnmatch(one, pattern)), None)
        if found is not None:
            return f"{plain[found]} is {what}"
    graph = next((name for name in sorted(names) if name.endswith(".onnx")), None)
    if graph is not None:
        return (
            f"{graph} is an exported graph by another name, such as quantised ones have; earmark "
            f"runs {ONNX_FILES[0]}: export it with `optimum-cli export onnx`, or rename {graph} to "
            f"{ONNX_FILES[0]} to run it as it is"
        )
    weights = [one for one in plain if any(fnmatch(one, each) for each in _WEIGHTS)]
    trained = [one for one in plain if any(fnmatch(one, each) for each in _TRAINING)]
    others = [one for one in weights if one not in trained]
    if others:
        return (
            f"{plain[others[0]]} is no name under which weights are looked for: "
            f"{_EXPORT}, or rename the file if it holds such weights"
        )
    if trained:
        return f"{plain[trained[0]]} is the state of a training run, and no weights: {_EXPORT}"
    return ""
