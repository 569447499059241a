"""Runs models in a process of their own, which may die without the server.

`child` is what runs there, and `process` what starts it, restarts it and sends what it had not
answered once more. Both speak in `messages` over a Unix socket.
"""
