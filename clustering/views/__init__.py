"""Other looks at the same items, made on the device: what a network should take for the same.

Pictures (rows of pixels): `AffineViews` turns and moves them as DEC does; `PictureViews` follows a recipe for
digits, artworks or photographs; `StrongViews` draws operations at random. Other items: `NeighbourViews` shows
a near item instead; `SwappedViews`, `NoisyViews` change some of the numbers; `adversarial` finds the change a
network notices most. All draw from the generator that is given, whole batches at once, and wait for nothing.
"""
