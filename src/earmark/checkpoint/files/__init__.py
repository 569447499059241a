"""The places and names of a checkpoint's files."""
