"""What to ask the model for each task, and what its logits mean.

No I/O, no asyncio, no runtime: everything here is a function of its arguments.
"""
