"""Text to encodings: every tokenizer file format, and truncation that is never silent.

Knows nothing of models, tasks or queues.
"""
