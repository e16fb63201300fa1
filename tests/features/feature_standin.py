"""A collection in memory: the little that encoders need, without the reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps


@dataclass
class StandIn:
    kind: str
    n_items: int
    name: str = "Stand-in"
    content_hash: str = "abc"
    pictures: Callable[[int], Image.Image] | None = None
    content: Any = None
    read: list[int] = field(default_factory=list)

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        assert self.pictures is not None
        self.read.append(index)
        return self.pictures(index)

    def data(self) -> Any:
        return self.content


def noise_pictures(n: int, width: int = 40, height: int = 30, seed: int = 0) -> StandIn:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, height, width, 3), dtype=np.uint8)
    return StandIn("images", n, pictures=lambda index: Image.fromarray(pixels[index]))


def files(paths: list[Path]) -> StandIn:
    return StandIn("images", len(paths), pictures=lambda index: Image.open(paths[index]).convert("RGB"))


@dataclass
class Files:
    """A collection of picture files that can be sent to another process."""

    paths: list[Path]
    kind: str = "images"
    name: str = "Files"
    content_hash: str = "abc"

    @property
    def n_items(self) -> int:
        return len(self.paths)

    def original(self, index: int) -> Path:
        return self.paths[index]

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        return ImageOps.exif_transpose(Image.open(self.paths[index])).convert("RGB")


def painted(width: int, height: int, seed: int = 0) -> Image.Image:
    """Soft patches of colour under finer strokes and grain: a JPEG of it is as large as a photograph's."""
    generator = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for cells, strength in ((10, 1.0), (max(width, height) // 5, 0.25)):
        noise = generator.integers(0, 256, (cells * height // width + 1, cells, 3), dtype=np.uint8)
        layers += strength * np.asarray(Image.fromarray(noise).resize((width, height), Image.BICUBIC), float)
    layers += generator.normal(-32, 6, layers.shape)
    return Image.fromarray(layers.clip(0, 255).astype(np.uint8))
