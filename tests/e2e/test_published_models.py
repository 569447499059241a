"""Models that people name, by their ids on the Hub and in the files that they are published in.

What is in the files is tiny and made from a seed; which files there are, what the configs say and
what a load fetches of them is as on the Hub.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from support.checkpoint_storage import store_tensors
from support.checkpoints import CheckpointSpec, TokenizerSpec, write_checkpoint
from support.hub_stand_in import HubRepo, running_hub
from support.tokenizer_files import (
    CONTROL,
    UNKNOWN,
    Piece,
    sentencepiece,
    write_byte_level,
    write_json,
    write_word_pieces,
)
from support.weight_forms import write_weights

from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.fetch import fetch
from earmark.checkpoint.ref import FolderRef, HubRef
from earmark.domain.texts import TextInput
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.ways.choice import runs_from_weights
from earmark.tasks.task import TaskName
from earmark.tasks.text_classification import TextClassification
from earmark.tasks.token_classification import TokenClassification

OPTIONS = EngineOptions(precision="float32", threads=1, reference="off")
BESIDE = ("README.md", "tf_model.h5", "flax_model.msgpack", "training_args.bin", "rust_model.ot")
"""What repositories hold that no load reads."""
SPM_SPECIALS: tuple[Piece, ...] = (
    ("[PAD]", 0.0, CONTROL),
    ("[CLS]", 0.0, CONTROL),
    ("[SEP]", 0.0, CONTROL),
    ("[UNK]", 0.0, UNKNOWN),
)
"""What DeBERTa-v3's own models begin with."""


def tokenizer_json(folder: Path) -> None:
    """Leave the file that every tiny checkpoint comes with."""
    assert (folder / "tokenizer.json").is_file()


def older(write: Callable[[Path], None], tokenizer_class: str) -> Callable[[Path], None]:
    """Put the files of an older tokenizer in its place."""

    def written(folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        write_json(folder, "tokenizer_config.json", {"tokenizer_class": tokenizer_class})
        write(folder)

    return written


def _xlm_roberta(folder: Path) -> None:
    (folder / "sentencepiece.bpe.model").write_bytes(sentencepiece())


def _deberta(folder: Path) -> None:
    (folder / "spm.model").write_bytes(sentencepiece(SPM_SPECIALS, unknown_id=3))


@dataclass(frozen=True, slots=True)
class Published:
    """A model as it is published.

    Attributes:
        spec: its architecture, head and labels.
        weights: the form of its weights, as in `support.weight_forms`.
        tokenizer: makes the files of its tokenizer out of `tokenizer.json`.
        task: what it is for.
        fetched: what a load needs of it, beside the config and the tokenizer's.
    """

    spec: CheckpointSpec
    weights: str
    tokenizer: Callable[[Path], None]
    task: TaskName
    fetched: frozenset[str]


def labelled(spec: CheckpointSpec, *names: str) -> CheckpointSpec:
    """Give a model these labels."""
    return replace(spec, num_labels=len(names), label_names=names)


ROBERTA = CheckpointSpec(
    architecture="roberta",
    vocab_size=400,
    pad_id=1,
    type_vocab_size=1,
    tokenizer=TokenizerSpec(kind="byte-level"),
)
XLM_ROBERTA = replace(ROBERTA, architecture="xlm-roberta", tokenizer=TokenizerSpec(kind="unigram"))
BART = replace(ROBERTA, architecture="bart")
DEBERTA = CheckpointSpec(architecture="deberta-v2", vocab_size=400)

MODELS: Mapping[str, Published] = {
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english": Published(
        labelled(CheckpointSpec(architecture="distilbert"), "NEGATIVE", "POSITIVE"),
        "safetensors",
        older(write_word_pieces, "DistilBertTokenizer"),
        "text-classification",
        frozenset({"model.safetensors", "vocab.txt"}),
    ),
    "ProsusAI/finbert": Published(
        labelled(CheckpointSpec(), "positive", "negative", "neutral"),
        "zip",
        older(write_word_pieces, "BertTokenizer"),
        "text-classification",
        frozenset({"pytorch_model.bin", "vocab.txt"}),
    ),
    "cardiffnlp/twitter-roberta-base-sentiment-latest": Published(
        labelled(ROBERTA, "negative", "neutral", "positive"),
        "legacy",
        older(write_byte_level, "RobertaTokenizer"),
        "text-classification",
        frozenset({"pytorch_model.bin", "vocab.json", "merges.txt"}),
    ),
    "papluca/xlm-roberta-base-language-detection": Published(
        labelled(XLM_ROBERTA, *(f"l{index}" for index in range(20))),
        "safetensors",
        older(_xlm_roberta, "XLMRobertaTokenizer"),
        "text-classification",
        frozenset({"model.safetensors", "sentencepiece.bpe.model"}),
    ),
    "mixedbread-ai/mxbai-rerank-base-v1": Published(
        replace(DEBERTA, num_labels=1),
        "safetensors",
        older(_deberta, "DebertaV2Tokenizer"),
        "text-classification",
        frozenset({"model.safetensors", "spm.model"}),
    ),
    "facebook/bart-large-mnli": Published(
        labelled(BART, "contradiction", "neutral", "entailment"),
        "sharded safetensors",
        older(write_byte_level, "BartTokenizer"),
        "zero-shot-classification",
        frozenset(
            {"model.safetensors.index.json", "one.bin.safetensors", "two.bin.safetensors"}
            | {"vocab.json", "merges.txt"}
        ),
    ),
    "dslim/bert-base-NER": Published(
        labelled(CheckpointSpec(head="token"), "O", "B-PER", "I-PER", "B-ORG", "I-ORG"),
        "safetensors",
        tokenizer_json,
        "token-classification",
        frozenset({"model.safetensors", "tokenizer.json"}),
    ),
    "BAAI/bge-reranker-base": Published(
        replace(XLM_ROBERTA, num_labels=1),
        "sharded bin",
        older(_xlm_roberta, "XLMRobertaTokenizer"),
        "text-classification",
        frozenset(
            {"pytorch_model.bin.index.json", "one.bin", "two.bin", "sentencepiece.bpe.model"}
        ),
    ),
}


