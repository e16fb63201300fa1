"""A visitor's way in a real browser: first minute, a folder, a training watched, a lasso, the right works."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustering.projections.turning import as_drawn
from clustering.ui.captions import Captions
from clustering.workspace import Workspace

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900), pytest.mark.xdist_group("journey")]

MAP = "globalThis.__studioLatentMaps.get('{key}').instance"


@pytest.fixture(scope="module")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of some 120 pictures: real paintings where they lie beside the project, else painted ones."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("house") / "paintings"
    folder.mkdir()
    real = Path(__file__).resolve().parents[3] / "shared" / "data" / "artworks"
    if real.is_dir():
        table = pd.read_csv(real / "metadata.csv").iloc[::21].copy()
        for name in table["file"]:
            shutil.copy(real / name, folder / Path(name).name)
        table["file"] = [Path(name).name for name in table["file"]]
        table.to_csv(folder / "metadata.csv", index=False)
        return folder
    from PIL import Image

    from clustering.collections.samples.gallery import painted, plans

    rows = []
    for plan in list(plans())[::5]:
        pixels, row = painted(plan)
        Image.fromarray(pixels).save(folder / row["file"])
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder


def evaluated(page: Any, key: str, expression: str) -> Any:
    """Return what JavaScript says of a map."""
    return page.evaluate(f"(() => {{ const map = {MAP.format(key=key)}; return {expression}; }})()")


def rectangle_around_some(
    points: np.ndarray, scale: float, lowest: np.ndarray, highest: np.ndarray, few: int = 3, many: int = 40
) -> tuple[float, ...]:
    """Return a box (left, bottom, right, top) around some points with none within 5 pixels of its edge.

    It lies between the corners ``lowest`` (left, bottom) and ``highest`` (right, top): where one can draw.
    """
    margin = 5 / scale
    rng = np.random.default_rng(0)
    for centre in points[rng.permutation(len(points))]:
        for half in np.geomspace(margin * 2, np.ptp(points, axis=0).max() / 2, 24):
            apart = np.abs(points - centre).max(axis=1)
            inside = apart < half
            if (centre - half < lowest).any() or (centre + half > highest).any():
                break
            if few <= inside.sum() <= many and not (np.abs(apart - half) < margin).any():
                return (*(centre - half), *(centre + half))
    raise AssertionError("no box with a clear edge")


def test_from_the_first_page_to_the_right_works_in_the_gallery(paintings, tmp_path):
    from tests.browser.driving import browser, settled, started_app

    root = tmp_path / "workspace"
    with started_app(root, STUDIO_ROOTS=str(paintings.parent)) as address, browser() as opened:
        page = opened.new_page(viewport={"width": 1440, "height": 1000}, color_scheme="light")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))

        # The first minute: a map is there at once, long before the sample's pictures are painted.
        page.goto(address)
        settled(page)
        page.wait_for_selector(".frame[data-frames]", timeout=30_000)
        assert page.locator("h1").inner_text() == "A map of 600 pictures"

        # Bring a folder.
        page.get_by_role("link", name="Collection").click()
        page.get_by_text("Folder on this computer").click()
        page.get_by_label("Path").fill(str(paintings))
        page.get_by_label("Path").press("Enter")
        page.get_by_role("button", name="Load", exact=True).click()
        page.wait_for_selector("h1:has-text('paintings')", timeout=400_000)
        workspace = Workspace.open(root)
        states = {job.state for job in workspace.jobs() if job.kind == "sample"}
        assert states != {"finished"}, "what a person brings does not wait for the samples"

        # Train, and watch it.
        page.get_by_role("link", name="Train").click()
        page.get_by_role("button", name="Train", exact=True).wait_for(timeout=120_000)
        for label, value in (("Groups", "4"), ("Pretraining epochs", "400"), ("Epochs", "60")):
            page.get_by_label(label, exact=True).fill(value)
            page.get_by_label(label, exact=True).press("Enter")
        page.get_by_text("Plain methods beside it", exact=True).click()
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_selector(".frame[data-frames]", timeout=300_000)
        scrolled = """() => document.querySelector('[data-testid="stMain"]').scrollTop"""
        assert page.evaluate(scrolled) == 0, "the picture of the training stands at the top"
        train = next(job for job in workspace.jobs() if job.kind == "train")
        assert train.parameters["parameters"] == {"n_clusters": 4, "pretrain_epochs": 400, "epochs": 60}
        first = page.get_by_text("two strongest directions").first.inner_text()
        page.wait_for_function(
            "seen => { const now = [...document.querySelectorAll('p')].find(p => p.innerText.includes("
            "'two strongest directions')); return now && now.innerText !== seen; }",
            arg=first,
            timeout=120_000,
        )

        # A reload in the middle loses nothing.
        page.reload()
        settled(page)
        explore = page.get_by_role("button", name="Explore the map")
        explore.wait_for(timeout=400_000)
        run = workspace.runs(workspace.job(train.id).result["collection"])[0]
        assert run.n_clusters == 4

        # Walk the map, draw around works.
        explore.click()
        settled(page)
        page.wait_for_function(
            "() => globalThis.__studioLatentMaps?.get('explore')?.instance?.n > 0", timeout=60_000
        )
        page.wait_for_timeout(1500)
        page.locator("button[data-tool=lasso]").click()
        page.wait_for_timeout(1000)
        drawn = workspace.projections(run_id=run.id)[0]
        points = np.asarray(as_drawn(workspace.map(drawn.id), drawn.projection), dtype=float)
        box = page.evaluate(
            f"(() => {{ const r = {MAP.format(key='explore')}.panel.stage.getBoundingClientRect();"
            "return [r.left, r.top, r.width, r.height]; })()"
        )
        x0, y0, scale = evaluated(
            page,
            "explore",
            "[map.camera.screenX(0), map.camera.screenY(0), map.camera.screenX(1) - map.camera.screenX(0)]",
        )
        # within the map and below its tools; y grows upwards there
        lowest = np.array([10 - x0, y0 - (box[3] - 10)]) / scale
        highest = np.array([box[2] - 10 - x0, y0 - 60]) / scale
        left, bottom, right, top = rectangle_around_some(points, scale, lowest, highest)

        def at(x: float, y: float) -> tuple[float, float]:
            return (
                box[0] + evaluated(page, "explore", f"map.camera.screenX({x})"),
                box[1] + evaluated(page, "explore", f"map.camera.screenY({y})"),
            )

        corners = [at(left, bottom), at(right, bottom), at(right, top), at(left, top), at(left, bottom)]
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*corner, steps=6)
        page.mouse.up()

        # Exactly these works are in the gallery.
        inside = (points > [left, bottom]).all(axis=1) & (points < [right, top]).all(axis=1)
        expected = set(np.flatnonzero(inside).tolist())
        works = "ul[aria-label='Selected works'] .work[data-item]"
        page.wait_for_selector(works, timeout=30_000)
        page.wait_for_timeout(1000)
        shown = page.eval_on_selector_all(
            works, "all => all.map(one => [Number(one.dataset.item), one.querySelector('img').alt])"
        )
        assert {item for item, _ in shown} == expected
        captions = Captions.of(workspace.open_collection(run.collection_id))
        assert all(words == captions.caption(item).line for item, words in shown)

        # Quality of what was seen.
        page.get_by_role("link", name="Quality").click()
        page.wait_for_selector("h1:has-text('Quality of DEC')", timeout=60_000)
        page.get_by_text("Without labels").wait_for(timeout=120_000)
        assert faults == []
        workspace.close()
