"""The service that answers every call, with its limits, cache, jobs and access keys.

Every call goes through `service.Service`. Knows nothing of HTTP.
"""
