"""Measure the studio in a browser: first paint, page switches, lasso to gallery, the bytes of a selection.

Run ``python benchmarks/map_paint.py`` (add ``--points 70000`` for one size). It makes a collection of small
pictures and one of bare vectors, starts the studio on them, and drives Chromium without a GPU. The budgets
are those of a machine with two cores that has nothing else to do: the samples of a fresh workspace are made
in a start before the one that is measured.

A page switch is told twice, as `page_switch` times it inside the browser. *Switch to Quality* ends when
the first screen stands: all that a window of 1440 × 900 shows without scrolling, drawn, its pictures
loaded, nothing of the page before and nothing that still moves. This is what the budget of a switch
means. *Whole page of Quality* ends when nothing changes anywhere on the page. *Switch of a bare page* is
what the same click costs in a Streamlit app with the same navigation and nothing but a title and a line:
no page can be quicker than that.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.page_switch import switched  # noqa: E402
from tests.chromium import ARGUMENTS, chromium_path, free_port, started, streamlit_arguments  # noqa: E402

BUDGETS = {
    "first paint 70000": 2.0,
    "first paint 500000": 5.0,
    "first visit of the server 70000": 3.0,
    "lasso to gallery 70000": 0.5,
    "bytes up": 1024,
    **{f"switch to {name}": 0.5 for name in ("Start", "Collection", "Train", "Explore", "Quality")},
}
GROUPS = 14
GALLERY = """() => {
  const map = globalThis.__studioLatentMaps.get('explore').instance;
  const count = map.selectedCount.toLocaleString('en');
  const said = document.querySelector('.stMain').textContent; // innerText would lay out the page each time
  const told = ['works', 'vectors'].some((word) => said.includes(`${count} ${word} selected`));
  if (!map.selectedCount || !told) return false;
  for (const host of document.querySelectorAll('[data-testid=stBidiComponentIsolated]')) {
    const list = host.shadowRoot?.querySelector('ul[aria-label^="Selected "]');
    if (!list) continue;
    const first = list.querySelector('[data-item]');
    if (Number(first?.dataset.item) !== map.kept.selection.bits.indexOf(1)) return false;
    if (list.querySelectorAll('.row').length) return true;
    const pictures = [...list.querySelectorAll('img')].slice(0, 12);
    return pictures.length > 0 && pictures.every((one) => one.complete);
  }
  return false;
}"""
PAINTED = """() => {
  const kept = globalThis.__studioLatentMaps?.get('explore')?.instance;
  return Boolean(kept && kept.n && kept.panel.frame.isConnected && kept.panel.frame.dataset.frames);
}"""
# Words of a page's last block, in lower case.
PAGES = {
    "Collection": "remove this collection",
    "Train": "plain methods beside it",
    "Explore": "the work nearest to the middle",
    "Quality": "take along",
    "Start": "hugging face hub",
}
WITH_MAP = ("Start", "Explore")
BARE = """import streamlit as st

def bare(name):
    def page():
        st.title(name)
        st.caption("the end of " + name)
    return st.Page(page, title=name, url_path=name.lower())

