"""ResNets as published methods have them: torchvision's, untrained, with a stem for small pictures."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

RESNETS = ("resnet18", "resnet34", "resnet50")
PARTS = 512  # pictures at a time where nothing is learned: between two layers each takes up to a megabyte
SMALL = 64  # pixels: of no larger pictures the first convolution keeps the size, and nothing is pooled


class PictureNetwork(nn.Module):
    """Pictures (b, channels, height, width) → features (b, D), by the ``layers`` of a library's network."""

    layers: nn.Module
    n_outputs: int

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features."""
        if self.training or torch.is_grad_enabled():
            features: Tensor = self.layers(pictures)
            return features
        return torch.cat([self.layers(part) for part in pictures.split(PARTS)])


class ResNet(PictureNetwork):
    """Pictures (b, channels, side, side) → features (b, D) (He et al. 2016).

    Parameters
    ----------
    name : {"resnet18", "resnet34", "resnet50"}
    channels, side : int
        Up to 64 pixels with the stem used for CIFAR-10: 3 × 3 with stride 1, and no pool after it.
    generator : torch.Generator
        On the CPU; convolutions are drawn from N(0, √(2 / (k² · maps out))). No trained weight is loaded.

    Attributes
    ----------
    n_outputs : int
        D: 512, or 2,048 of a ResNet-50.
    """

    def __init__(self, name: str, channels: int, side: int, generator: Generator) -> None:
        super().__init__()
        from torchvision.models import resnet18, resnet34, resnet50

        made = {"resnet18": resnet18, "resnet34": resnet34, "resnet50": resnet50}[name]
        with torch.random.fork_rng(devices=[]):  # what it draws by itself is replaced, and leaves no trace
            layers = made(weights=None)
            self.n_outputs = layers.fc.in_features
            layers.fc = nn.Identity()
            if side <= SMALL:
                layers.conv1 = nn.Conv2d(channels, 64, kernel_size=3, padding=1, bias=False)
                layers.maxpool = nn.Identity()
            elif channels != 3:
                layers.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
        for layer in layers.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(
                    layer.weight, mode="fan_out", nonlinearity="relu", generator=generator
                )
        self.layers = layers
