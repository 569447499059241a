"""Results that were computed before, and texts that are being computed: nothing is run twice.

Knows requests, engines and results; never HTTP, access keys, or how a client writes a preference.
"""