st.set_page_config(layout="wide")
st.navigation([bare(name) for name in %r], position="top").run()
"""


def made_pictures(folder: Path, n: int) -> None:
    """Write a collection of ``n`` pictures: 256 files that stand for many items each, and a whole atlas."""
    import pandas as pd
    from PIL import Image

    from clustering.collections.atlas import SHEET, SIZES, sheet_name
    from clustering.collections.collection import write_collection

    generator = np.random.default_rng(1)
    originals, thumbnails = folder / "originals", folder / "thumbnails"
    originals.mkdir(parents=True)
    thumbnails.mkdir()
    for number in range(256):
        small = generator.integers(30, 230, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(small).resize((600, 480), Image.Resampling.BICUBIC).save(originals / f"{number}.jpg")
    sizes = {}
    for size in SIZES:
        per_sheet = (SHEET // size) ** 2
        tones = generator.integers(30, 230, (SHEET // size * 4, SHEET // size * 4, 3), dtype=np.uint8)
        first = thumbnails / sheet_name(size, 0)
        Image.fromarray(tones).resize((SHEET, SHEET), Image.Resampling.BILINEAR).save(
            first, quality=88, method=2
        )
        sheets = -(-n // per_sheet)
        for number in range(1, sheets):
            (thumbnails / sheet_name(size, number)).hardlink_to(first)
        sizes[str(size)] = {"columns": SHEET // size, "per_sheet": per_sheet, "sheets": sheets}
    (thumbnails / "atlas.json").write_text(json.dumps({"sizes": sizes}))
    items = pd.DataFrame(
        {
            "id": [str(item) for item in range(n)],
            "path": [f"{item % 256}.jpg" for item in range(n)],
            "aspect": np.full(n, 1.25, np.float32),
            "title": [f"Work {item}" for item in range(n)],
            "artist": generator.choice([f"Artist {number}" for number in range(120)], n),
            "year": generator.integers(1500, 1950, n),
        }
    )
    write_collection(
        folder,
        name="Benchmark",
        kind="images",
        source="made here",
        created="2026-01-01T00:00:00+00:00",
        content_hash=f"benchmark-{n}",
        items=items,
        label_columns=("artist",),
        findings=(),
        request={},
        originals_root="originals",
    )


def made_workspace(root: Path, n: int) -> None:
    """Make a workspace with ``n`` pictures (up to 100,000) or vectors, a run and a map."""
    from clustering.collections import Collection, load
    from clustering.jobs.executors import Inline
    from clustering.workspace import Workspace
    from clustering.workspace.records import RunArrays

    generator = np.random.default_rng(0)
    labels = generator.integers(0, GROUPS, n)
    middles = generator.normal(0, 9, (GROUPS, 2))
    points = (middles[labels] + generator.normal(0, 1.5, (n, 2))).astype(np.float32)
    workspace = Workspace.open(root)
    folder = workspace.new_collection_folder("Benchmark")
    if n <= 100_000:
        made_pictures(folder, n)
    else:
        np.save(root / "source.npy", points)
        load(root / "source.npy", folder)
    record = workspace.add_collection(Collection.open(folder))
    q = np.full((n, GROUPS), 0.02, dtype=np.float32)
    q[np.arange(n), labels] = 1 - 0.02 * (GROUPS - 1)
    features = workspace.add_features(
        record.id, points, encoder="vectors", title="Vectors", origin="Made here.", parameters={}, key="bench"
    )
    run = workspace.add_run(
        features.id,
        RunArrays(labels.astype(np.int64), q, points, middles.astype(np.float32)),
        method="kmeans",
        title="k-means",
        family="baseline",
        parameters={},
        seed=0,
    )
    workspace.add_projection(
        features.id,
        points,
        run_id=run.id,
        space="latent",
        projection="pca",
        title="PCA",
        parameters={},
        seed=0,
        engine="made here",
    )
    if n <= 100_000:  # the Quality page has something to show
        with Inline(workspace) as here:
            here.submit("quality", {"run": run.id})
        for job in workspace.jobs():
            workspace.remove_job(job.id)
    workspace.close()


@contextmanager
def studio(root: Path) -> Iterator[str]:
    """Start the studio on a workspace; yields its address."""
    from clustering.jobs.supervisor import stop_workers
    from clustering.workspace import Workspace

    port = free_port()
    environment = {**os.environ, "STUDIO_WORKSPACE": str(root)}
    process = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(20)  # the worker warms itself; a person's first click comes later too
        yield address
    finally:
        process.terminate()
        process.wait(20)
        stop_workers(Workspace.open(root))


def seen(page: Any, address: str) -> tuple[float, float]:
    """Return seconds to the map's first frame: from the address bar, and by a click inside the studio."""
    start = time.perf_counter()
    page.goto(f"{address}/explore")
    page.wait_for_function(PAINTED, timeout=120_000, polling=20)
    loaded = time.perf_counter() - start
    page.goto(f"{address}/collection")
    page.get_by_role("heading", name="Check").wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    start = time.perf_counter()
    page.get_by_role("link", name="Explore").click()
    page.wait_for_function(PAINTED, timeout=120_000, polling=20)
    return loaded, time.perf_counter() - start


def walked(page: Any, address: str, rounds: int = 4) -> dict[str, float]:
    """Walk through all pages by their links; return the seconds of each switch, the first round left out."""
    page.goto(address)
    page.wait_for_function(PAINTED, timeout=60_000)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PAGES}
    for tour in range(rounds):
        for name, last in PAGES.items():
            seconds = switched(page, name, last, mapped=name in WITH_MAP)
            if tour:
                found[name].append(seconds)
    told = {}
    for name, seconds in found.items():
        first, whole = np.median(seconds, axis=0)
        told |= {f"switch to {name}": float(first), f"whole page of {name}": float(whole)}
    return told


