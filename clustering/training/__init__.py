"""How a network is trained: one loop, data on the device, events, checkpoints, seeds, device choice."""
