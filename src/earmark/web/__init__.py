"""The HTTP edge: an ASGI app, body limits, health, and one folder per dialect."""
