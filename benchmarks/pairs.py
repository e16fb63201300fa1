"""What random pairs give DMSC on two views of digits: its groups of the items in no pair, and pairs kept.

    python benchmarks/pairs.py --seeds 0 1 2

The first 1,200 of scikit-learn's digits: pixels, and the sizes of their Fourier coefficients with the sums of
rows and columns. Pairs are drawn half and half from items of one digit and of two; labels serve for nothing
else. The scores of a fit with pairs stand beside those of one without, both over the items in no pair.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from sklearn.datasets import load_digits

from clustering.methods.dmsc import DMSC
from clustering.metrics import external

N = 1200


def two_views() -> tuple[np.ndarray, tuple[int, int], np.ndarray]:
    """Return both views side by side, float32 (n, d), their widths and the digits."""
    x, y = load_digits(return_X_y=True)
    pictures = x[:N].reshape(-1, 8, 8) / 16
    waves = np.abs(np.fft.fft2(pictures))[:, :, :5].reshape(N, -1)
    other = np.hstack([waves, pictures.sum(axis=1), pictures.sum(axis=2)])
    joined = np.hstack([pictures.reshape(N, -1), other]).astype(np.float32)
    return joined, (64, other.shape[1]), y[:N]


def drawn(y: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of one digit and pairs of two, (count / 2, 2) each."""
    rows = np.random.default_rng(seed).integers(0, N, size=(20 * count + 10, 2))
    rows = rows[rows[:, 0] != rows[:, 1]]
    same = y[rows[:, 0]] == y[rows[:, 1]]
    return rows[same][: count // 2], rows[~same][: count // 2]


def kept(labels: np.ndarray, together: np.ndarray, apart: np.ndarray) -> float:
    """Return the share of the pairs that labels keep."""
    right = (labels[together[:, 0]] == labels[together[:, 1]]).sum()
    right += (labels[apart[:, 0]] != labels[apart[:, 1]]).sum()
    return float(right / (len(together) + len(apart)))


def scores(y: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> str:
    """Return accuracy and NMI of some rows in words."""
    found = {one.name: one.value for one in external(y[rows], labels[rows])}
    return f"ACC {found['accuracy']:.3f} NMI {found['nmi']:.3f}"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    asked.add_argument("--pairs", nargs="+", type=int, default=[60, 600])
    options = asked.parse_args()
    torch.set_num_threads(1)
    x, sizes, y = two_views()
    for seed in options.seeds:
        quick = {"n_clusters": 10, "view_sizes": sizes, "pretrain_epochs": 40, "epochs": 25, "device": "cpu"}
        began = time.process_time()
        free = DMSC(**quick, random_state=seed).fit(x)
        print(f"seed {seed}, no pairs: {scores(y, free.labels_, np.arange(N))}, "
              f"{time.process_time() - began:.0f} s")  # fmt: skip
        for count in options.pairs:
            together, apart = drawn(y, count, seed)
            rest = np.setdiff1d(np.arange(N), np.concatenate([together, apart]))
            bound = DMSC(**quick, random_state=seed).fit(x, must_link=together, cannot_link=apart)
            before, after = (kept(model.labels_, together, apart) for model in (free, bound))
            print(
                f"seed {seed}, {count} pairs, {len(rest)} items in none: {scores(y, bound.labels_, rest)}, "
                f"without pairs {scores(y, free.labels_, rest)}; kept {after:.3f}, without {before:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
