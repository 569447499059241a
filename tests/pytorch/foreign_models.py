"""Tiny models of `transformers` with random weights, saved as its own checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from support.checkpoint_spec import Head
from support.foreign_checkpoints import LONGEST, write_foreign_folder

transformers.logging.disable_progress_bar()

AUTO: Mapping[Head, type] = {
    "sequence": transformers.AutoModelForSequenceClassification,
    "token": transformers.AutoModelForTokenClassification,
}
VOCABULARY = 320


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """An architecture that earmark writes no graph for.

    Attributes:
        model_type: its name in `transformers`.
        fields: of its config, beside those that every one has.
    """

    model_type: str
    fields: Mapping[str, object] = field(default_factory=dict)


SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": LONGEST,
}
FOREIGN = {
    one.model_type: one
    for one in (
        # Convolutions that look at what stands after the text.
        ForeignModel("convbert", SIZES | {"embedding_size": 32, "conv_kernel_size": 3}),
        ForeignModel(
            "mobilebert",
            SIZES
            | {"embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16}
            | {"num_feedforward_networks": 1},
        ),
        # Pools neighbours, padding among them.
        ForeignModel(
            "funnel",
            {"d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 64}
            | {"block_sizes": [1, 1], "num_decoder_layers": 1, "max_position_embeddings": LONGEST},
        ),
        ForeignModel("nystromformer", SIZES | {"segment_means_seq_len": 4, "num_landmarks": 4}),
        ForeignModel("squeezebert", SIZES | {"embedding_size": 32}),
        # Counts positions from the padding token.
        ForeignModel("ibert", SIZES | {"pad_token_id": 1, "max_position_embeddings": LONGEST + 2}),
    )
}

EXPORTED = {
    "convbert": FOREIGN["convbert"],
    "squeezebert": FOREIGN["squeezebert"],
    # Counts positions from the padding token, inside its graph.
    "roberta": ForeignModel(
        "roberta",
        SIZES
        | {"pad_token_id": 1, "max_position_embeddings": LONGEST + 2, "type_vocab_size": 1}
        | {"eos_token_id": 3},
    ),
    # Answers at the last end token.
    "bart": ForeignModel(
        "bart",
        {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64}
        | {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 64}
        | {"max_position_embeddings": LONGEST, "pad_token_id": 1, "bos_token_id": 2}
        | {"eos_token_id": 3, "decoder_start_token_id": 3},
    ),
}


def save_model(
    folder: Path, model: ForeignModel, head: Head, *, safe: bool = True, drop: str | None = None
) -> Path:
    """Write a checkpoint of three labels, with the tokenizer of the tiny BERT.

    Args:
        folder: where.
        model: its architecture.
        head: its head.
        safe: in safetensors; else as PyTorch's own pickle.
        drop: leave out the weights whose names begin so.
    """
    write_foreign_folder(folder, head=head, model_type=model.model_type)
    config = transformers.AutoConfig.for_model(
        model.model_type, vocab_size=VOCABULARY, num_labels=3, **model.fields
    )
    torch.manual_seed(0)
    module = AUTO[head].from_config(config).eval()  # type: ignore[attr-defined]  # untyped library
    with torch.no_grad():
        for weight in module.parameters():
            # Ten times the usual spread: what a neighbour changes then shows in the logits.
            if weight.dim() > 1:
                weight.normal_(0.0, 0.2)
    weights = module.state_dict()
    if drop is not None:
        weights = {name: one for name, one in weights.items() if not name.startswith(drop)}
    module.save_pretrained(folder, state_dict=weights)
    if not safe:
        # Some names differ between a module and a file.
        saved = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        torch.save(saved, folder / "pytorch_model.bin")
    return folder


class _Logits(torch.nn.Module):  # type: ignore[misc]  # the library is untyped here
    """A model that answers with its logits alone, which is what exporters trace."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.module(input_ids=input_ids, attention_mask=attention_mask).logits


def export_model(folder: Path, head: Head) -> torch.nn.Module:
    """Put an exported graph in the place of a checkpoint's weights.

    Returns:
        The model that was exported.
    """
    module = AUTO[head].from_pretrained(folder, attn_implementation="eager").eval()  # type: ignore[attr-defined]  # as above
    ids = torch.tensor([[2, 7, 8, 9, 3], [2, 9, 9, 7, 3]])
    (folder / "onnx").mkdir()
    cells = {0: "texts", 1: "tokens"}
    torch.onnx.export(
        _Logits(module).eval(),
        (ids, torch.ones_like(ids)),
        str(folder / "onnx" / "model.onnx"),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={
            "input_ids": cells,
            "attention_mask": cells,
            "logits": cells if head == "token" else {0: "texts"},
        },
        opset_version=17,
        dynamo=False,
    )
    (folder / "model.safetensors").unlink()
    return module
