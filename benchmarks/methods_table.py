"""Run methods × seeds on one data set and print the table: agreement with reference labels, seconds, memory.

Resumable: every finished row is appended to ``--out`` and not run again.

    python benchmarks/methods_table.py --data digits --methods kmeans ae_kmeans dec --seeds 0 1 2 3 4
    python benchmarks/methods_table.py --data mnist.npz --methods dec idec --set dec.profile=fast
    python benchmarks/methods_table.py --data features.npz --reference style artist
    python benchmarks/methods_table.py --data table.csv --reference class --clusters 4 --methods gceals
    python benchmarks/methods_table.py --data mnist.npz --long-tail 50 --largest 800 --methods jdrl idec
    python benchmarks/methods_table.py --data graph_acm.npz --links --clusters 3 --methods udda

A ``.csv`` holds numbers in all columns but those named by ``--reference``; they are standardised. A
``.npz`` holds the features in ``x`` (``uint8`` images are divided by 255 and flattened), or as a sparse
matrix in ``indptr, indices, data, shape``, and the reference labels in ``y`` or in the arrays named by
``--reference``; with ``--links`` its ``edges`` are given to the methods that take any. No label reaches a
method. ``recall`` is the mean over classes of the share of a class that is in its matched group: a lost rare
class shows in it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

from clustering.methods import method
from clustering.metrics import external
from clustering.metrics.matching import best_match, contingency


def read(data: str, references: list[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the features and the reference labels by name."""
    if data == "digits":
        digits = load_digits()
        return (digits.data / 16).astype(np.float32), {"digit": digits.target}
    if data.endswith(".csv"):
        frame = pd.read_csv(data)
        numbers = frame.drop(columns=references).to_numpy(np.float64)
        spread = numbers.std(axis=0)
        x = (numbers - numbers.mean(axis=0)) / np.where(spread > 0, spread, 1)
        return x.astype(np.float32), {name: frame[name].to_numpy() for name in references}
    arrays = np.load(data)
    if "indptr" in arrays:
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        x = csr_array(parts, shape=tuple(arrays["shape"])).toarray().astype(np.float32)
        return x, {name: arrays[name] for name in references}
    x = arrays["x"]
    x = x.reshape(len(x), -1).astype(np.float32) / (255 if x.dtype == np.uint8 else 1)
    return x, {name: arrays[name] for name in references}


def long_tailed(
    x: np.ndarray, references: dict[str, np.ndarray], ratio: float, largest: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return some items: class sizes fall from ``largest`` to a ``ratio``-th of it, by one factor each."""
    labels = next(iter(references.values()))
    classes = np.unique(labels)
    rng = np.random.default_rng(0)
    rows = []
    for place, value in enumerate(classes):
        size = round(largest * ratio ** (-place / max(1, len(classes) - 1)))
        rows.append(rng.permutation(np.flatnonzero(labels == value))[:size])
    chosen = np.concatenate(rows)
    return x[chosen], {name: values[chosen] for name, values in references.items()}


def mean_recall(labels_true: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over classes of the share that lies in the matched group."""
    counted = contingency(labels_true, labels)
    classes, groups = best_match(counted.grouped)
    return float(
        (counted.grouped[classes, groups] / counted.table.sum(axis=1)[classes]).sum() / len(counted.classes)
    )


def measured(
    name: str,
    x: np.ndarray,
    references: dict[str, np.ndarray],
    seed: int,
    settings: dict[str, Any],
    edges: np.ndarray | None,
):
    """Fit one method once and return its row."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    started, cpu_started = time.perf_counter(), time.process_time()
    unfitted = method(name)(**settings, random_state=seed)
    takes_links = edges is not None and "edges" in inspect.signature(unfitted.fit).parameters
    model = unfitted.fit(x, edges=edges) if takes_links else unfitted.fit(x)
    row: dict[str, Any] = {
        "method": name,
        "seed": seed,
        "settings": settings,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "gpu_gib": torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0,
        "host_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "last": model.history_[-1].get("reason", ""),
        "groups": len(set(model.labels_.tolist()) - {-1}),
    }
    for reference, labels in references.items():
        scores = {quality.name: quality.value for quality in external(labels, model.labels_)}
        row |= {f"{reference} {key}": scores[key] for key in ("accuracy", "nmi", "ari")}
        row[f"{reference} recall"] = mean_recall(labels, model.labels_)
    row["smallest"] = int(np.bincount(model.labels_[model.labels_ >= 0]).min())
    return row


def table(rows: pd.DataFrame) -> str:
    """Return mean ± sd over seeds as Markdown."""
    columns = [c for c in rows.columns if c.rsplit(" ", 1)[-1] in {"accuracy", "nmi", "ari", "recall"}]
    lines = [
        "| method | seeds | " + " | ".join([*columns, "seconds", "CPU seconds"]) + " |",
        "|" + "---|" * (len(columns) + 4),
    ]
    for name, group in rows.groupby("label", sort=False):
        cells = [f"{group[c].mean():.3f} ± {group[c].std(ddof=0):.3f}" for c in columns]
        cells += [f"{group['seconds'].mean():.1f}", f"{group['cpu_seconds'].mean():.1f}"]
        lines.append(f"| {name} | {len(group)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits")
    parser.add_argument("--reference", nargs="+", default=["y"])
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--clusters", type=int, default=10)
    parser.add_argument("--long-tail", type=float, default=1.0, help="largest class over smallest")
    parser.add_argument("--largest", type=int, default=1000, help="items of the largest class then")
    parser.add_argument("--links", action="store_true", help="give the data's edges to methods that take any")
    parser.add_argument("--set", nargs="*", default=[], metavar="METHOD.PARAMETER=VALUE")
    parser.add_argument("--label", default="", help="added to the method's name in the table")
    parser.add_argument("--out", type=Path, default=Path("methods_table.jsonl"))
    arguments = parser.parse_args()
    x, references = read(arguments.data, arguments.reference)
    edges = np.load(arguments.data)["edges"] if arguments.links else None
    data = Path(arguments.data).name
    if arguments.long_tail > 1:
        x, references = long_tailed(x, references, arguments.long_tail, arguments.largest)
        data = f"{data}, long tail {arguments.long_tail:g}"
    done = (
        [json.loads(line) for line in arguments.out.read_text().splitlines()]
        if arguments.out.exists()
        else []
    )
    for name in arguments.methods:
        label = f"{name} {arguments.label}".strip()
        settings: dict[str, Any] = {"n_clusters": arguments.clusters}
        for assignment in arguments.set:
            target, value = assignment.split("=", 1)
            owner, parameter = target.split(".")
            if owner == name:
                settings[parameter] = json.loads(value)
        for seed in arguments.seeds:
            if any((r["label"], r["seed"], r["data"]) == (label, seed, data) for r in done):
                continue
            row = {"label": label, "data": data, **measured(name, x, references, seed, settings, edges)}
            done.append(row)
            with arguments.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
    print(table(pd.DataFrame([r for r in done if r["data"] == data])))


if __name__ == "__main__":
    main()
