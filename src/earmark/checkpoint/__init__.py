"""Files of a model wherever they lie: a folder, or the models in the box.

Owns reading `config.json` and the weights. Knows nothing of operators, tasks or HTTP; executes no
code that a checkpoint brings.
"""
