"""Who may come in: access keys, where they are kept, and the gate that asks for one.

Knows nothing of HTTP: how a credential is presented, and how its bearer is refused, is a dialect's
own business.
"""
