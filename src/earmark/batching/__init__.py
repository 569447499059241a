"""The queue, and how encodings share a batch.

Pure, with time passed in: tickets, policy, queue, packer, splitting. One small driver, the worker,
owns the threads. Knows nothing of models or HTTP.
"""
