"""The ways in which a checkpoint can be run, each from its files to a session.

Knows nothing of queues, requests or HTTP.
"""
