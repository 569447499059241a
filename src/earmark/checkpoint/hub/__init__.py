"""Models of the Hugging Face Hub: looked up, and fetched into its library's cache."""
