"""Capital letters for an uncased encoder: a written capital becomes a piece of its own.

The encoder's vocabulary is lower-case, and so the strongest sign of a name is lost. Here the
tokenizer appends a mark to each word that holds a capital letter: "Reading" becomes ``reading
##⇧``, "NASA" becomes ``nasa ##⇪``, "reading" stays ``reading``. The words' own pieces stay what
the encoder has learnt; the marks take the places of two entries that BERT left unused, and
their vectors are learnt in fine-tuning. All of it stands in ``tokenizer.json`` (normalizer,
vocabulary, decoder), so that the checkpoint is a plain BERT to whoever loads it.
"""

import json

from tokenizers import Tokenizer

CAPITAL = "⇧"
"""A word with a capital letter in it."""
CAPITALS = "⇪"
"""A word of two or more letters or digits, all letters capital."""

PLACES = {"[unused1]": f"##{CAPITAL}", "[unused2]": f"##{CAPITALS}"}
"""Which unused entry of the vocabulary becomes which mark; as ``##``, marks go on with a word."""

# \K (Oniguruma) drops what was matched before it: the mark is put in there, nothing is replaced.
_ALL_CAPITALS = r"\b\p{N}*\p{Lu}\p{N}*\p{Lu}[\p{Lu}\p{N}]*\b\K"
# Each part takes what the next cannot: a long word is read once, and not tried at every place.
_SOME_CAPITAL = r"\b[[\p{L}\p{N}\p{M}]&&[^\p{Lu}]]*\p{Lu}[\p{L}\p{N}\p{M}]*\b\K" rf"(?!{CAPITALS})"


def with_case_marks(tokenizer: Tokenizer) -> Tokenizer:
    """Make a tokenizer like an uncased BERT's that appends a mark to words with capitals.

    A mark's offsets are those of its word's last letter; decoding leaves marks out.
    """
    fields = json.loads(tokenizer.to_str())
    vocabulary = fields["model"]["vocab"]
    for unused, mark in PLACES.items():
        vocabulary[mark] = vocabulary.pop(unused)
    fields["normalizer"] = {
        "type": "Sequence",
        "normalizers": [
            _replace(_ALL_CAPITALS, CAPITALS),
            _replace(_SOME_CAPITAL, CAPITAL),
            fields["normalizer"],
        ],
    }
    fields["decoder"] = {
        "type": "Sequence",
        "decoders": [fields["decoder"], _replace(f"[{CAPITAL}{CAPITALS}]", "")],
    }
    return Tokenizer.from_str(json.dumps(fields))


def _replace(pattern: str, content: str) -> dict[str, object]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
