"""The OpenAPI document: what a dialect says of its operations, and how the document is written.

It knows no dialect. Each brings a table of operations; schemas come from its types, errors from its
table of errors, and examples from JSON files beside it.
"""
