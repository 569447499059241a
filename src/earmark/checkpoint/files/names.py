"""Names of the files of a checkpoint that a load reads, except the weights."""

CONFIG_FILE = "config.json"

ADAPTER_FILE = "adapter_config.json"
"""Marks an adapter of `peft`, which changes the weights beside it or elsewhere."""

MODULES_FILE = "modules.json"
"""Marks a checkpoint that is one of several modules of sentence-transformers."""

TOKENIZER_FILE = "tokenizer.json"
"""A complete tokenizer; if it exists, none of `VOCABULARY_FILES` is read."""

SETTINGS_FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
"""Settings of a tokenizer; each file may be missing."""

VOCABULARY_FILES = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spm.model",
    "spiece.model",
)
"""Files to build a tokenizer from without `TOKENIZER_FILE`; `tokenizing.families` chooses."""

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
