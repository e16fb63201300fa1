"""Run our DRE and the authors' side by side: seconds, and what the maps keep of the data.

    python benchmarks/dre_reference.py --data mnist.npz --rows 70000 --variants published best global
    python benchmarks/dre_reference.py --data mnist.npz --rows 70000 --reference path/to/checkout

``--reference`` is a checkout of the authors' repository (tao-aimi/DeepRecursiveEmbedding). It needs numba;
its compiled part is replaced by scikit-learn's function of the same name, which it was copied from, and what
it only draws or counts with (matplotlib, tqdm, torchvision) is left out where it is not installed. A ``.npz``
holds the items in ``x`` and their labels in ``y``; no label reaches a method. Both see the same rows, all
batches full, with the same epochs. All measures compare the map with the raw items.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from clustering.metrics import projection as judged
from clustering.projections.dre import DRE

MEASURES = ("trustworthiness", "continuity", "neighbour_recall", "spearman", "distance_correlation")
PUBLISHED = {"trunk": "fc", "affinity": "batch", "select": "last", "held_out": 0}
VARIANTS: dict[str, dict[str, Any]] = {
    "published": PUBLISHED,
    "best": PUBLISHED | {"select": "best"},
    "flat": PUBLISHED | {"recursion": False, "stage2": "none"},
    "fixed batches": PUBLISHED | {"redraw_every": 10_000},
    "float32": PUBLISHED | {"precision": "float32"},
    "bfloat16": PUBLISHED | {"precision": "bfloat16"},
    "global": PUBLISHED | {"affinity": "global"},
    "global best": PUBLISHED | {"affinity": "global", "select": "best"},
    "ce": PUBLISHED | {"stage2": "ce"},
    "conv": PUBLISHED | {"trunk": "conv-small"},
    "light": PUBLISHED | {"trunk": "fc-light"},
}


def read(data: str, rows: int, batch_size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return as many whole batches of items, float32 (n, d), and labels as there are in ``rows`` items."""
    if data == "digits":
        x, y = load_digits(return_X_y=True)
    else:
        arrays = np.load(data)
        x, y = arrays["x"], arrays["y"]
    x = x.reshape(len(x), -1).astype(np.float32)
    chosen = np.random.default_rng(seed).permutation(len(x))
    chosen = chosen[: min(rows, len(x)) // batch_size * batch_size]
    return x[chosen], y[chosen]


def reference(folder: Path) -> Callable[..., Any]:
    """Return the authors' class from a checkout, with what it lacks here put in its place."""
    from sklearn.manifold import _utils

    search = types.ModuleType("DRE._utils_tsne")
    search._binary_search_perplexity = lambda squared, perplexity, _: _utils._binary_search_perplexity(
        np.asarray(squared, dtype=np.float32), perplexity, 0
    )
    sys.modules["DRE._utils_tsne"] = search
    for name in ("matplotlib", "torchvision", "tqdm"):
        try:
            importlib.import_module(name)
        except ImportError:
            _stand_in(name)
    if not torch.cuda.is_available():  # "cuda" is written into its losses
        to = torch.Tensor.to
        torch.Tensor.to = lambda self, *a, **k: to(self, *("cpu" if b == "cuda" else b for b in a), **k)
    sys.path.insert(0, str(folder))
    return importlib.import_module("DRE").DeepRecursiveEmbedding


def _stand_in(name: str) -> None:
    parts = {
        "matplotlib": ("", ".pyplot", ".colors"),
        "torchvision": ("", ".transforms", ".transforms.functional"),
        "tqdm": ("",),
    }[name]
    for part in parts:
        sys.modules[name + part] = types.ModuleType(name + part)
        parent, _, child = (name + part).rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name + part])
    if name == "tqdm":
        sys.modules["tqdm"].tqdm = _Bar


class _Bar:
    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set_postfix(self, **_: Any) -> None:
        pass

    def update(self, _: int) -> None:
        pass


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the reference's many lines off the table."""
    with Path(os.devnull).open("w") as nowhere:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield


