"""The ways to run a checkpoint: each makes a session from its files.

Knows nothing of queues, requests or HTTP.
"""
