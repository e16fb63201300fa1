"""Other looks at the same items, made on the device: what a network should take for the same."""
