"""The tensors of a checkpoint, whatever form their files have."""
