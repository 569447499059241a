"""Parts of graphs that architectures share."""
