"""Files of a model, wherever they lie: in the box, in a folder, or on the Hugging Face Hub.

Reads `config.json` and the weights. Knows nothing of operators, tasks or HTTP; executes no code
that a checkpoint brings.
"""
