"""Takes away from a process what running a model does not need; imports nothing but Python's own.

`confinement.confine` is the entry; on Linux it uses `landlock` for files and `system_call_filter`
for the network and the rest.
"""
