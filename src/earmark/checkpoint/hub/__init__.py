"""Look-up and download of models from the Hugging Face Hub, into the cache of its library."""
