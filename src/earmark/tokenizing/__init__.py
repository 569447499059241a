"""Turns texts into encodings: reads every tokenizer file format, and reports what it truncates.

Knows nothing of models, tasks or queues.
"""
