"""Compare two rules for which of several seeds to keep: the lowest loss, or the most like the others.

    python benchmarks/choosing_seeds.py
    python benchmarks/choosing_seeds.py --data mnist.npz --method idec

Many seeds are fitted once; then every rule chooses among random handfuls of them. Labels only judge what was
chosen.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from data_sets import read
from digits_deep import SETTINGS

from clustering.methods import method
from clustering.metrics.external import accuracy, nmi
from clustering.metrics.stability import pairwise_ari


def chosen(losses: np.ndarray, alike: np.ndarray, handful: np.ndarray) -> dict[str, int]:
    """Return the seed that each rule keeps of a handful.

    Parameters
    ----------
    losses : float array (S,)
    alike : float array (S, S)
        ARI of every two seeds.
    handful : int array (s,)
    """
    mutual = alike[np.ix_(handful, handful)].sum(axis=1)
    return {
        "lowest loss": int(handful[losses[handful].argmin()]),
        "most like the others": int(handful[mutual.argmax()]),
        "the first": int(handful[0]),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", default="digits")
    asked.add_argument("--method", default="dec")
    asked.add_argument("--clusters", type=int, default=10)
    asked.add_argument("--seeds", type=int, default=25, help="fitted in all")
    asked.add_argument("--of", type=int, default=5, help="seeds in a handful")
    asked.add_argument("--handfuls", type=int, default=4000)
    options = asked.parse_args()
    torch.set_num_threads(1)
    x, labels = read(options.data, ["y"])
    truth = next(iter(labels.values()))
    settings = {**SETTINGS, "n_init": options.seeds}
    model = method(options.method)(options.clusters, **settings).fit(x)
    scores = np.array([(nmi(truth, labels), accuracy(truth, labels)) for labels in model.init_labels_])
    losses, alike = model.init_losses_, pairwise_ari(model.init_labels_)
    generator = np.random.default_rng(0)
    kept: dict[str, list[int]] = {}
    for _ in range(options.handfuls):
        handful = generator.choice(options.seeds, options.of, replace=False)
        for rule, seed in chosen(losses, alike, handful).items():
            kept.setdefault(rule, []).append(seed)
    mutual = (alike.sum(axis=1) - 1) / (options.seeds - 1)
    print(
        f"{options.method} on {options.data} {np.shape(x)}, {options.seeds} seeds, "
        f"{options.handfuls:,} handfuls of {options.of}; {SETTINGS}\n"
        f"correlation with NMI: loss {np.corrcoef(losses, scores[:, 0])[0, 1]:+.2f}, "
        f"mean ARI with the others {np.corrcoef(mutual, scores[:, 0])[0, 1]:+.2f}\n"
        "| kept | NMI | worst twentieth | ACC |\n|---|---|---|---|"
    )
    for rule, seeds in kept.items():
        agreed, accurate = scores[seeds].T
        print(
            f"| {rule} | {agreed.mean():.3f} ± {agreed.std():.3f} | {np.quantile(agreed, 0.05):.3f} "
            f"| {accurate.mean():.3f} |"
        )


if __name__ == "__main__":
    main()
