"""Measure our batched k-means beside scikit-learn's on the same points: seconds and inertia, side by side.

``python benchmarks/kmeans_device.py`` runs on the CUDA device, or on the CPU where there is none. Seconds are
the median of several runs after a warm-up; the ratio is our inertia over scikit-learn's, both for the same
number of restarts. ``--quick`` shrinks every set, to see that all of it runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import sklearn
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from torch import Tensor

from clustering.training.kmeans import batched_kmeans


def overlapping(n: int, m: int, groups: int) -> np.ndarray:
    """Return groups that touch, like the latents of a trained autoencoder."""
    return make_blobs(n, m, centers=groups, cluster_std=4, random_state=0)[0].astype(np.float32)


def point_sets(quick: bool) -> dict[str, tuple[np.ndarray, int]]:
    size = 20 if quick else 1
    sets = {
        "digits": (load_digits().data.astype(np.float32) / 16, 10),
        "70,000 × 10 latents": (overlapping(70_000 // size, 10, 10), 10),
        "70,000 × 10 without groups": (
            np.random.default_rng(0).normal(size=(70_000 // size, 10)).astype(np.float32),
            10,
        ),
        "70,000 × 64, 30 groups": (overlapping(70_000 // size, 64, 30), 30),
        "1,000,000 × 10": (overlapping(1_000_000 // size, 10, 10), 10),
    }
    return {f"{name} (1/{size})" if quick else name: given for name, given in sets.items()}


def timed(work: Callable[[], float], runs: int, device: torch.device) -> tuple[float, float]:
    """Return the median seconds of some runs and the last outcome."""
    seconds = []
    for _ in range(runs):
        _wait(device)
        begun = time.perf_counter()
        outcome = work()
        _wait(device)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), outcome


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def peak(points: Tensor, n_clusters: int, restarts: int) -> float:
    """Return the device memory a run takes beside its points, in MB."""
    if points.device.type != "cuda":
        return float("nan")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    batched_kmeans(points, n_clusters, 0, restarts)
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--restarts", type=int, default=20)
    asked.add_argument("--runs", type=int, default=5)
    options = asked.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(
        f"{options.restarts} restarts; ours on {name}, torch {torch.__version__}; "
        f"scikit-learn {sklearn.__version__} on the CPU, all its threads"
    )
    print("| points | K | ours s | scikit-learn s | times as fast | inertia ratio | same bits twice | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for title, (array, n_clusters) in point_sets(options.quick).items():
        points = torch.from_numpy(array).to(device)

        def ours(seed: int = 0, points: Tensor = points, k: int = n_clusters) -> float:
            return batched_kmeans(points, k, seed, options.restarts)[1]

        def peer(array: np.ndarray = array, k: int = n_clusters) -> float:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return float(KMeans(k, n_init=options.restarts, random_state=0).fit(array).inertia_)

        ours()
        seconds, inertia = timed(ours, options.runs, device)
        theirs, reference = timed(peer, 1, device)
        print(
            f"| {title} | {n_clusters} | {seconds:.4f} | {theirs:.2f} | {theirs / seconds:.0f} "
            f"| {inertia / reference:.5f} | {'yes' if ours() == inertia else 'NO'} "
            f"| {peak(points, n_clusters, options.restarts):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
