"""Finds what a foreign model does not state: longest text, padding id, sample texts."""

from earmark.batching.packer import pack
from earmark.checkpoint.config import Config
from earmark.checkpoint.files.repository import Repository
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.domain.texts import Question, TextInput
from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.runtime.padded import PaddedForm
from earmark.tokenizing.stated import read_stated
from earmark.tokenizing.tokenizer import TextTokenizer

USUAL_MAX_TOKENS = 512
"""Longest text if neither config nor tokenizer states it; most encoders were trained with this."""

POSITION_FIELDS = ("max_position_embeddings", "n_positions", "max_sequence_length")
"""Fields of `config.json` for the number of rows of the position table."""

COUNTED_PAST_PADDING = frozenset(
    {
        "data2vec-text",
        "esm",
        "ibert",
        "longformer",
        "luke",
        "mluke",
        "roberta-prelayernorm",
        "xlm-roberta-xl",
        "xmod",
    }
)
"""Architectures that count positions from the one after `pad_token_id`, as RoBERTa does
(`transformers` 5.24, create_position_ids_from_input_ids)."""
ROBERTA_PADDING = 1

SAMPLES = (
    "good",
    "The quick brown fox jumps over the lazy dog, and nobody knows why it does. " * 2,
    "good",
    # One word more, since models that pool tokens in pairs treat even and odd lengths differently.
    "good good",
)
"""Texts for the trial of `runtime.padded.open_padded`, which never uses callers' texts."""


def foreign_max_tokens(config: Config, tokenizer: TextTokenizer) -> int:
    """Return the longest text that a model and its tokenizer take, special tokens included.

    Raises:
        InvalidCheckpoint: a size in the config is not a valid size.
    """
    kind = config.model_type
    stated = next((key for key in POSITION_FIELDS if config.fields.get(key) is not None), None)
    positions = None
    if kind in ARCHITECTURES and stated is not None:
        positions = ARCHITECTURES[kind].positions(config)
    elif stated is not None:
        positions = config.size(stated)
        if kind in COUNTED_PAST_PADDING:
            positions -= config.index("pad_token_id", ROBERTA_PADDING) + 1
    known = [one for one in (positions, tokenizer.max_length) if one is not None and one > 0]
    return min(known, default=USUAL_MAX_TOKENS)


def embedding_rows(config: Config) -> int | None:
    """Return the number of rows of the word embeddings; None if the config does not state it.

    Raises:
        InvalidCheckpoint: a size in the config is not a valid size.
    """
    return None if config.fields.get("vocab_size") is None else config.size("vocab_size")


def padded_form(
    repository: Repository,
    config: Config,
    tokenizer: TextTokenizer,
    *,
    head: HeadKind,
    max_tokens: int,
) -> PaddedForm:
    """Describe a model's inputs and outputs, as far as the checkpoint's small files state them.

    Raises:
        InvalidCheckpoint: a file is malformed.
    """
    questions = [Question(item, TextInput(text)) for item, text in enumerate(SAMPLES)]
    rows = embedding_rows(config)
    found = [one.within(rows) for (one,) in tokenizer.encode(questions, max_tokens=max_tokens)]
    types = config.fields.get("type_vocab_size")
    end = config.fields.get("eos_token_id")
    return PaddedForm(
        source=repository.source,
        head=head,
        labels=len(config.labels()),
        pad_id=_pad_id(repository, config, tokenizer),
        end_id=end if isinstance(end, int) else None,
        types=not isinstance(types, int) or types != 1,
        samples=pack([one if len(one) else Encoding((0,), (0,)) for one in found]),
    )


def _pad_id(repository: Repository, config: Config, tokenizer: TextTokenizer) -> int:
    """Return the id that pads rows: the config's, else the tokenizer's, else 0."""
    stated = config.fields.get("pad_token_id")
    if isinstance(stated, int) and stated >= 0:
        return stated
    token = read_stated(repository).text_of("pad_token")
    found = None if token is None else tokenizer.token_id(token)
    return found or 0
