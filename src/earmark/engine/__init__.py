"""One running model: load, warm-up, and every step of answering a request.

Knows nothing of HTTP or of other models.
"""
