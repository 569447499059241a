"""The nouns everyone shares: texts, encodings, packed batches, labels, results.

Knows nothing of files, graphs, queues or HTTP.
"""
