"""Measure how long it takes to place one picture that is not in the collection, cold and warm, on every map.

Run ``python benchmarks/place_item.py --pictures FOLDER``. It loads the folder, encodes it with
EfficientNet-Lite0, trains DEC and draws a map with every projection (minutes; with ``--workspace`` that is
kept, and found again the next time). Then it asks the process that places things for the pages: first when
nothing is loaded, then warm, then while a training keeps both cores busy. Told is the time from handing in
the file to the answer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clustering.jobs.executors import Inline
from clustering.jobs.placing_desk import PlacingDesk
from clustering.workspace import RunRecord, Workspace

PROJECTIONS = ("pca", "umap", "tsne", "dre", "laptsne")
BUDGET = 1.0  # seconds, warm
BUSY = """
import numpy as np
from clustering.methods import method
rows = np.random.default_rng(0).normal(size=(20000, 256)).astype(np.float32)
print("busy", flush=True)
method("dec")(n_clusters=8, pretrain_epochs=500, device="cpu").fit(rows)
"""


def prepared(workspace: Workspace, pictures: Path) -> str:
    """Return the id of a DEC run on the pictures with a map of every kind, made where they are not there."""
    runs = made(workspace)
    with Inline(workspace, lambda *_: None) as here:
        if not runs:
            load = here.submit("load", {"source": str(pictures), "name": "Pictures", "copy": False})
            encode = here.submit("features", {"encoder": "efficientnet-lite0"}, load.id)
            settings = {
                "n_clusters": 6,
                "profile": "fast",
                "pretrain_epochs": 30,
                "epochs": 15,
                "random_state": 0,
            }
            here.submit("train", {"method": "dec", "parameters": settings}, encode.id)
            runs = made(workspace)
        run = runs[0].id
        drawn = {one.projection for one in workspace.projections(run_id=run)}
        for name in PROJECTIONS:
            if name not in drawn:
                print(f"drawing {name}", flush=True)
                here.submit("project", {"run": run, "projection": name, "space": "latent"})
    return run


def made(workspace: Workspace) -> list[RunRecord]:
    """Return the DEC runs on EfficientNet-Lite0 features."""
    seen = {one.id for one in workspace.feature_sets() if one.encoder == "efficientnet-lite0"}
    return [run for run in workspace.runs() if run.method == "dec" and run.feature_id in seen]


def timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@contextmanager
def training() -> Iterator[None]:
    """Keep both cores busy with a fit in another process."""
    house = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY],
        stdout=subprocess.PIPE,
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(3)
    try:
        yield
    finally:
        process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--workspace", type=Path, help="kept between runs")
    parser.add_argument("--times", type=int, default=9)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.open(chosen.workspace or Path(scratch))
        run = prepared(workspace, chosen.pictures)
        maps = {one.projection: one.id for one in reversed(workspace.projections(run_id=run))}
        pictures = sorted(
            path for path in chosen.pictures.rglob("*") if path.suffix.lower() in (".jpg", ".png")
        )
        given = [(path.name, path.read_bytes()) for path in pictures[:: max(1, len(pictures) // 40)]]
        print(f"{workspace.run(run).n_items} pictures; load {os.getloadavg()[0]:.1f}; seconds", flush=True)
        print("map      first  warm (median, worst)  beside a training (median, worst)", flush=True)
        figures: dict[str, dict[str, list[float]]] = {}
        for name in PROJECTIONS:
            desk = PlacingDesk(workspace)

            def place(at: int, desk: PlacingDesk = desk, name: str = name) -> Any:
                return desk.place(run, [given[at % len(given)]], maps[name]).result(timeout=600)

            first = timed(lambda place=place: place(0))
            warm = [timed(lambda at=at, place=place: place(at)) for at in range(1, chosen.times + 1)]
            with training():
                busy = [timed(lambda at=at, place=place: place(at)) for at in range(1, chosen.times + 1)]
            process = desk.process_id
            memory = psutil.Process(process).memory_info().rss / 2**20 if process else 0
            desk.close()
            figures[name] = {"warm": warm, "busy": busy}
            print(
                f"{name:8} {first:5.2f}  {statistics.median(warm):.3f}, {max(warm):.3f}          "
                f"{statistics.median(busy):.3f}, {max(busy):.3f}   {memory:.0f} MB",
                flush=True,
            )
        late = [name for name, found in figures.items() if statistics.median(found["warm"]) > BUDGET]
        print(f"budget {BUDGET:g} s warm: {'kept' if not late else 'missed by ' + ', '.join(late)}")


if __name__ == "__main__":
    main()
