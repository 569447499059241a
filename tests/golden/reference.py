"""Asks `transformers` itself: its own model classes, its tokenizer and its pipeline.

The only module of the tests that needs PyTorch. Everything runs in float32, with the plain
("eager") attention, one text at a time, from a local folder.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import that reads it: nothing asks the network

import torch
import transformers
from golden.answers import Answer, Function, GoldenFile, PipelineAnswer, Scores, TaggedPiece
from golden.case import GoldenCase, Sorting, Tagging, Text
from safetensors.numpy import load_file, save_file
from support.checkpoints import write_checkpoint

torch.set_num_threads(1)  # the models are tiny: threads would only wait for each other
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
warnings.filterwarnings("ignore", "Tokenizer does not support real words")  # it still answers

ASKED: tuple[tuple[Function | None, int | None], ...] = (
    (None, None),
    (None, 1),
    (None, 2),
    ("none", None),
    ("softmax", None),
    ("sigmoid", None),
    ("sigmoid", 1),
)
"""What the pipeline is asked for each text: function and number of labels."""

DIGITS = 9
"""Significant digits kept; nine distinguish every float32 from its neighbours."""

LEFTOVERS = ("position_ids",)
"""What an old checkpoint may hold beyond the model's weights."""


def ask_transformers(case: GoldenCase) -> GoldenFile:
    """Build the case's checkpoint and answer every text of it.

    Raises:
        RuntimeError: `transformers` could not place every weight of the checkpoint.
    """
    with TemporaryDirectory() as name:
        folder = write_checkpoint(Path(name), case.spec)
        weights = (folder / "model.safetensors").read_bytes()
        if case.spec.storage == "int8":
            _dequantise(folder)
        model = _load(folder, case)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        limit = min(tokenizer.model_max_length, _places(model))
        tokenizer.model_max_length = limit  # what two of the pipelines cut texts to
        with torch.no_grad():
            answers = tuple(_answers(case, model, tokenizer, limit))
    config = model.config
    return GoldenFile(
        made_with={name: version(name) for name in ("torch", "transformers", "tokenizers")},
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        max_tokens=limit,
        labels=tuple(config.id2label[index] for index in range(config.num_labels)),
        problem_type=config.problem_type,
        answers=answers,
        taggings=case.taggings,
        sortings=case.sortings,
    )


def _dequantise(folder: Path) -> None:
    """Write the float32 checkpoint that an int8 one stands for in its place."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    scales = {
        name: tensors.pop(f"{name}_scale") for name in [*tensors] if f"{name}_scale" in tensors
    }
    for name, scale in scales.items():
        tensors[name] = tensors[name] * scale
    save_file(tensors, path, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["quantization_config"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def _load(folder: Path, case: GoldenCase) -> transformers.PreTrainedModel:
    classes = {
        "sequence": transformers.AutoModelForSequenceClassification,
        "token": transformers.AutoModelForTokenClassification,
    }
    model, loading = classes[case.spec.head].from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    unknown = [name for name in loading["unexpected_keys"] if not name.endswith(LEFTOVERS)]
    wrong = [*loading["missing_keys"], *loading["mismatched_keys"], *unknown]
    if wrong:
        raise RuntimeError(f"{case.name}: transformers could not place these weights: {wrong}")
    return model.eval()


def _places(model: transformers.PreTrainedModel) -> int:
    """Count the tokens that have a position. Some models count from their padding token's id on."""
    embeddings = getattr(model.base_model, "embeddings", None)  # a model of two sides has none
    padding: int = getattr(embeddings, "padding_idx", -1)
    rows: int = model.config.max_position_embeddings
    return rows - (padding + 1)


def _answers(
    case: GoldenCase,
    model: transformers.PreTrainedModel,
    tokenizer: transformers.PreTrainedTokenizerBase,
    limit: int,
) -> Iterator[Answer]:
    cut: dict[str, object] = {"truncation": True, "max_length": limit}
    pipeline = transformers.pipeline(_task(case), model=model, tokenizer=tokenizer)
    classifies = case.spec.head == "sequence" and not case.sortings
    for text in case.texts:
        halves = ([text],) if isinstance(text, str) else ([text[0]], [text[1]])
        whole = tokenizer(*halves)
        encoded = tokenizer(*halves, **cut, return_token_type_ids=True, return_tensors="pt")
        known = {name: encoded[name] for name in tokenizer.model_input_names}
        logits = model(**known).logits
        yield Answer(
            text=text,
            ids=tuple(encoded["input_ids"][0].tolist()),
            type_ids=_type_ids(case, encoded["token_type_ids"][0].tolist()),
            truncated_tokens=len(whole["input_ids"][0]) - encoded["input_ids"].shape[1],
            logits=tuple(_rounded(row) for row in logits.reshape(-1, model.config.num_labels)),
            pipeline=tuple(_ask(pipeline, text, cut)) if classifies else (),
            tagged=tuple(_tag(pipeline, text, tagging) for tagging in case.taggings),
            ranked=tuple(_sort(pipeline, text, sorting) for sorting in case.sortings),
        )


def _type_ids(case: GoldenCase, asked_for: list[int]) -> tuple[int, ...]:
    """Take token types from the reference, which makes them for any class where they are asked for.

    DistilBERT's tokenizer makes none of its own accord.
    """
    return (0,) * len(asked_for) if case.spec.architecture == "distilbert" else tuple(asked_for)


def _task(case: GoldenCase) -> str:
    if case.spec.head == "token":
        return "token-classification"
    return "zero-shot-classification" if case.sortings else "text-classification"


def _ask(
    pipeline: transformers.TextClassificationPipeline, text: Text, cut: dict[str, object]
) -> Iterator[PipelineAnswer]:
    asked = text if isinstance(text, str) else {"text": text[0], "text_pair": text[1]}
    if isinstance(asked, dict) and not asked["text_pair"]:
        # transformers is of two minds: a list of pairs keeps an empty second half (as above, and
        # as earmark does), a pair by itself, which is how the pipeline asks, loses it.
        # tokenization_utils_tokenizers.py, `_encode_plus`: "if text_pair".
        return
    for function, top_k in ASKED:
        # The pipeline does not cut texts by default.
        scores = pipeline([asked], function_to_apply=function, top_k=top_k, **cut)[0]
        pairs = tuple((one["label"], _round(one["score"])) for one in scores)
        yield PipelineAnswer(function, top_k, pairs)


def _tag(
    pipeline: transformers.TokenClassificationPipeline, text: Text, tagging: Tagging
) -> tuple[TaggedPiece, ...]:
    windows = {} if tagging.stride is None else {"stride": tagging.stride}
    pieces = pipeline(
        text,
        aggregation_strategy=tagging.strategy,
        ignore_labels=list(tagging.ignore_labels),
        **windows,
    )
    label = "entity" if tagging.strategy == "none" else "entity_group"
    return tuple(
        (
            one[label],
            _round(float(one["score"])),
            one["word"],
            one["start"],
            one["end"],
            one.get("index"),
        )
        for one in pieces
    )


def _sort(
    pipeline: transformers.ZeroShotClassificationPipeline, text: Text, sorting: Sorting
) -> Scores:
    answer = pipeline(
        text,
        candidate_labels=list(sorting.labels),
        hypothesis_template=sorting.template,
        multi_label=sorting.multi_label,
    )
    scores = (_round(score) for score in answer["scores"])
    return tuple(zip(answer["labels"], scores, strict=True))


def _rounded(row: torch.Tensor) -> tuple[float, ...]:
    return tuple(_round(value) for value in row.tolist())


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
