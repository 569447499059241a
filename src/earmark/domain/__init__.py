"""The types that all packages share: texts, encodings, packed batches, labels, results.

Knows nothing of files, graphs, queues or HTTP.
"""
