"""Results that were computed before, and texts that are being computed: nothing is run twice.

Knows requests, engines and results; never HTTP, keys of access, or what a client calls its wishes.
"""
