"""The files of a model: bundled, in a folder, or on the Hugging Face Hub.

Reads `config.json` and the weights. Knows nothing of operators, tasks or HTTP, and executes no
code from a checkpoint.
"""
