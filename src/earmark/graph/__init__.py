"""Builds an ONNX graph from a checkpoint's config and weights, operator by operator.

Owns the recorder, the blocks of architectures, and the form of weights in each precision. Knows
nothing of queues, tasks or HTTP, and never runs a graph.
"""
