"""What clustering adds to pretraining on scikit-learn's digits, and what it costs: a table for the README.

Run ``python benchmarks/digits_deep.py`` (about two minutes on one core; ``--threads 1 2`` for one and two).
Labels only judge: no epoch or seed is chosen by them. ``--peer`` adds ClustPy's DEC with its own defaults,
where it is installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits

from clustering.methods import method
from clustering.metrics.external import accuracy, nmi

# A network for 64 pixels instead of one for 784, and enough steps a pass for 1,797 items.
SETTINGS = {"hidden_dims": (128, 128, 256), "batch_size": 64, "pretrain_epochs": 150, "device": "cpu"}
METHODS = ("ae_kmeans", "dec", "idec")


def measured(fit: Callable[[], np.ndarray], truth: np.ndarray) -> tuple[float, float, float, float]:
    """Return accuracy, NMI (arithmetic), CPU seconds and seconds of a fit."""
    begun, worked = time.perf_counter(), time.process_time()
    labels = fit()
    worked, taken = time.process_time() - worked, time.perf_counter() - begun
    return accuracy(truth, labels), nmi(truth, labels), worked, taken


def peer(features: np.ndarray, seed: int) -> np.ndarray:
    from clustpy.deep import DEC

    return DEC(10, random_state=seed).fit(features).labels_


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--peer", action="store_true")
    asked.add_argument("--threads", type=int, nargs="+", default=[1])
    options = asked.parse_args()
    pixels, truth = load_digits(return_X_y=True)
    features = (pixels / 16).astype(np.float32)

    def ours(name: str, seed: int) -> Callable[[], np.ndarray]:
        return lambda: method(name)(10, **SETTINGS, random_state=seed).fit(features).labels_

    fits = {name: [ours(name, seed) for seed in range(options.seeds)] for name in METHODS}
    if options.peer:
        fits["ClustPy DEC"] = [lambda seed=seed: peer(features, seed) for seed in range(options.seeds)]
    print(
        f"digits, 1,797 × 64, {options.seeds} seeds, torch {torch.__version__}; {SETTINGS}\n"
        "| method | threads | ACC | NMI | CPU seconds | seconds |\n|---|---|---|---|---|---|"
    )
    for name, runs in fits.items():
        for threads in options.threads:
            torch.set_num_threads(threads)
            figures = np.array([measured(run, truth) for run in runs])
            mean, spread = figures.mean(axis=0), figures.std(axis=0)
            print(
                f"| {name} | {threads} | {mean[0]:.3f} ± {spread[0]:.3f} | {mean[1]:.3f} ± {spread[1]:.3f} "
                f"| {mean[2]:.1f} | {mean[3]:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
