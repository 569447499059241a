"""Finds a checkpoint's files, and knows their names."""
