"""Map data sets by every projection and engine and print the table: seconds, memory, quality, new items.

Resumable: every finished row is appended to ``--out`` and not run again on the same device. Rows of another
machine are shown in the same table with ``--also``.

    python benchmarks/projections.py --data digits
    python benchmarks/projections.py --data path/to/pictures
    python benchmarks/projections.py --data mnist.npz --reduce 50 --projections umap tsne --engines own
    python benchmarks/projections.py --data blobs:1000000x32 --projections umap --held-out 0 --anchors 500

A folder is loaded and encoded as the studio does it; a ``.npz`` holds the rows in ``x`` (``uint8`` images are
divided by 255 and flattened). ``--reduce`` turns them into so many principal axes first, as data of its own.
Engines: ``library`` (umap-learn, openTSNE; left out where not installed) and ``own``.

Columns: ``seconds`` is the fit, after a small one has started and compiled everything, ``CPU seconds`` what
it took from all cores, which a busy machine changes little; ``host`` is the most the process ever held,
``device`` that of the fit alone. Trustworthiness, continuity, neighbours kept (k = 15) and distance
correlation are those of the studio, against the data as given.

``--held-out`` items are left out of the fit and placed afterwards. ``torn``: 1 less the trustworthiness of
their neighbourhoods on the map, against the data. ``placing``: everything is fitted a second time, held-out
items included, with the same seed; the first map is shifted, turned, perhaps mirrored and scaled as a whole
so that its known items come nearest to their places on the second (least squares); ``placing`` is the median
distance of a held-out item from its place on the second map, in root mean square distances of that map's
items from their middle, and ``known`` the same of the known items: so far two fits differ anyway. The second
fit is left out where the first took longer than ``--joint-up-to`` seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from clustering.metrics.distance_correlation import sampled_distance_correlation
from clustering.metrics.neighbourhood import neighbourhoods
from clustering.neighbors import neighbors_in
from clustering.parameters import parameters_of
from clustering.projections import projection, projections
from clustering.projections.axes import Axes

LIBRARIES = {"umap": "umap", "tsne": "openTSNE"}  # what the engine “library” imports
K = 15


def read(data: str, n_axes: int, size: int) -> np.ndarray:
    """Return the rows of a data set, float32 (n, d)."""
    random = np.random.default_rng(0)
    if data == "digits":
        from sklearn.datasets import load_digits

        rows = load_digits().data.astype(np.float32)
    elif data.startswith("blobs:"):
        n, d = (int(number) for number in data.removeprefix("blobs:").split("x"))
        centers = 3 * random.normal(size=(100, d)).astype(np.float32)
        rows = centers[random.integers(0, 100, n)] + random.normal(size=(n, d)).astype(np.float32)
    elif Path(data).is_dir():
        import clustering as dc

        rows = np.asarray(dc.encode(dc.load(data)), dtype=np.float32)
    else:
        x = np.load(data)["x"]
        rows = x.reshape(len(x), -1).astype(np.float32) / (255 if x.dtype == np.uint8 else 1)
    if size and size < len(rows):
        rows = rows[np.sort(random.choice(len(rows), size, replace=False))]
    return Axes.fitted(rows, n_axes, 0)(rows) if n_axes and n_axes < rows.shape[1] else rows


def device_name() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def measured(name: str, engine: str, rows: np.ndarray, arguments: argparse.Namespace) -> dict[str, Any]:
    """Fit one projection once and return its row."""
    kind = projection(name)
    settings: dict[str, Any] = {"random_state": arguments.seed} | ({"engine": engine} if engine else {})
    warm = kind(**kind.info.test_settings | settings).fit(rows[:4_000])
    warm.transform(rows[:2] + np.float32(0.01))
    order = np.random.default_rng(arguments.seed).permutation(len(rows))
    held_out, fitted = order[: arguments.held_out], np.sort(order[arguments.held_out :])
    known, new = rows[fitted], rows[held_out]
    phases: dict[str, float] = {}
    last = time.perf_counter()

    def listen(_done: int, _total: int, doing: str) -> None:
        nonlocal last
        now = time.perf_counter()
        phases[doing] = phases.get(doing, 0.0) + now - last
        last = now

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    started = last = time.perf_counter()
    worked = time.process_time()
    model = kind(**settings).fit(known, progress=listen)
    seconds = time.perf_counter() - started
    row: dict[str, Any] = {
        "engine_": model.engine_,
        "n": len(known),
        "d": rows.shape[1],
        "seconds": seconds,
        "cpu_seconds": time.process_time() - worked,
        "phases": {doing: round(spent, 3) for doing, spent in phases.items()},
        "device_gib": torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0,
        "host_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    started = time.perf_counter()
    row |= quality(known, model.embedding_, arguments.anchors)
    row["quality_seconds"] = time.perf_counter() - started
    if len(new):
        started = time.perf_counter()
        places = model.transform(new)
        row["placing_seconds"] = time.perf_counter() - started
        row["torn"] = torn(known, model.embedding_, new, places)
        if seconds <= arguments.joint_up_to:
            joint = kind(**settings).fit(rows).embedding_
            row["known"], row["placing"] = moved(
                model.embedding_, places, joint[fitted], joint[held_out], joint
            )
    if arguments.maps:
        arguments.maps.mkdir(parents=True, exist_ok=True)
        stem = f"{Path(arguments.data).stem.replace(':', '-')}-{name}-{engine or 'only'}"
        np.save(arguments.maps / f"{stem}.npy", model.embedding_)
    return row


def quality(rows: np.ndarray, places: np.ndarray, anchors: int) -> dict[str, float]:
    """Return how far a map of known items can be trusted."""
    found = neighbourhoods(rows, places, (K,), anchors=min(anchors, len(rows)))[0]
    distances = sampled_distance_correlation(rows, places)
    return {
        "trustworthiness": float(found.trustworthiness.mean()),
        "error": float(found.trustworthiness.std() / np.sqrt(len(found.rows))),
        "continuity": float(found.continuity.mean()),
        "recall": float(found.recall.mean()),
        "distances": distances[0] if distances else 0.0,
    }


def torn(known: np.ndarray, map_: np.ndarray, new: np.ndarray, places: np.ndarray) -> float:
    """Return how far new items' neighbours on the map are false ones (Venna and Kaski 2001, eq. 1)."""
    n, m = len(known), len(new)
    on_map = neighbors_in(np.ascontiguousarray(map_), np.ascontiguousarray(places), K).indices
    too_far = 0.0
    for item, row in enumerate(new):
        squared = np.square(known - row).sum(axis=1)
        ranks = (squared[None] < squared[on_map[item], None]).sum(axis=1) + 1
        too_far += float(np.maximum(ranks - K, 0).sum())
    return 2 * too_far / (m * K * (2 * n - 3 * K - 1))


