"""Measure how long loading many pictures takes and how much memory: seconds, pictures a second, peak memory.

python benchmarks/load_images.py --pictures 20000 --folder /somewhere/with/space
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from clustering.collections import load


def paint(folder: Path, number: int, side: int, seed: int = 0) -> None:
    """Write JPEG pictures of smooth noise in mixed shapes, once."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    for index in range(number):
        path = folder / f"{index:06d}.jpg"
        coarse = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        width = int(generator.integers(side // 2, side))
        if not path.exists():
            Image.fromarray(coarse).resize((width, side), Image.Resampling.BICUBIC).save(path, quality=85)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=512, help="pixels, longer side")
    parser.add_argument("--folder", type=Path, default=None, help="where to paint them; kept when given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        pictures = (arguments.folder or Path(temporary)) / f"pictures-{arguments.pictures}-{arguments.side}"
        paint(pictures, arguments.pictures, arguments.side)
        before = _peak()
        steps: dict[str, float] = {}
        since = time.perf_counter()

        def listen(_done: int, _total: int, doing: str) -> None:
            nonlocal since
            now = time.perf_counter()
            name = doing.partition("(")[0].strip()
            steps[name] = steps.get(name, 0.0) + now - since
            since = now

        start, used = time.perf_counter(), time.process_time()
        collection = load(pictures, Path(temporary) / "collection", progress=listen)
        seconds, used = time.perf_counter() - start, time.process_time() - used
    print(
        f"{collection.n_items:,} pictures in {seconds:.1f} s ({collection.n_items / seconds:.0f} a second); "
        f"{used:.1f} s of processor time"
    )
    for name, spent in steps.items():
        print(f"  {name}: {spent:.1f} s")
    print(f"peak memory {_peak():,.0f} MB ({before:,.0f} MB before the load)")


def _peak() -> float:
    """Return the largest resident set so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
