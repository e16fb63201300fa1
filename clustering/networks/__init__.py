"""Torch building blocks: autoencoders, heads, and their initial weights."""
