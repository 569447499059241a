"""The recipes that make the models shipped with earmark.

Owns: reading the training data, fine-tuning, quantising, and writing a checkpoint
folder with its model card. Needs the extra ``train`` (PyTorch and ``transformers``).

Must never be imported by ``earmark`` itself: serving needs none of it.
"""
