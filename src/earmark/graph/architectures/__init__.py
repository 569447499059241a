"""One file per architecture, which contains only its differences from the shared blocks."""
