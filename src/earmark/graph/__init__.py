"""Builds an ONNX graph from a checkpoint's config and weights, operator by operator.

Owns the recorder, the blocks that architectures are made of, and how weights are stored at each
precision. Knows nothing of queues, tasks or HTTP, and never runs a graph.
"""
