"""Where a checkpoint's files lie, and what each is called."""