def walked_bare(page: Any, folder: Path, rounds: int = 3) -> float:
    """Return the seconds a switch between pages costs that hold nothing but a title and a line."""
    script = folder / "bare.py"
    script.write_text(BARE % (list(PAGES),))
    port, found = free_port(), []
    with started(streamlit_arguments(script, port), port) as address:
        page.goto(address)
        page.get_by_role("heading").first.wait_for()
        for tour in range(rounds):
            for name in PAGES:
                first, _ = switched(page, name, f"the end of {name.lower()}", mapped=False)
                if tour:
                    found.append(first)
    return float(np.median(found))


def at_rest(root: Path) -> None:
    """Wait until the worker has made the samples of a fresh workspace."""
    from clustering.workspace import Workspace

    workspace = Workspace.open(root)
    while any(job.state in ("queued", "running") for job in workspace.jobs()):
        time.sleep(1)
    workspace.close()


def lassoed(page: Any, where: float) -> dict[str, float]:
    """Draw a lasso at a share of the map's width; return seconds to the painted gallery and bytes up."""
    sent: list[bytes] = []
    page.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")
    box = page.locator(".stage").bounding_box()
    page.locator("button[data-tool=lasso]").click()
    x, y = box["x"] + box["width"] * where, box["y"] + box["height"] * 0.5
    page.mouse.move(x - 90, y - 120)
    page.mouse.down()
    for dx, dy in [(90, -130), (110, 60), (20, 150), (-100, 90)]:
        page.mouse.move(x + dx, y + dy, steps=8)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on(
        "Network.webSocketFrameSent",
        lambda event: sent.append(base64.b64decode(event["response"]["payloadData"])),
    )
    start = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(GALLERY, timeout=30_000, polling=20)
    seconds = time.perf_counter() - start
    page.wait_for_timeout(400)
    return {"seconds": seconds, "selection": selection_bytes(sent), "message": max(map(len, sent), default=0)}


def selection_bytes(sent: list[bytes]) -> int:
    """Return how many bytes of the messages are the map's own; the rest are the page's other widgets."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    own = 0
    for raw in sent:
        message = BackMsg()
        message.ParseFromString(raw)
        for widget in message.rerun_script.widget_states.widgets:
            if widget.id.endswith("-explore"):
                own = max(own, widget.ByteSize())
    return own


def measure(n: int, playwright: Any, *, pages: bool = True) -> dict[str, float]:
    """Return the figures for ``n`` points; the first visit warms the server and is told apart.

    ``pages`` also measures the switches between all pages.
    """
    folder = Path(tempfile.mkdtemp(prefix="map-paint-"))
    try:
        start = time.perf_counter()
        made_workspace(folder, n)
        print(f"{n:,} items made in {time.perf_counter() - start:.0f} s", flush=True)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with studio(folder):
            at_rest(folder)
        with studio(folder) as address:
            found = {}
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            found[f"first visit of the server {n}"], _ = seen(context.new_page(), address)
            context.close()
            times = []
            for _ in range(3):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                page = context.new_page()
                times.append(seen(page, address))
                if len(times) < 3:
                    context.close()
            loaded, switched = np.median(times, axis=0)
            found[f"first paint {n}"] = float(switched)
            found[f"whole page from nothing {n}"] = float(loaded)
            page.wait_for_timeout(1500)
            lassos = [lassoed(page, where) for where in (0.3, 0.45, 0.6)]
            found[f"lasso to gallery {n}"] = float(np.median([one["seconds"] for one in lassos]))
            found["bytes up"] = max(one["selection"] for one in lassos)
            found[f"whole message up {n}"] = max(one["message"] for one in lassos)
            if pages:
                found |= walked(page, address)
        if pages:
            found["switch of a bare page"] = walked_bare(page, folder)
        browser.close()
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Print every figure beside its budget."""
    parser = argparse.ArgumentParser(description="Measure the map in Chromium.")
    parser.add_argument("--points", type=int, nargs="*", default=[70_000, 500_000])
    chosen = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        for n in chosen.points:
            for name, value in measure(n, playwright, pages=n <= 100_000).items():
                budget = BUDGETS.get(name)
                verdict = (
                    ""
                    if budget is None
                    else f"  budget {budget:g}  {'kept' if value <= budget else 'MISSED'}"
                )
                print(f"{name:32} {value:10.2f}{verdict}", flush=True)


if __name__ == "__main__":
    main()
