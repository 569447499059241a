"""Finds the `transformers` class of a checkpoint's tokenizer, and what follows from its name.

The class is named in `tokenizer_config.json`, else in `config.json`, else it follows from
`model_type`. The tables are from 4.57.1 and 5.24.0 (models/auto/tokenization_auto.py,
`model_input_names` of models/*/tokenization_*.py). If the two differ, 4.57.1 counts: most models
were trained with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from earmark.checkpoint.config import read_json
from earmark.checkpoint.files.repository import Repository
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.tokenizing.stated import SETTINGS, StatedTokenizer

SAME_CLASS: Mapping[str, str] = {
    "DistilBertTokenizer": "BertTokenizer",
    "ElectraTokenizer": "BertTokenizer",
    "MobileBertTokenizer": "BertTokenizer",
    "SqueezeBertTokenizer": "BertTokenizer",
    "ConvBertTokenizer": "BertTokenizer",
    "LayoutLMTokenizer": "BertTokenizer",
    "LxmertTokenizer": "BertTokenizer",
    "RealmTokenizer": "BertTokenizer",
    "RetriBertTokenizer": "BertTokenizer",
    "DPRContextEncoderTokenizer": "BertTokenizer",
    "DPRQuestionEncoderTokenizer": "BertTokenizer",
    "DPRReaderTokenizer": "BertTokenizer",
    "BartTokenizer": "RobertaTokenizer",
    "LongformerTokenizer": "RobertaTokenizer",
    "LEDTokenizer": "RobertaTokenizer",
    "MvpTokenizer": "RobertaTokenizer",
}
"""Class -> another class that makes the same ids. Some of these make no token types."""

OF_MODEL_TYPE: Mapping[str, str] = {
    "bert": "BertTokenizer",
    "bros": "BertTokenizer",
    "convbert": "ConvBertTokenizer",
    "distilbert": "DistilBertTokenizer",
    "electra": "ElectraTokenizer",
    "ernie": "BertTokenizer",
    "layoutlm": "LayoutLMTokenizer",
    "megatron-bert": "BertTokenizer",
    "mobilebert": "MobileBertTokenizer",
    "nezha": "BertTokenizer",
    "nomic_bert": "BertTokenizer",
    "qdqbert": "BertTokenizer",
    "squeezebert": "SqueezeBertTokenizer",
    "mpnet": "MPNetTokenizer",
    "roberta": "RobertaTokenizer",
    "roberta-prelayernorm": "RobertaTokenizer",
    "data2vec-text": "RobertaTokenizer",
    "ibert": "RobertaTokenizer",
    "mega": "RobertaTokenizer",
    "mra": "RobertaTokenizer",
    "bart": "BartTokenizer",
    "led": "LEDTokenizer",
    "longformer": "LongformerTokenizer",
    "mvp": "MvpTokenizer",
    "deberta": "DebertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "xlm-roberta-xl": "XLMRobertaTokenizer",
    "xmod": "XLMRobertaTokenizer",
    "camembert": "CamembertTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "albert": "AlbertTokenizer",
    "nystromformer": "AlbertTokenizer",
    "yoso": "AlbertTokenizer",
    "big_bird": "BigBirdTokenizer",
    "bigbird_pegasus": "PegasusTokenizer",
    "esm": "EsmTokenizer",
    "layoutlmv3": "LayoutLMv3Tokenizer",
    "lilt": "LayoutLMv3Tokenizer",
    "luke": "LukeTokenizer",
    "mbart": "MBartTokenizer",
    "modernbert": "PreTrainedTokenizer",
    "perceiver": "PerceiverTokenizer",
    "plbart": "PLBartTokenizer",
    "reformer": "ReformerTokenizer",
}
"""`model_type` -> class, for encoders with a head for texts or tokens. The last ones are here for
their token types only: earmark cannot build these classes."""

WITHOUT_CLASS = ("PreTrainedTokenizer", "TokenizersBackend", "PythonBackend")
"""Names that mean only that the tokenizer is `tokenizer.json`."""

WITHOUT_TOKEN_TYPES = frozenset(
    {
        "BartTokenizer",
        "BarthezTokenizer",
        "BartphoTokenizer",
        "BertGenerationTokenizer",
        "BigBirdTokenizer",
        "BioGptTokenizer",
        "BlenderbotTokenizer",
        "ByT5Tokenizer",
        "CLIPTokenizer",
        "CamembertTokenizer",
        "CodeGenTokenizer",
        "DPRReaderTokenizer",
        "DistilBertTokenizer",
        "EsmTokenizer",
        "GPT2Tokenizer",
        "GPTNeoXTokenizer",
        "GemmaTokenizer",
        "LEDTokenizer",
        "LayoutLMv3Tokenizer",
        "LayoutXLMTokenizer",
        "LlamaTokenizer",
        "LongformerTokenizer",
        "LukeTokenizer",
        "M2M100Tokenizer",
        "MBart50Tokenizer",
        "MBartTokenizer",
        "MLukeTokenizer",
        "MPNetTokenizer",
        "MT5Tokenizer",
        "MarianTokenizer",
        "MvpTokenizer",
        "NllbTokenizer",
        "OpenAIGPTTokenizer",
        "PLBartTokenizer",
        "PegasusTokenizer",
        "PerceiverTokenizer",
        "ProphetNetTokenizer",
        "Qwen2Tokenizer",
        "ReformerTokenizer",
        "RetriBertTokenizer",
        "RobertaTokenizer",
        "SiglipTokenizer",
        "T5Tokenizer",
        "TokenizersBackend",
        "UdopTokenizer",
        "XGLMTokenizer",
        "XLMRobertaTokenizer",
    }
)
"""Classes whose `model_input_names` lack `token_type_ids`. In 5.24.0 more classes lack them, such
as ALBERT's and `PreTrainedTokenizerFast`, but their models were trained with them."""