def measured(x: np.ndarray, y: np.ndarray, places: np.ndarray, seed: int) -> dict[str, float]:
    """Return the quality of a map and how well its neighbours tell a label."""
    row = {quality.name: quality.value for quality in judged(x, places, k=15, seed=seed)}
    row = {name: row[name] for name in MEASURES}
    some = np.random.default_rng(seed).permutation(len(x))[:20_000]
    half = len(some) // 2
    known = KNeighborsClassifier(10).fit(places[some[:half]], y[some[:half]])
    return row | {"label_of_neighbours": float(known.score(places[some[half:]], y[some[half:]]))}


def shown(name: str, row: dict[str, Any]) -> None:
    values = " | ".join(f"{row[measure]:.3f}" for measure in (*MEASURES, "label_of_neighbours"))
    print(f"| {name} | {row['seconds']:.1f} | {values} |", flush=True)


def ours(name: str, x: np.ndarray, epochs: dict[str, int], batch_size: int, seed: int) -> tuple[Any, float]:
    """Fit one variant; return the model and its seconds."""
    model = DRE(**VARIANTS[name] | epochs, batch_size=batch_size, random_state=seed)
    started = time.perf_counter()
    model.fit(x)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return model, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits")
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--batch-size", type=int, default=2500)
    parser.add_argument(
        "--epochs", type=int, nargs=3, default=(100, 50, 100), metavar=("INPUT", "RE", "STAGE2")
    )
    parser.add_argument("--variants", nargs="*", default=["published"], choices=list(VARIANTS))
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for maps (.npz) and rows (.jsonl)")
    chosen = parser.parse_args()

    x, y = read(chosen.data, chosen.rows, chosen.batch_size, chosen.seed)
    epochs = dict(zip(("input_epochs", "recursion_epochs", "stage2_epochs"), chosen.epochs, strict=True))
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(
        f"{len(x)} items × {x.shape[1]}, batches of {chosen.batch_size}, {where}, torch {torch.__version__}\n"
    )
    print("| run | s | " + " | ".join((*MEASURES, "label_of_neighbours")) + " |")
    print("|---" * (len(MEASURES) + 3) + "|")
    if torch.cuda.is_available():  # the device wakes up before the clock runs
        DRE(**DRE.info.test_settings).fit(x[:500])
    for name in chosen.variants:
        model, seconds = ours(name, x, epochs, chosen.batch_size, chosen.seed)
        row = {"run": f"ours, {name}", "seconds": seconds, **measured(x, y, model.embedding_, chosen.seed)}
        row |= {"steps": [[step.name, *step.known] for step in model.steps_], "engine": model.engine_}
        shown(row["run"], row)
        _kept(chosen.out, row, model.embedding_, y)
    if chosen.reference:
        make = reference(chosen.reference)
        np.random.seed(chosen.seed)
        torch.manual_seed(chosen.seed)
        model = make(
            n_pre_epochs=epochs["input_epochs"],
            num_recursive_tsne_epochs=epochs["recursion_epochs"],
            num_recursive_umap_epochs=epochs["stage2_epochs"],
            batch_size=chosen.batch_size,
            random_shuffle=False,  # it would shuffle the caller's rows
        )
        started = time.perf_counter()
        with quiet():
            places = np.asarray(model.fit_transform(x.copy()))
        row = {"run": "the authors'", "seconds": time.perf_counter() - started}
        row |= measured(x, y, places, chosen.seed)
        shown(row["run"], row)
        _kept(chosen.out, row, places, y)


def _kept(folder: Path | None, row: dict[str, Any], places: np.ndarray, y: np.ndarray) -> None:
    for step in row.get("steps", []):
        print(f"  {step[0]:9s} trustworthiness {step[1]:.3f}, continuity {step[2]:.3f}, recall {step[3]:.3f}")
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dre_reference.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")
    name = row["run"].replace(", ", "-").replace(" ", "-").replace("'", "")
    np.savez_compressed(folder / f"{name}.npz", places=places.astype(np.float32), y=y)


if __name__ == "__main__":
    main()