def moved(
    known: np.ndarray, new: np.ndarray, known_jointly: np.ndarray, new_jointly: np.ndarray, joint: np.ndarray
) -> tuple[float, float]:
    """Return how far known and new items lie from their places on a joint map, median, in map radii."""
    middle, aim = known.mean(axis=0), known_jointly.mean(axis=0)
    left, scales, right = np.linalg.svd((known - middle).T @ (known_jointly - aim))
    turn = left @ right * scales.sum() / np.square(known - middle).sum()  # Procrustes, with scale
    radius = np.sqrt(np.square(joint - joint.mean(axis=0)).sum(axis=1).mean())
    pairs = ((known, known_jointly), (new, new_jointly))
    off = [np.median(np.linalg.norm((here - middle) @ turn + aim - there, axis=1)) for here, there in pairs]
    return float(off[0] / radius), float(off[1] / radius)


def table(rows: pd.DataFrame) -> str:
    """Return the rows as Markdown."""
    columns = {
        "data": "data",
        "n": "n",
        "name": "projection",
        "who": "engine",
        "device": "on",
        "seconds": "seconds",
        "cpu_seconds": "CPU seconds",
        "device_gib": "device GiB",
        "host_gib": "host GiB",
        "trustworthiness": "trust",
        "continuity": "continuity",
        "recall": "kept",
        "distances": "distances",
        "torn": "torn",
        "placing": "placing",
        "known": "known",
    }
    digits = {
        "seconds": 1,
        "cpu_seconds": 1,
        "device_gib": 1,
        "host_gib": 1,
        "trustworthiness": 4,
        "continuity": 4,
        "torn": 4,
    }
    lines = ["| " + " | ".join(columns.values()) + " |", "|" + "---|" * len(columns)]
    for _, row in rows.iterrows():
        cells = []
        for column in columns:
            value = row.get(column)
            text = str(value) if not isinstance(value, float) else f"{value:.{digits.get(column, 3)}f}"
            cells.append("–" if value is None or text == "nan" else text)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def combinations(names: list[str], engines: list[str]) -> list[tuple[str, str]]:
    found = []
    for name in names:
        if not any(parameter.name == "engine" for parameter in parameters_of(projection(name))):
            found.append((name, ""))
            continue
        for engine in engines:
            if engine == "library" and find_spec(LIBRARIES.get(name, name)) is None:
                print(f"{name}: {LIBRARIES.get(name, name)} is not installed here, left out", flush=True)
                continue
            found.append((name, engine))
    return found


def rows_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits")
    parser.add_argument("--size", type=int, default=0, help="take a random sample of so many rows")
    parser.add_argument("--reduce", type=int, default=0)
    parser.add_argument("--projections", nargs="+", default=None)
    parser.add_argument("--engines", nargs="+", default=["library", "own"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--joint-up-to", type=float, default=100.0, help="seconds")
    parser.add_argument("--anchors", type=int, default=2_000)
    parser.add_argument("--maps", type=Path, default=None, help="folder to keep the maps in")
    parser.add_argument("--out", type=Path, default=Path("projections.jsonl"))
    parser.add_argument("--also", nargs="*", type=Path, default=[])
    arguments = parser.parse_args()
    label = Path(arguments.data).stem + (f" PCA-{arguments.reduce}" if arguments.reduce else "")
    done = rows_in(arguments.out)
    rows = None
    for name, engine in combinations(arguments.projections or list(projections()), arguments.engines):
        device = "CPU" if engine == "library" else device_name()
        key = (label, arguments.size, name, engine, device, arguments.seed, arguments.held_out)
        if any(tuple(row["key"]) == key for row in done):
            continue
        rows = read(arguments.data, arguments.reduce, arguments.size) if rows is None else rows
        row = {"key": key, "data": label, "name": name, "who": engine or "only", "device": device}
        row |= measured(name, engine, rows, arguments)
        done.append(row)
        with arguments.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
    for file in arguments.also:
        done += rows_in(file)
    print(table(pd.DataFrame(done)))


if __name__ == "__main__":
    main()
