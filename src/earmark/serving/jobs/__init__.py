"""Requests that are answered later: kept in a store, carried out one after the other.

A job's question and answer are bytes here; the dialect that took the job knows their form.
"""
