"""One file per architecture, each holding only what is its own."""
