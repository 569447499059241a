"""Queues encodings and packs them into batches.

Tickets, queue, packer and splitting are pure, with time passed in. One small driver, the worker,
owns the thread. Knows nothing of models or HTTP.
"""
