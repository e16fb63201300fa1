"""Small pictures and folders of them for the tests of collections."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image


def painted(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    """A smooth picture unlike any with another seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def gallery(folder: Path, number: int = 5, **size: int) -> Path:
    """A folder of ``number`` PNG files, picture-0.png and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(number):
        painted(seed, **size).save(folder / f"picture-{seed}.png")
    return folder


def everything_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their bytes, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def with_library() -> dict[str, str]:
    """The environment for a child process that imports the library from this checkout."""
    root = str(Path(__file__).resolve().parents[2])
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
    }
