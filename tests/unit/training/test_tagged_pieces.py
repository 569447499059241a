"""Sentences cut into pieces, each with its class."""

import numpy as np
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordPiece

from training.tagged import TAGS, TaggedSentence
from training.tagged_pieces import IGNORED, encode_tagged

UNKNOWN = "[UNK]"
WORDS = ["[PAD]", UNKNOWN, "[CLS]", "[SEP]", "in", "os", "##lo", "sa", "##ra", "##h", "."]

SENTENCE = TaggedSentence(
    ("sarah", "in", "oslo", "."), ("B-PER", "O", "B-LOC", "O"), "test", marks_misc=True
)


def tokenizer(most: int = 128) -> Tokenizer:
    """Make a small WordPiece tokenizer that adds [CLS] and [SEP]."""
    made = Tokenizer(
        WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token=UNKNOWN)
    )
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_truncation(most)
    return made


def test_later_pieces_go_on_with_the_name() -> None:
    """The first piece has the word's tag, the others its I-; [CLS] and [SEP] have none."""
    (sample,) = encode_tagged(tokenizer(), [SENTENCE])
    named = [None if target == IGNORED else TAGS[target] for target in sample.targets]
    assert named == [None, "B-PER", "I-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", None]


def test_every_piece_knows_the_first_of_its_word() -> None:
    """From it the later pieces learn; what is alone stands for itself."""
    (sample,) = encode_tagged(tokenizer(), [SENTENCE])
    assert sample.first_pieces == (0, 1, 1, 1, 4, 5, 5, 7, 8)
    assert len(sample.first_pieces) == len(sample.ids) == len(sample.targets)


def test_a_word_has_the_tag_of_its_first_piece() -> None:
    """What the later pieces say does not count, nor what was cut off."""
    (sample,) = encode_tagged(tokenizer(most=7), [SENTENCE])
    classes = np.array([0, TAGS.index("B-ORG"), 0, 0, 0, TAGS.index("B-LOC"), 0])
    assert sample.word_tags(classes) == ["B-ORG", "O", "B-LOC", "O"]
