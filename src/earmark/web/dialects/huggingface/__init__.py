"""The wire format of the Hugging Face Inference API.

It has what the official Python and JavaScript clients of all versions send and read.
Knows nothing of other dialects.
"""
