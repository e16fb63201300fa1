"""A collection in memory: the little that encoders need, without the reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


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
