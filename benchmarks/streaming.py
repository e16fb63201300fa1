"""Measure a fit on ten times as many items as another: seconds an epoch, and memory that must not grow.

``python benchmarks/streaming.py`` writes two sets of 64 columns to a temporary folder (1 and 10 million rows,
2.8 GB), reads them as memory maps and fits DEC to each, once with its rows streamed to the device and once
with all of them resident. ``--small 20000`` shrinks both sets, to see on any machine that all of it runs.

What grows with the items by nature are the results that DEC keeps for every item on the device: latents,
assignments, targets and labels. The column “apart from results” leaves them out.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from clustering.methods.dec import DEC
from clustering.training import data as rows
from clustering.training import order
from clustering.training.events import Epoch, Event, Snapshot, Started

COLUMNS, GROUPS, LATENTS = 64, 10, 10
# Latents, assignments, the targets twice (the new ones and those the steps read) in float32; labels, the
# labels before and confidences.
RESULT_BYTES = 4 * (LATENTS + 3 * GROUPS) + 2 * 8 + 4


def written(path: Path, n: int) -> Path:
    """Write n rows of groups that touch, block by block and sorted by group: the hardest order for a disk."""
    generator = np.random.default_rng(0)
    centers = generator.normal(0, 1, (GROUPS, COLUMNS))
    array = np.lib.format.open_memmap(path, "w+", np.float32, (n, COLUMNS))
    step = 2**17
    for start in range(0, n, step):
        stop = min(start + step, n)
        block = generator.standard_normal((stop - start, COLUMNS), dtype=np.float32)
        array[start:stop] = block + centers[np.arange(start, stop) * GROUPS // n]
    array.flush()
    return path


@dataclass
class Watch:
    """Notes the time and the peak device memory between the events of a fit."""

    begun: float = 0.0
    at: dict[str, list[float]] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if isinstance(event, Started):
            self.begun = time.perf_counter()
        if isinstance(event, Epoch):
            self.at.setdefault(event.phase, []).append(time.perf_counter())
        if isinstance(event, Epoch | Snapshot):
            self.peaks[event.phase] = max(self.peaks.get(event.phase, 0), _peak())

    def seconds(self, phase: str) -> float:
        """Return the median seconds of an epoch; the first, which holds a phase's beginning, is left out."""
        times = self.at[phase]
        return statistics.median(b - a for a, b in pairwise(times))


def _peak() -> int:
    """Return the most device memory in use since the last call, in bytes."""
    if not torch.cuda.is_available():
        return 0
    most = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return most


def host_bytes() -> int:
    """Return the memory of this process that no file backs, in bytes; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def fitted(path: Path, settings: dict[str, object], streamed: bool) -> tuple[Watch, float, np.ndarray]:
    """Return what was watched, the seconds of the whole fit, and the labels."""
    share = rows.RESIDENT_SHARE
    rows.RESIDENT_SHARE = 0.0 if streamed else 1e9
    features = np.load(path, mmap_mode="r")
    watch = Watch()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    _peak()
    begun = time.perf_counter()
    try:
        model = DEC(GROUPS, **settings).fit(features, emit=watch)
    finally:
        rows.RESIDENT_SHARE = share
    seconds = time.perf_counter() - begun
    watch.peaks["end"] = _peak()
    return watch, seconds, model.labels_


def found(labels: np.ndarray) -> float:
    """Return the share of items in the commonest cluster of their group; a group is a tenth of the file."""
    parts = np.array_split(labels, GROUPS)
    return sum(int(np.bincount(part, minlength=GROUPS).max()) for part in parts) / len(labels)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "--small", type=int, default=1_000_000, help="rows of the smaller set; the other has ten times"
    )
    asked.add_argument("--batch", type=int, default=4096)
    asked.add_argument("--epochs", type=int, default=3, help="of pretraining, and of clustering")
    asked.add_argument("--hidden", type=int, nargs="+", default=[500, 500, 2000])
    asked.add_argument(
        "--chunk", type=int, help="bytes of a streamed piece; smaller, to see pieces on small sets"
    )
    asked.add_argument(
        "--windows", action="store_true", help="draw orders that a disk can follow at any size"
    )
    asked.add_argument(
        "--folder", type=Path, help="where the sets are written; a temporary folder by default"
    )
    options = asked.parse_args()
    if options.chunk:
        rows.CHUNK_BYTES = options.chunk
    if options.windows:
        order.ANY_ORDER_BYTES = 0
    settings = {
        "profile": "fast",
        "hidden_dims": tuple(options.hidden),
        "latent_dim": LATENTS,
        "batch_size": options.batch,
        "pretrain_epochs": options.epochs,
        "epochs": options.epochs,
        "tolerance": 0.0,
    }
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"DEC on {name}, torch {torch.__version__}; {settings}")
    sizes = (options.small, 10 * options.small)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        paths = {n: written(Path(folder) / f"{n}.npy", n) for n in sizes}
        fitted(paths[sizes[0]], settings | {"pretrain_epochs": 2, "epochs": 2}, streamed=True)  # warm-up
        print(
            "| rows | items | s a pretraining epoch | s a clustering epoch | s whole fit | groups found "
            "| MB pretraining | MB clustering | MB apart from results | MB host |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        labels: dict[tuple[bool, int], np.ndarray] = {}
        seen: dict[tuple[bool, int], tuple[float, float, float, float]] = {}
        for streamed in (True, False):
            for n in sizes:
                watch, whole, labels[streamed, n] = fitted(paths[n], settings, streamed)
                pretrain, cluster = watch.seconds("pretrain"), watch.seconds("cluster")
                first, second = watch.peaks["pretrain"] / 1e6, watch.peaks["cluster"] / 1e6
                apart = max(first, second - n * RESULT_BYTES / 1e6, watch.peaks["end"] / 1e6)
                seen[streamed, n] = pretrain, cluster, whole, apart
                print(
                    f"| {'streamed' if streamed else 'resident'} | {n:,} | {pretrain:.2f} | {cluster:.2f} "
                    f"| {whole:.1f} | {found(labels[streamed, n]):.3f} | {first:,.0f} | {second:,.0f} "
                    f"| {apart:,.0f} | {host_bytes() / 1e6:,.0f} |",
                    flush=True,
                )
    print("\nten times as many items, as a ratio:")
    for streamed in (True, False):
        few, many = seen[streamed, sizes[0]], seen[streamed, sizes[1]]
        ratios = [b / a if a else float("nan") for a, b in zip(few, many, strict=True)]
        print(
            f"{'streamed' if streamed else 'resident'}: pretraining epoch {ratios[0]:.1f} ×, "
            f"clustering epoch {ratios[1]:.1f} ×, whole fit {ratios[2]:.1f} × (at most 11); "
            f"memory apart from results {ratios[3]:.2f} ×{' (at most 1.1)' if streamed else ''}"
        )
    same = [bool((labels[True, n] == labels[False, n]).all()) for n in sizes]
    print(
        "streamed and resident fits end with the same labels:", ", ".join("yes" if s else "NO" for s in same)
    )
    slower = seen[True, sizes[1]][0] / seen[False, sizes[1]][0]
    print(f"streaming {sizes[1]:,} items takes {slower:.2f} × the time of a resident pretraining epoch")


if __name__ == "__main__":
    main()
