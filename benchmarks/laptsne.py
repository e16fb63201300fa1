"""Map one data set by LaptSNE at several strengths beside t-SNE and print what the penalty gains and costs.

    python benchmarks/laptsne.py --data digits
    python benchmarks/laptsne.py --data features.npz --reference style --strengths 0.01 0.03
    python benchmarks/laptsne.py --data mnist.npz --reduce 50 --device cuda --max-items 70000 --skip-tsne

A ``.npz`` holds the rows in ``x`` (``uint8`` images are divided by 255 and flattened) and labels in ``y`` or
in the array named by ``--reference``; labels only measure. ``loss`` is t-SNE's divergence, ``Σλ`` the sum of
the map's eigenvalues up to the number of groups, ``silhouette`` that of the reference labels on the map (of
3,000 items at most), trustworthiness and continuity are the studio's, k = 15. A gain in silhouette without
one in trustworthiness is a more handsome map, not a truer one.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import silhouette_score

from clustering.metrics.neighbourhood import neighbourhoods
from clustering.projections.axes import Axes
from clustering.projections.laptsne import LaptSNE
from clustering.projections.tsne import TSNE

K = 15


def read(data: str, reference: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rows, float32 (n, d), and labels as numbers (n,)."""
    if data == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        return digits.data.astype(np.float32), digits.target
    arrays = np.load(data)
    x = arrays["x"]
    rows = x.reshape(len(x), -1).astype(np.float32) / (255 if x.dtype == np.uint8 else 1)
    return rows, np.unique(arrays[reference], return_inverse=True)[1]


def row(name: str, model: LaptSNE | TSNE, rows: np.ndarray, labels: np.ndarray) -> str:
    """Return one line of the table."""
    places = model.embedding_
    found = neighbourhoods(rows, places, (K,))[0]
    size = min(len(labels), 3_000)
    apart = silhouette_score(places, labels, sample_size=size, random_state=0)
    total = f"{model.eigenvalues_.sum():.3f}" if isinstance(model, LaptSNE) else "–"
    cells = (
        f"{model.kl_divergence_:.4f}",
        total,
        f"{apart:.3f}",
        f"{found.trustworthiness.mean():.4f}",
        f"{found.continuity.mean():.4f}",
        f"{found.recall.mean():.3f}",
        f"{model.seconds_:.1f}",
    )
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits")
    parser.add_argument("--reference", default="y")
    parser.add_argument("--size", type=int, default=0, help="take a random sample of so many rows")
    parser.add_argument("--reduce", type=int, default=0, help="turn rows into so many principal axes first")
    parser.add_argument("--strengths", nargs="+", type=float, default=[0.0, 0.01, 0.03, 0.05])
    parser.add_argument("--groups", type=int, default=0, help="0: as many as labels")
    parser.add_argument("--iterations", type=int, default=750)
    parser.add_argument("--max-items", type=int, default=None)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip-tsne", action="store_true")
    parser.add_argument("--maps", type=Path, default=None, help="folder to keep the maps in")
    arguments = parser.parse_args()
    rows, labels = read(arguments.data, arguments.reference)
    if arguments.size and arguments.size < len(rows):
        some = np.random.default_rng(0).choice(len(rows), arguments.size, replace=False)
        rows, labels = rows[some], labels[some]
    if arguments.reduce and arguments.reduce < rows.shape[1]:
        rows = Axes.fitted(rows, arguments.reduce, 0)(rows)
    groups = arguments.groups or len(np.unique(labels))
    models: list[tuple[str, LaptSNE | TSNE]] = []
    if not arguments.skip_tsne:
        models.append(("t-SNE", TSNE(n_iter=arguments.iterations * 2 // 3, random_state=arguments.seed)))
    for strength in arguments.strengths:
        model = LaptSNE(
            strength=strength,
            n_groups=groups,
            n_iter=arguments.iterations,
            max_items=arguments.max_items,
            device=arguments.device,
            random_state=arguments.seed,
        )
        models.append((f"LaptSNE {strength:g}", model))
    print(f"{arguments.data}: {len(rows):,} x {rows.shape[1]}, {groups} groups")
    print("| map | loss | Σλ | silhouette | trust | continuity | kept | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for name, model in models:
        started = time.perf_counter()
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        model.fit(rows)
        print(row(name, model, rows, labels), flush=True)
        if arguments.maps is not None:
            arguments.maps.mkdir(parents=True, exist_ok=True)
            np.save(
                arguments.maps / f"{Path(arguments.data).stem}-{name.replace(' ', '-')}.npy", model.embedding_
            )
        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated() / 2**30
            print(f"  {model.engine_}; device {peak:.2f} GiB; {time.perf_counter() - started:.1f} s in all")
    if isinstance(model, LaptSNE):
        print(f"the data's graph suggests {model.suggested_groups_} groups, by its eigenvalues")
        print(np.round(model.graph_eigenvalues_, 4))


if __name__ == "__main__":
    main()
