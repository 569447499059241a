"""Requests that are answered later: kept in a store, carried out one after the other.

What a job asks and what it is answered are bytes here; the dialect that took it knows their form.
"""
