"""The bricks that architectures are made of."""
