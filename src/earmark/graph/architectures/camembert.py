"""CamemBERT (Martin et al. 2019, arXiv:1911.03894): RoBERTa under another name.

Follows `transformers` 5.23.0, models/camembert/modeling_camembert.py.
"""

from dataclasses import replace

from earmark.graph.architectures.roberta import ROBERTA

CAMEMBERT = replace(
    ROBERTA,
    heads={
        "CamembertForSequenceClassification": "sequence",
        "CamembertForTokenClassification": "token",
    },
)
