"""Models of the Hugging Face Hub that requests name though nobody chose them before.

Never knows: HTTP, and how the Hub is asked.
"""
