"""The film of a training and a second seed in a browser: the points move, a lasso counts on both maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clustering.jobs.executors import Inline
from tests.small_workspace import Small, filmed, make

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("explore")]

FIRST = "globalThis.__studioLatentMaps.get('explore').instance"
SECOND = "globalThis.__studioLatentMaps.get('explore-beside').instance"
SELECTED = "Array.from({}.flags).flatMap((flag, i) => (flag & 2 ? [i] : []))"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    found = make(tmp_path_factory.mktemp("film"), n=60)
    run, drawn = filmed(found, n_iter=60, perplexity=8.0)
    with Inline(found.workspace) as here:
        for kind in ("frames", "another-seed"):
            assert here.submit(kind, {"projection": drawn}).state == "finished"  # type: ignore[arg-type]
    return replace(found, run=run, projection=drawn)


@pytest.fixture(scope="module")
def page(small: Small) -> Iterator[Any]:
    from tests.browser.driving import explore_page

    with explore_page(small.workspace.root, height=1100) as found:
        found.get_by_role("button", name="Play the training").wait_for(timeout=30_000)
        found.wait_for_timeout(1000)
        yield found


def places(page: Any, instance: str = FIRST) -> list[float]:
    return page.evaluate(f"Array.from({instance}.xy)")


def test_the_scrubber_moves_the_points_and_they_glide(page: Any, small: Small) -> None:
    kept = small.workspace.companion(small.projection, "frames")
    assert kept is not None
    finished = places(page)
    assert finished == pytest.approx(small.workspace.drawn_map(small.projection).ravel().tolist(), abs=1e-4)
    page.get_by_role("slider", name="Epoch").press("Home")
    page.wait_for_function(f"{FIRST}.xy[0] !== {finished[0]}", timeout=20_000)
    assert page.evaluate(f"{FIRST}.start !== {FIRST}.xy"), "the points begin where they were"
    page.wait_for_function(f"{FIRST}.moved === 1", timeout=20_000)
    assert places(page) == pytest.approx(kept.arrays["positions"][0].ravel().tolist(), abs=1e-4)
    page.get_by_text("Epoch 0 of pretraining").wait_for(timeout=20_000)
    assert set(page.evaluate(f"Array.from({FIRST}.codes)")) == {65535}


def test_the_film_plays_to_the_finished_map(page: Any, small: Small) -> None:
    page.get_by_role("slider", name="Epoch").press("End")
    page.get_by_text("The finished map.").wait_for(timeout=20_000)
    page.get_by_role("button", name="Play the training").click()
    page.get_by_text("Epoch 0 of pretraining").wait_for(timeout=20_000)
    page.get_by_text("Epoch 2 of clustering").wait_for(timeout=30_000)
    page.get_by_text("The finished map.").wait_for(timeout=30_000)
    page.get_by_role("button", name="Play the training").wait_for(timeout=20_000)
    page.wait_for_function(f"{FIRST}.moved === 1", timeout=20_000)
    assert places(page) == pytest.approx(
        small.workspace.drawn_map(small.projection).ravel().tolist(), abs=1e-4
    )


def test_a_lasso_on_either_map_selects_on_both(page: Any, small: Small) -> None:
    page.get_by_role("button", name="Another seed beside it").click()
    page.get_by_text("laid on one another").wait_for(timeout=30_000)
    page.wait_for_function(
        "globalThis.__studioLatentMaps.get('explore-beside')?.instance?.n === 60", timeout=30_000
    )
    page.wait_for_timeout(1500)
    for at, instance, other in ((0, FIRST, SECOND), (1, SECOND, FIRST)):
        stage = page.locator(".stage").nth(at)
        stage.scroll_into_view_if_needed()
        page.locator("button[data-tool=box]").nth(at).click()
        box = stage.bounding_box()
        x, y = page.evaluate(
            f"[{instance}.camera.screenX({instance}.xy[8]), {instance}.camera.screenY({instance}.xy[9])]"
        )
        page.mouse.move(box["x"] + x - 40, box["y"] + y - 40)
        page.mouse.down()
        page.mouse.move(box["x"] + x + 40, box["y"] + y + 40, steps=5)
        page.mouse.up()
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.wait_for_function(
            f"{instance}.hovered >= 0 && {other}.hovered === {instance}.hovered", timeout=9_000
        )
        chosen = page.evaluate(SELECTED.format(instance))
        assert 4 in chosen and 0 < len(chosen) < 60
        page.wait_for_function(
            f"JSON.stringify({SELECTED.format(other)}) === '{str(chosen).replace(' ', '')}'", timeout=20_000
        )