def publish(folder: Path, model: Published) -> Path:
    """Write a repository."""
    write_checkpoint(folder, model.spec)
    (folder / "model.safetensors").unlink()
    write_weights(folder, model.weights, store_tensors(model.spec))
    model.tokenizer(folder)
    for name in BESIDE:
        (folder / name).write_text("not for us", "utf-8")
    return folder


def answers(folder: Path) -> list[object]:
    """Load a folder, and ask it two texts."""
    texts = ("the good film", "a bad one?")
    engine = load_engine(FolderRef(folder), options=OPTIONS)
    try:
        if engine.info.task == "token-classification":
            asked = TokenClassification(texts, strategy="none", ignore_labels=frozenset())
            return list(engine.answer_blocking(asked).results())
        return list(
            engine.answer_blocking(TextClassification(tuple(map(TextInput, texts)))).results()
        )
    finally:
        engine.close()


@pytest.mark.parametrize("model_id", MODELS)
def test_a_model_that_people_name_loads_by_its_id(model_id: str, tmp_path: Path) -> None:
    """Of its files those that are needed; its labels and task are its own, its answers too.

    The same weights in the usual file, beside the same tokenizer, answer to the last bit the same.
    """
    model = MODELS[model_id]
    folder = publish(tmp_path / "published", model)
    with running_hub({model_id: HubRepo.of(folder)}) as hub:
        access = HubAccess(endpoint=hub.url, cache=tmp_path / "cache")
        have = partial(fetch, access=access, from_weights=runs_from_weights)
        repository = have(HubRef(model_id))
        asked = hub.files_asked()
        assert asked == {"config.json", "tokenizer_config.json", *model.fetched}
    engine = load_engine(FolderRef(repository.folder), model_id=model_id, options=OPTIONS)
    engine.close()
    assert engine.info.task == model.task
    assert engine.info.labels.names == model.spec.labels
    assert engine.info.architecture == model.spec.architecture
    found = answers(repository.folder)
    plain = publish(tmp_path / "plain", replace(model, weights="safetensors"))
    assert found == answers(plain)
