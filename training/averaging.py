"""Means of weights: along one training run, and over several runs from one start."""

import copy
from collections.abc import Sequence

import torch
from transformers import PreTrainedModel


def average(models: Sequence[PreTrainedModel]) -> PreTrainedModel:
    """Make a new model whose weights are the mean of models fine-tuned from one start."""
    mean = copy.deepcopy(models[0])
    with torch.no_grad():
        for parameter, *others in zip(
            mean.parameters(), *(model.parameters() for model in models[1:]), strict=True
        ):
            for count, other in enumerate(others, start=2):
                parameter.lerp_(other, 1 / count)
    return mean


class RunningMean:
    """The mean of a model's weights over the moments at which `add` was called."""

    def __init__(self, model: PreTrainedModel) -> None:
        """Watch this model; nothing is added yet."""
        self._parameters = list(model.parameters())
        self._mean: list[torch.Tensor] = []
        self._count = 0

    def add(self) -> None:
        """Take the weights of this moment in."""
        self._count += 1
        if not self._mean:
            self._mean = [parameter.detach().clone() for parameter in self._parameters]
        for mean, parameter in zip(self._mean, self._parameters, strict=True):
            mean.lerp_(parameter.detach(), 1 / self._count)

    def install(self) -> None:
        """Give the model the mean; without any `add`, leave it as it is."""
        with torch.no_grad():
            for parameter, mean in zip(self._parameters, self._mean, strict=False):
                parameter.copy_(mean)
