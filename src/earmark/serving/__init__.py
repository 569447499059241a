"""Many models and many callers: the one door, the model registry, admission.

Every caller goes through `service.Service`. Knows nothing of HTTP.
"""
