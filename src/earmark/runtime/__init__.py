"""Runs a graph on a device.

Knows nothing of checkpoints, queues or tasks. A process uses only one runtime: the thread pools of
two slow each other down.
"""
