"""The convolutional autoencoder of pictures in deep multi-view clustering, and its mirror image."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from clustering.networks.autoencoder import stretch_between
from clustering.networks.convolutions import Picture
from clustering.networks.initialisers import convolution, linear, transposed_convolution

MAPS = (32, 64, 128)
SIDES = (5, 5, 3)  # pixels a side of the convolutions; each halves the picture
ROWS_AT_ONCE = 1024  # so that the maps of many large pictures do not fill the memory


class ConvolutionalAutoencoder(nn.Module):
    """Convolutions 5×5 → 32, 5×5 → 64 and 3×3 → 128 maps, each of stride 2, then a linear layer to the code.

    The decoder mirrors it by transposed convolutions. ReLU between the layers; code and output are linear.

    Parameters
    ----------
    picture : (height, width, channels)
        How a row of features is read: pixel by pixel, line by line, the channels of a pixel together. Sides
        that two does not divide are rounded up, and come back as they were.
    latent_dim : int
        m, the width of the code.
    generator : torch.Generator
        On the CPU.

    Notes
    -----
    The network of the picture views in SDMVC's public code (its CAE), as the relatives of DMSC use it. First
    weights are He's (2015): through eight layers with the smaller ones of the linear autoencoders hardly
    anything comes, and of small digits twice the error is left after 25 passes.
    """

    def __init__(self, picture: Picture, latent_dim: int, generator: Generator) -> None:
        super().__init__()
        self.picture = picture
        height, width, channels = picture
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for (n_in, n_out), side in zip(pairwise((channels, *MAPS)), SIDES, strict=True):
            down += [convolution(n_in, n_out, side, 2, side // 2, generator, "he"), nn.ReLU()]
            restored = (1 - height % 2, 1 - width % 2)  # of 7 and of 8 pixels four are made
            mirror = transposed_convolution(n_out, n_in, side, 2, side // 2, restored, generator, "he")
            up = [mirror, nn.ReLU(), *up]
            height, width = -(-height // 2), -(-width // 2)
        self.small = (MAPS[-1], height, width)
        n_outputs = MAPS[-1] * height * width
        self.down, self.up = nn.Sequential(*down), nn.Sequential(*up[:-1])
        self.to_code = linear(n_outputs, latent_dim, "he", generator)
        self.from_code = linear(latent_dim, n_outputs, "he", generator)

    def encode(self, inputs: Tensor) -> Tensor:
        """Map rows of pixels (b, height · width · channels) to codes (b, m)."""
        parts = [self._encoded(part) for part in inputs.split(ROWS_AT_ONCE)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def decode(self, latents: Tensor) -> Tensor:
        """Map codes (b, m) back to rows of pixels."""
        maps = self.from_code(latents).relu().unflatten(1, self.small)
        return self.up(maps).permute(0, 2, 3, 1).flatten(1)

    def stretch(self, change: Tensor) -> None:
        """Apply an invertible linear map (m, m) to the codes; what is rebuilt stays the same."""
        stretch_between(self.to_code, self.from_code, change)

    def forward(self, inputs: Tensor) -> Tensor:
        """Rebuild rows of pixels."""
        return self.decode(self.encode(inputs))

    def _encoded(self, inputs: Tensor) -> Tensor:
        pixels = inputs.unflatten(1, self.picture).permute(0, 3, 1, 2)  # (b, channels, height, width)
        return self.to_code(self.down(pixels).flatten(1))
