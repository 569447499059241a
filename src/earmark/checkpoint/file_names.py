"""What the files of a checkpoint are called that a load reads, beside those of weights."""

__all__ = [
    "CONFIG_FILE",
    "ONNX_FILES",
    "SETTINGS_FILES",
    "SMALL_FILES",
    "TOKENIZER_FILE",
    "VOCABULARY_FILES",
]

CONFIG_FILE = "config.json"

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

SMALL_FILES = (CONFIG_FILE, *SETTINGS_FILES, TOKENIZER_FILE, *VOCABULARY_FILES)
