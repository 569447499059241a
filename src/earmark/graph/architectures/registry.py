"""What is supported."""

from earmark.checkpoint.config import Config
from earmark.domain.head import HeadKind
from earmark.errors import UnsupportedCheckpoint
from earmark.graph.architectures.albert import ALBERT
from earmark.graph.architectures.architecture import Architecture
from earmark.graph.architectures.bart import BART
from earmark.graph.architectures.bert import BERT
from earmark.graph.architectures.camembert import CAMEMBERT
from earmark.graph.architectures.deberta import DEBERTA
from earmark.graph.architectures.deberta_v2 import DEBERTA_V2
from earmark.graph.architectures.distilbert import DISTILBERT
from earmark.graph.architectures.electra import ELECTRA
from earmark.graph.architectures.modernbert import MODERNBERT
from earmark.graph.architectures.mpnet import MPNET
from earmark.graph.architectures.roberta import ROBERTA
from earmark.graph.architectures.xlm_roberta import XLM_ROBERTA

__all__ = ["ARCHITECTURES", "find_architecture"]

ARCHITECTURES: dict[str, Architecture] = {
    "bert": BERT,
    "distilbert": DISTILBERT,
    "roberta": ROBERTA,
    "xlm-roberta": XLM_ROBERTA,
    "camembert": CAMEMBERT,
    "electra": ELECTRA,
    "albert": ALBERT,
    "mpnet": MPNET,
    "deberta": DEBERTA,
    "deberta-v2": DEBERTA_V2,
    "modernbert": MODERNBERT,
    "bart": BART,
}
"""`model_type` of the config -> architecture."""


def find_architecture(config: Config) -> tuple[Architecture, HeadKind]:
    """Find the architecture and the head that a config names.

    Raises:
        InvalidCheckpoint: the config does not say.
        UnsupportedCheckpoint: it names one that earmark does not know.
    """
    kind = config.text("model_type")
    architecture = ARCHITECTURES.get(kind)
    if architecture is None:
        raise UnsupportedCheckpoint(
            f"{config.path}: the architecture (model_type) is {kind!r}; "
            f"supported are {', '.join(ARCHITECTURES)}"
        )
    name = config.class_name
    head = architecture.heads.get(name)
    if head is None:
        raise UnsupportedCheckpoint(
            f"{config.path}: the model class is {name}; of {kind} "
            f"supported are {', '.join(architecture.heads)}"
        )
    return architecture, head
