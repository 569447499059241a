"""The server's own addresses: index, health, info, models and documentation."""
