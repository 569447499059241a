"""Which models there are, and how each is: named, found, loaded on demand, put away.

Knows nothing of callers and HTTP.
"""
