"""One model, alive: plan, encode, queue, run, finish; load and warm-up.

Knows nothing of HTTP and of other models.
"""
