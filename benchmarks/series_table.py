"""DISC beside plain methods on windows of sensors: five seeds each, labels only judge.

``python benchmarks/series_table.py FOLDER [motions|watch …]`` prints rows of Markdown. ``FOLDER`` holds
``series_basicmotions.npz`` and ``series_watch.npz`` (windows × time × channels as ``x``, labels as ``y``).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.features import FeatureArray, encode
from clustering.methods.disc import DISC
from clustering.methods.kmeans import KMeans
from clustering.methods.umap_gmm import UmapGmm
from clustering.metrics import external
from clustering.newcomers.reading import Newcomers
from clustering.training.events import Epoch

SEEDS = range(5)
FILES = {"motions": "series_basicmotions.npz", "watch": "series_watch.npz"}
# As on the scaled-down check of the method's specification; on the watch narrower and shorter still.
LONG = ("k-means on the codes before clustering", "DISC, `future=0`")
SETTINGS: dict[str, dict[str, Any]] = {
    "motions": {"hidden_dim": 48, "latent_dim": 16, "pretrain_epochs": 40, "epochs": 15, "batch_size": 40,
                "learning_rate": 2e-3, "cluster_learning_rate": 1e-3},
    "watch": {"hidden_dim": 32, "latent_dim": 16, "pretrain_epochs": 20, "epochs": 5, "batch_size": 256,
              "learning_rate": 4e-3, "decoder": "parallel"},
}  # fmt: skip


def measured(rows: FeatureArray, statistics: FeatureArray, truth: NDArray[np.int64], data: str) -> None:
    """Print one row a method."""
    groups = int(truth.max()) + 1
    chosen = SETTINGS[data] | rows.layout | {"device": "cpu"}

    def codes(seed: int) -> NDArray[np.int64]:
        """k-means on the codes before any clustering: the fit is stopped at the end of its first phase."""
        model = DISC(groups, random_state=seed, **chosen).fit(
            rows,
            emit=lambda event: (
                isinstance(event, Epoch) and event.phase == "pretrain" and event.epoch == event.epochs
            ),
        )
        return KMeans(groups, random_state=seed).fit(model.embedding_).labels_

    methods: dict[str, Callable[[int], NDArray[np.int64]]] = {
        "k-means, windows laid flat": lambda seed: KMeans(groups, random_state=seed).fit(rows).labels_,
        "k-means, statistics of windows": lambda seed: (
            KMeans(groups, random_state=seed).fit(statistics).labels_
        ),
        "UMAP + GMM, statistics of windows": lambda seed: (
            UmapGmm(groups, random_state=seed).fit(statistics).labels_
        ),
        "k-means on the codes before clustering": codes,
        "DISC": lambda seed: DISC(groups, random_state=seed, **chosen).fit(rows).labels_,
        "DISC, `future=0`": lambda seed: (
            DISC(groups, random_state=seed, **chosen, future=0.0).fit(rows).labels_
        ),
    }
    if data == "watch":  # minutes a seed
        methods = {name: fitted for name, fitted in methods.items() if name not in LONG}
    for name, fitted in methods.items():
        figures, seconds = [], []
        for seed in SEEDS:
            begun = time.process_time()
            labels = fitted(seed)
            seconds.append(time.process_time() - begun)
            told = {one.name: one.value for one in external(truth, labels, resamples=0)}
            figures.append([told["accuracy"], told["nmi"], told["ari"]])
        mean, spread = np.mean(figures, axis=0), np.std(figures, axis=0)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True)]
        print(f"| {data} | {name} | {' | '.join(cells)} | {np.mean(seconds):.1f} |", flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    for data in sys.argv[2:] or FILES:
        with np.load(folder / FILES[data]) as opened:
            windows = opened["x"].astype(np.float32)
            names = tuple(map(str, range(len(windows))))
            series = Newcomers("series", names, rows=windows, name=data)
            truth = np.unique(opened["y"], return_inverse=True)[1]
        measured(encode(series), encode(series, "window-statistics"), truth, data)


if __name__ == "__main__":
    main()
