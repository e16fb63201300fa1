"""UMAP and t-SNE of our own in PyTorch: the same map on a graphics processor in seconds, or on the CPU.

Every point moves at once, and sums are taken in an order that does not change, so that a seed gives the same
map again on the same device.
"""
