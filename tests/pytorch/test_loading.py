"""What PyTorch loads, what it refuses, and the operator's errors."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pytorch.foreign_models import FOREIGN, save_model
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.foreign_checkpoints import write_foreign_folder

import earmark
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import FolderRef
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.model import open_model
from earmark.engine.preview import read_facts
from earmark.errors import (
    EngineError,
    InvalidCheckpoint,
    UnsupportedCheckpoint,
    UnsupportedDevice,
)
from earmark.runtime.padding import PaddedRows
from earmark.runtime.pytorch import open_pytorch
from earmark.runtime.runtimes import computes_bfloat16
from earmark.runtime.session import SessionOptions

CONVBERT = FOREIGN["convbert"]
SAME_WEIGHTS_TOLERANCE = 1e-6
"""Two loads of the same weights: PyTorch chooses how to sum by where its memory lies, and on some
machines the scores differ by one float32 step, 6e-8. Other weights change them by far more."""
WATCH = Path(__file__).parents[1] / "e2e" / "watch"


def edit_config(folder: Path, **changes: object) -> None:
    """Change fields of a config."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def write_code(folder: Path, *, model_type: str) -> Path:
    """Name code of the folder in its config; it would leave a file behind."""
    left = folder / "left-behind"
    code = f"from pathlib import Path\nPath({str(left)!r}).write_text('ran')\n"
    for name in ("configuration_own.py", "modeling_own.py"):
        (folder / name).write_text(code, "utf-8")
    auto_map = {
        "AutoConfig": "configuration_own.OwnConfig",
        "AutoModelForSequenceClassification": "modeling_own.OwnModel",
    }
    edit_config(folder, auto_map=auto_map, model_type=model_type)
    return left


def test_code_of_a_folder_is_not_run_where_nothing_else_would_do(tmp_path: Path) -> None:
    """The architecture is the folder's own: refused, and nothing is left behind."""
    save_model(tmp_path, CONVBERT, "sequence")
    left = write_code(tmp_path, model_type="own-bert")
    with pytest.raises(UnsupportedCheckpoint, match=r"'own-bert' .*which is never run"):
        earmark.load(str(tmp_path))
    assert not left.exists()


def test_code_of_a_folder_is_not_run_where_the_library_has_its_own(tmp_path: Path) -> None:
    """`transformers` knows the architecture, and its class answers."""
    save_model(tmp_path, CONVBERT, "sequence")
    left = write_code(tmp_path, model_type="convbert")
    with earmark.load(str(tmp_path)) as classifier:
        assert len(classifier.classify(["the good film"])[0].scores) == 3
    assert not left.exists()


def test_an_architecture_nobody_knows_is_named(tmp_path: Path) -> None:
    """Without code in the folder the message says nothing of any."""
    save_model(tmp_path, CONVBERT, "sequence")
    edit_config(tmp_path, model_type="never-heard-of")
    with pytest.raises(UnsupportedCheckpoint, match=r"does not know .*'never-heard-of'; a newer"):
        earmark.load(str(tmp_path))


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    """The library would fill the head with random numbers, and answer."""
    save_model(tmp_path, CONVBERT, "sequence", drop="classifier")
    with pytest.raises(InvalidCheckpoint, match=r"lacks 4 weights .*classifier"):
        earmark.load(str(tmp_path))


@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query"])
def test_tensors_that_the_library_leaves_out_are_not_left_out(
    kind: Literal["relative_key", "relative_key_query"], tmp_path: Path
) -> None:
    """`transformers` 5 would warn, and answer without the distances."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(position_type=kind))
    with pytest.raises(UnsupportedCheckpoint, match=r"layer\.0\.attention\.self\.distance_embed"):
        load_engine(FolderRef(folder), options=EngineOptions(runtime="pytorch"))


def test_what_the_library_cannot_load_is_told_in_its_words(tmp_path: Path) -> None:
    """Here sizes that contradict the weights."""
    save_model(tmp_path, CONVBERT, "sequence")
    edit_config(tmp_path, hidden_size=64, embedding_size=64)
    with pytest.raises(UnsupportedCheckpoint, match="transformers cannot load it"):
        earmark.load(str(tmp_path))


def test_a_pickle_is_read_as_tensors(tmp_path: Path) -> None:
    """The same scores as from safetensors."""
    safe = save_model(tmp_path / "safe", CONVBERT, "sequence")
    pickled = save_model(tmp_path / "pickled", CONVBERT, "sequence", safe=False)
    with earmark.load(str(safe)) as first, earmark.load(str(pickled)) as second:
        (one,), (other,) = (each.classify(["the good film"]) for each in (first, second))
    scores = {score.label: score.score for score in one.scores}
    assert len(scores) == len(other.scores)
    for score in other.scores:
        assert score.score == pytest.approx(scores[score.label], abs=SAME_WEIGHTS_TOLERANCE)


def test_weights_that_need_further_code_are_refused(tmp_path: Path) -> None:
    """A quantised checkpoint would ask for a library of its own."""
    save_model(tmp_path, CONVBERT, "sequence")
    edit_config(tmp_path, quantization_config={"quant_method": "gptq"})
    with pytest.raises(UnsupportedCheckpoint, match=r"quantised \(gptq\)"):
        earmark.load(str(tmp_path))


def test_attention_that_is_code_on_the_hub_is_not_fetched(tmp_path: Path) -> None:
    """A config may name it; PyTorch's own attention answers."""
    save_model(tmp_path, FOREIGN["mobilebert"], "sequence")
    edit_config(tmp_path, _attn_implementation="some-org/some-kernel")
    with earmark.load(str(tmp_path)) as classifier:
        assert len(classifier.classify(["the good film"])[0].scores) == 3


