"""The tensors of a checkpoint, in any of the supported file formats."""
