"""The wire format of the Hugging Face Inference API.

What the official Python and JavaScript clients send and read, back to their oldest versions.
Knows nothing of other dialects.
"""
