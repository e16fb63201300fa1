"""A picture of one's own in a real browser: dropped on Explore, placed by a process of its own, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clustering.jobs.executors import Inline
from clustering.workspace import Workspace

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("explore")]

MAP = "globalThis.__studioLatentMaps.get('explore').instance"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty small pictures, their pixels, k-means and a PCA map."""
    root = tmp_path_factory.mktemp("newcomers")
    random = np.random.default_rng(0)
    (root / "pictures").mkdir()
    for number in range(30):
        pixels = random.integers(0, 60, (12, 12, 3)) + 60 * (number % 3)
        Image.fromarray(pixels.astype(np.uint8)).save(root / "pictures" / f"{number:02d}.png")
    workspace = Workspace.open(root / "workspace")
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(root / "pictures"), "name": "Thirty", "copy": True})
        encode = here.submit("features", {"encoder": "pixels"}, load.id)
        plain = {"method": "kmeans", "parameters": {"n_clusters": 3, "random_state": 0}}
        train = here.submit("train", plain, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
    assert all(job.state == "finished" for job in workspace.jobs())
    workspace.close()
    return root


@pytest.fixture(scope="module")
def page(house: Path) -> Iterator[Any]:
    from tests.browser.driving import explore_page

    with explore_page(house / "workspace") as found:
        yield found


def test_a_dropped_picture_is_marked_where_it_belongs_and_goes_with_one_click(page: Any, house: Path) -> None:
    page.get_by_text("Place pictures of your own").click()
    drop = page.locator(".st-key-newcomers-room input[type=file], [data-testid=stFileUploader] input").first
    drop.wait_for(state="attached", timeout=60_000)
    drop.set_input_files(str(house / "pictures" / "04.png"))
    mark = page.locator("button.mark")
    mark.wait_for(timeout=120_000)  # the first loads what placing needs
    assert mark.count() == 1
    assert "04.png" in (mark.get_attribute("aria-label") or "")
    box, stage = mark.bounding_box(), page.locator(".stage").bounding_box()
    x, y = page.evaluate(f"{MAP}.positionOf(4)")
    wanted = page.evaluate(f"[{MAP}.camera.screenX({x}), {MAP}.camera.screenY({y})]")
    assert box["x"] + box["width"] / 2 - stage["x"] == pytest.approx(wanted[0], abs=2)
    assert box["y"] + box["height"] / 2 - stage["y"] == pytest.approx(wanted[1], abs=2)
    card = page.locator(".st-key-newcomer-1")
    card.get_by_text("soft assignment").first.wait_for(timeout=20_000)  # the map is drawn before the card is
    card.get_by_text("to its neighbours than").first.wait_for(timeout=20_000)
    picture = "document.querySelector('.st-key-newcomer-1 img')"
    page.wait_for_function(f"{picture}?.complete && {picture}.naturalWidth === 12", timeout=20_000)
    nearest = card.locator('ul[aria-label="Nearest in features to 04.png"] [data-item]').first
    assert nearest.get_attribute("data-item") == "4"
    mark.focus()
    page.keyboard.press("Enter")  # leads to its card
    page.wait_for_timeout(800)
    assert card.evaluate("(it) => it.getBoundingClientRect().top < innerHeight")
    nearest.click()
    page.get_by_role("dialog").get_by_text("Nearest on the map").wait_for(timeout=20_000)
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden", timeout=10_000)
    card.get_by_role("button", name="Remove").click()
    mark.wait_for(state="detached", timeout=20_000)
    card.wait_for(state="detached", timeout=20_000)


def test_what_is_no_picture_is_told(page: Any) -> None:
    drop = page.locator("[data-testid=stFileUploader] input").first
    drop.set_input_files({"name": "notes.png", "mimeType": "image/png", "buffer": b"not a picture"})
    page.get_by_text("cannot be opened as a picture").wait_for(timeout=60_000)
    assert page.get_by_text("Nothing was added to the collection").count() == 1