BEYOND_FILE: Mapping[str, tuple[str, tuple[object, ...]]] = {
    "BertJapaneseTokenizer": ("word_tokenizer_type", ("mecab", "sudachi", "jumanpp")),
    "BertweetTokenizer": ("normalization", (True,)),
}
"""Settings of classes that no `tokenizer.json` can implement: words cut with a dictionary, and
users, addresses and emoji replaced in tweets."""


@dataclass(frozen=True, slots=True)
class TokenizerClass:
    """A class that a checkpoint names, or that follows from its model.

    Attributes:
        name: without ``Fast`` at its end.
        reason: where the name comes from, for messages.
        own_code: whether the class is code beside the checkpoint.
    """

    name: str
    reason: str
    own_code: bool = False

    @property
    def same_as(self) -> str:
        """The equivalent class in the table of families."""
        return SAME_CLASS.get(self.name, self.name)

    @property
    def without_class(self) -> bool:
        """Whether the name means `tokenizer.json` and no class."""
        return self.name in WITHOUT_CLASS


def class_of(repository: Repository, stated: StatedTokenizer) -> TokenizerClass | None:
    """Find the class; None if neither a class nor a model is named.

    Raises:
        InvalidCheckpoint: a file does not hold what it should.
    """
    path = repository.find("config.json")
    config = {} if path is None else read_json(path)
    for file, fields in ((SETTINGS, stated.fields), ("config.json", config)):
        name = fields.get("tokenizer_class")
        if name is not None and not isinstance(name, str):
            raise InvalidCheckpoint(f'{file}: "tokenizer_class" is {name!r}, expected a string')
        code = _own_code(fields)
        if name or code:
            reason = f"{file} names {name or code}"
            return TokenizerClass(_plain(name or code), reason, own_code=bool(code))
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        return None
    reason = f'config.json has the model_type "{kind}", whose tokenizer is'
    name = OF_MODEL_TYPE.get(kind, "")
    return TokenizerClass(name, f"{reason} {name}" if name else reason)


def has_token_types(kind: TokenizerClass | None, stated: StatedTokenizer) -> bool:
    """Return whether a tokenizer gives the second text of a pair its own token type.

    Raises:
        InvalidCheckpoint: `model_input_names` is not a list of strings.
    """
    names = stated.fields.get("model_input_names")
    if names is None:
        return kind is None or kind.name not in WITHOUT_TOKEN_TYPES
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidCheckpoint(
            f'{SETTINGS}: "model_input_names" is {names!r}, '
            'expected a list such as ["input_ids", "attention_mask"]'
        )
    return "token_type_ids" in names


def refuse_other_than_file(kind: TokenizerClass | None, stated: StatedTokenizer) -> None:
    """Raise an error if the settings need something that no `tokenizer.json` can do.

    Raises:
        UnsupportedCheckpoint: there is such a setting.
    """
    setting, values = BEYOND_FILE.get("" if kind is None else kind.name, ("", ()))
    value = stated.fields.get(setting)
    if kind is not None and value in values:
        raise UnsupportedCheckpoint(
            f'{SETTINGS}: "{setting}" of {kind.name} is {value!r}, which no tokenizer.json can '
            "carry out and earmark does not: the model would read other tokens than it was "
            f"trained with; take the setting out if tokenizer.json is right without it"
        )


def _plain(name: str) -> str:
    return name if name == "TokenizersBackend" else name.removesuffix("Fast")


def _own_code(fields: Mapping[str, object]) -> str:
    """Return the class of a tokenizer that brings its own code; empty if it brings none."""
    code = fields.get("auto_map")
    if isinstance(code, dict):
        code = code.get("AutoTokenizer")
    classes = code if isinstance(code, list) else [code]
    named = [one for one in classes if isinstance(one, str)]
    return named[-1].rpartition(".")[2] if named else ""
