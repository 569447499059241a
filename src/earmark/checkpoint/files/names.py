"""What the files of a checkpoint are called that a load reads, beside those of weights."""

__all__ = [
    "ADAPTER_FILE",
    "CONFIG_FILE",
    "MODULES_FILE",
    "ONNX_FILES",
    "SETTINGS_FILES",
    "SMALL_FILES",
    "TOKENIZER_FILE",
    "VOCABULARY_FILES",
]

CONFIG_FILE = "config.json"

ADAPTER_FILE = "adapter_config.json"
"""Says that the weights beside it, or elsewhere, are changed by an adapter of `peft`."""

MODULES_FILE = "modules.json"
"""Says that the checkpoint is one of several modules of sentence-transformers."""

TOKENIZER_FILE = "tokenizer.json"
"""A whole tokenizer; where it is there, none of `VOCABULARY_FILES` is read."""

SETTINGS_FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
"""What is said of a tokenizer; each may be missing."""

VOCABULARY_FILES = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spm.model",
    "spiece.model",
)
"""What tokenizers are built from without `TOKENIZER_FILE`; `tokenizing.families` knows which."""

ONNX_FILES = ("onnx/model.onnx", "model.onnx")
"""Where `optimum-cli export onnx` and the Hub's own exports put the graph in full precision."""

SMALL_FILES = (
    CONFIG_FILE,
    ADAPTER_FILE,
    MODULES_FILE,
    *SETTINGS_FILES,
    TOKENIZER_FILE,
    *VOCABULARY_FILES,
)
