"""Pure meaning: what to ask the model for a task, and what its logits say.

No I/O, no asyncio, no runtime: everything here is a function of its arguments.
"""
