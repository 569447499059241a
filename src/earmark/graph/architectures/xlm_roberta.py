"""XLM-RoBERTa (Conneau et al. 2019, arXiv:1911.02116): RoBERTa under another name.

Follows `transformers` 5.23.0, models/xlm_roberta/modeling_xlm_roberta.py.
"""

from dataclasses import replace

from earmark.graph.architectures.roberta import ROBERTA

XLM_ROBERTA = replace(
    ROBERTA,
    heads={
        "XLMRobertaForSequenceClassification": "sequence",
        "XLMRobertaForTokenClassification": "token",
    },
)