def test_any_checkpoint_may_be_run_by_pytorch(tmp_path: Path) -> None:
    """Where it is asked for; the scores are those of the graph."""
    spec = CheckpointSpec(num_labels=3, max_positions=48)
    folder = write_checkpoint(tmp_path / "x", spec)
    engine = load_engine(FolderRef(folder), options=EngineOptions(runtime="pytorch", threads=1))
    info = engine.info
    engine.close()
    assert info.runtime.startswith("pytorch ")
    assert "transformers " in info.runtime
    assert info.compute_note == "the class of transformers, padded batches"
    assert (info.precision, info.stored_precision) == ("float32", "float32")
    facts = read_facts(FolderRef(folder), model_id="x")
    assert (facts.tasks, facts.labels) == (info.tasks, info.labels)
    texts = ["the good film", "a text that is somewhat longer than the others", "bad"]
    with (
        earmark.load(str(folder), runtime="pytorch") as theirs,
        earmark.load(str(folder), precision="float32") as ours,
    ):
        for one, other in zip(theirs.classify(texts), ours.classify(texts), strict=True):
            assert one.label == other.label
            assert one.score == pytest.approx(other.score, abs=1e-5)


def test_int8_is_not_made_by_pytorch(tmp_path: Path) -> None:
    """Asked for, it is refused, and never taken for something else."""
    save_model(tmp_path, CONVBERT, "sequence")
    with pytest.raises(UnsupportedDevice, match="not run in int8"):
        earmark.load(str(tmp_path), precision="int8")


def test_bfloat16_is_computed_where_the_processor_does(tmp_path: Path) -> None:
    """And refused elsewhere."""
    save_model(tmp_path, FOREIGN["squeezebert"], "sequence")
    if not computes_bfloat16("pytorch"):
        with pytest.raises(UnsupportedDevice, match="not known to compute bfloat16"):
            earmark.load(str(tmp_path), precision="bfloat16")
        return
    with (
        earmark.load(str(tmp_path), precision="bfloat16") as rough,
        earmark.load(str(tmp_path)) as exact,
    ):
        text = "the good film"
        found, expected = rough.classify([text])[0].scores, exact.classify([text])[0].scores
    scores = {one.label: one.score for one in expected}
    assert found != expected
    assert all(one.score == pytest.approx(scores[one.label], abs=5e-2) for one in found)


def test_a_closed_session_says_so(tmp_path: Path) -> None:
    """Running it is our mistake, and has a name."""
    folder = save_model(tmp_path, CONVBERT, "sequence")
    session = open_model(LocalRepository.open(folder)).way.start(
        "float32", runtime="pytorch", threads=1
    )
    options = SessionOptions(compute="float32", threads=1)
    model = open_pytorch(folder, "sequence", options, architecture="convbert", brings_code=False)
    assert (session.kernels(), model.kernels()) == ((), ())
    assert session.device == model.device
    beyond = PaddedRows(*(np.full((1, 4), 1000, np.int64),) * 3)
    with pytest.raises(EngineError, match="PyTorch failed on a batch"):
        model.run_rows(beyond)
    session.close()
    model.close()
    assert model.parameters == 0
    with pytest.raises(EngineError, match="closed"):
        model.run_rows(beyond)


def test_a_folder_without_weights_has_nothing_for_pytorch(tmp_path: Path) -> None:
    """What is looked for is named."""
    write_foreign_folder(tmp_path)
    with pytest.raises(earmark.CheckpointError, match=r"has no model\.safetensors"):
        earmark.load(str(tmp_path), runtime="pytorch")


ALONE = """
import sys
import earmark
with earmark.load(sys.argv[1], runtime="pytorch") as classifier:
    classifier.classify(["the good film"])
print(sorted({name.split(".")[0] for name in sys.modules} & {"openvino", "onnxruntime"}))
"""


def test_pytorch_loads_no_other_runtime_and_speaks_to_nobody(tmp_path: Path) -> None:
    """The thread pools of two would spin against each other; and no text or name leaves."""
    folder = save_model(tmp_path / "model", CONVBERT, "sequence", safe=False)
    record = tmp_path / "connections.txt"
    path = os.pathsep.join([str(WATCH), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(  # noqa: S603 - the lines above and nothing else
        [sys.executable, "-c", ALONE, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"CONNECTION_RECORD": str(record), "PYTHONPATH": path},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
    assert not record.exists(), record.read_text("utf-8")
