"""The way to run a checkpoint with PyTorch, if only `transformers` knows it."""

from earmark.checkpoint.config import Config
from earmark.checkpoint.files.repository import Repository
from earmark.checkpoint.weights.files import WEIGHT_FILES, open_tensors
from earmark.checkpoint.weights.weights import weigh
from earmark.domain.head import HeadKind
from earmark.engine.trial import Trial
from earmark.engine.ways.foreign import foreign_max_tokens, padded_form
from earmark.engine.ways.way import WayKind
from earmark.errors import UnsupportedCheckpoint, UnsupportedDevice
from earmark.graph.precision import ComputePrecision
from earmark.runtime.padded import open_padded
from earmark.runtime.pytorch import open_pytorch
from earmark.runtime.runtimes import computes_bfloat16
from earmark.runtime.session import RuntimeName, RuntimeSession, SessionOptions
from earmark.tokenizing.tokenizer import TextTokenizer


class PyTorchWay:
    """A checkpoint of any architecture that `transformers` has a class for."""

    kind: WayKind = "pytorch"
    note = "the class of transformers"

    def __init__(
        self, repository: Repository, config: Config, tokenizer: TextTokenizer, head: HeadKind
    ) -> None:
        """Map the weights, without reading them.

        Args:
            repository: the checkpoint's files.
            config: its `config.json`.
            tokenizer: its tokenizer.
            head: what its logits mean.

        Raises:
            CheckpointNotFound: there are no weights, or a file that their index names is missing.
            InvalidCheckpoint: a file is malformed.
            UnsupportedCheckpoint: the weights are quantised in a form that needs other packages.
        """
        quantised = config.section("quantization_config").fields
        if quantised:
            raise UnsupportedCheckpoint(
                f"{config.path}: the weights are quantised "
                f"({quantised.get('quant_method', 'quantization_config')}), which earmark does "
                "not run through PyTorch; choose the runtime openvino or onnxruntime where "
                "the architecture is known to it, or take weights that are not quantised"
            )
        # Read here too: a pickle that holds more than tensors is refused before PyTorch loads it.
        tensors = open_tensors(repository.require(*WEIGHT_FILES))
        self.parameters, self.stored_precision = weigh(tensors)
        tensors.close()
        self.max_tokens = foreign_max_tokens(config, tokenizer)
        self._config, self._head = config, head
        self._form = padded_form(
            repository, config, tokenizer, head=head, max_tokens=self.max_tokens
        )

    def start(
        self,
        precision: ComputePrecision,
        *,
        runtime: RuntimeName,
        threads: int,
        keep: Trial | None = None,
    ) -> RuntimeSession:
        """Load the checkpoint with PyTorch, whatever `runtime` is; errors as for `Way`.

        Raises:
            UnsupportedCheckpoint: `transformers` cannot load it.
        """
        del runtime, keep
        if precision == "int8":
            raise UnsupportedDevice(
                f"{self._form.source} runs through PyTorch, which earmark does not run in int8; "
                "choose the precision auto or float32"
            )
        if precision == "bfloat16" and not computes_bfloat16("pytorch"):
            raise UnsupportedDevice(
                "this processor is not known to compute bfloat16 natively; choose the precision "
                "auto or float32"
            )
        options = SessionOptions(compute=precision, threads=threads)
        model = open_pytorch(
            self._config.path.parent,
            self._head,
            options,
            architecture=self._config.model_type,
            brings_code="auto_map" in self._config.fields,
        )
        self.parameters = model.parameters
        return open_padded(model, self._form, precision)
