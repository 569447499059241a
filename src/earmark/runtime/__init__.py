"""Runs a graph on a device.

Knows nothing of checkpoints, queues or tasks. One runtime serves one process: the thread pools of
two spin against each other.
"""
