"""Who is let in: access keys, where they are kept, and the gate that demands one.

Knows nothing of HTTP: each dialect decides how a key is presented and how a caller is refused.
"""
