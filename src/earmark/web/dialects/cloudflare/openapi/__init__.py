"""What this dialect says of its operations; `earmark.web.openapi` makes a document of it.

Its types are those that the dialect decodes and encodes; its examples are under test against them
and against the server.
"""
