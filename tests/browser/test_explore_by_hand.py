"""The Explore page in a real browser: the lassoed lies in the gallery, the clicked opens in the drawer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.small_workspace import WICKED, Small, make

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("explore")]

MAP = "globalThis.__studioLatentMaps.get('explore').instance"
WITHOUT_WEBGL2 = """
for (const owner of [HTMLCanvasElement, OffscreenCanvas]) {
  const get = owner.prototype.getContext;
  owner.prototype.getContext = function (kind, ...rest) {
    return kind === "webgl2" ? null : get.call(this, kind, ...rest);
  };
}
"""
INK = f"""(() => {{ const {{ above }} = {MAP}.panel;
  const {{ data }} = above.getContext("2d").getImageData(0, 0, above.width, above.height);
  return data.reduce((sum, value) => sum + (value > 0), 0); }})()"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("explore"), n=60)


@pytest.fixture(scope="module")
def page(small: Small) -> Iterator[Any]:
    from tests.browser.driving import explore_page

    with explore_page(small.workspace.root) as found:
        found.wait_for_timeout(1500)
        yield found


def place_of(page: Any, small: Small, item: int) -> tuple[float, float]:
    x, y = small.workspace.map(small.projection)[item].tolist()
    box = page.locator(".stage").bounding_box()
    at = page.evaluate(f"[{MAP}.camera.screenX({x}), {MAP}.camera.screenY({y})]")
    return box["x"] + at[0], box["y"] + at[1]


def shown_items(page: Any, name: str) -> list[int]:
    works = page.locator(f'ul[aria-label="{name}"] [data-item]')
    return [int(work.get_attribute("data-item")) for work in works.all()]


def test_the_lassoed_works_and_no_others_lie_in_the_gallery(page: Any, small: Small) -> None:
    page.locator("button[data-tool=box]").click()
    left, top = place_of(page, small, 3)
    page.mouse.move(left - 60, top - 60)
    page.mouse.down()
    page.mouse.move(left + 60, top + 60, steps=6)
    page.mouse.up()
    page.locator('ul[aria-label="Selected works"]').wait_for(timeout=20_000)
    page.wait_for_timeout(700)
    selected = page.evaluate(f"Array.from({MAP}.flags).flatMap((flag, i) => (flag & 2 ? [i] : []))")
    assert 3 in selected
    assert 0 < len(selected) < 60
    assert shown_items(page, "Selected works") == selected
    picture = page.locator('ul[aria-label="Selected works"] img').first
    picture.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert picture.evaluate("(image) => image.naturalWidth") > 0
    assert picture.get_attribute("alt")


def test_the_selection_outlives_a_visit_to_another_page(page: Any) -> None:
    before = page.evaluate(f"{MAP}.selectedCount")
    page.get_by_role("link", name="Collection").click()
    page.get_by_role("heading", name="Check").wait_for(timeout=20_000)
    page.get_by_role("link", name="Explore").click()
    page.locator('ul[aria-label="Selected works"]').wait_for(timeout=20_000)
    page.wait_for_timeout(800)
    assert page.evaluate(f"{MAP}.selectedCount") == before
    assert page.get_attribute("button[data-tool=box]", "aria-pressed") == "true"


def test_a_click_opens_the_drawer_and_a_wicked_title_stays_text(page: Any, small: Small) -> None:
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.locator("button[data-tool=pan]").click()
    page.locator("button[data-tool=pictures]").click()  # points only: the first item may lie under a picture
    page.wait_for_timeout(400)
    page.mouse.click(*place_of(page, small, 0))
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("Nearest on the map").wait_for(timeout=20_000)
    assert WICKED in drawer.inner_text()
    assert "soft assignment" in drawer.inner_text()
    for space in ("features", "latent space"):
        assert drawer.locator(f"ul[aria-label='Nearest in {space}'] [data-item]").count() == 10
    strip = drawer.locator("ul[aria-label='Nearest on the map']")
    assert strip.locator(".badge.filled[data-shape=triangle]").count() == 10
    assert alarms == []


def test_a_neighbour_opens_in_the_same_drawer(page: Any) -> None:
    drawer = page.get_by_role("dialog")
    drawer.locator("ul[aria-label='Nearest in latent space'] [data-item]").first.press("Enter")
    page.wait_for_timeout(1500)
    assert WICKED not in drawer.locator("h3").first.inner_text()
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden", timeout=10_000)


def test_clearing_on_the_page_clears_the_map(page: Any) -> None:
    page.get_by_role("button", name="Clear").last.click()
    page.wait_for_timeout(1200)
    assert page.evaluate(f"{MAP}.selectedCount") == 0


def test_lines_lead_to_true_neighbours_and_crosses_mark_false_ones(page: Any, small: Small) -> None:
    page.wait_for_timeout(300)
    page.locator(".stage").focus()
    page.keyboard.press("n")
    assert page.get_attribute("button[data-tool=near]", "aria-pressed") == "true"
    x, y = place_of(page, small, 7)
    page.mouse.move(x, y)
    page.wait_for_function(f"{MAP}.links.near && {MAP}.links.item === {MAP}.hovered", timeout=10_000)
    item = page.evaluate(f"{MAP}.links.item")
    truly = set(small.workspace.neighbours(small.run, item, 10)[0].tolist())
    here = set(small.workspace.neighbours(small.projection, item, 10)[0].tolist())
    found = page.evaluate(f"{MAP}.links.sorted()")
    assert set(found["kept"]) == truly & here
    assert set(found["missing"]) == truly - here
    assert set(found["wrong"]) == here - truly
    assert found["missing"] and found["wrong"]
    said = page.get_by_label("True neighbours", exact=True).inner_text()
    assert f"{len(found['missing'])} missing" in said
    assert f"{len(found['wrong'])} false" in said
    page.mouse.move(2, 2)
    page.wait_for_timeout(300)
    with_lines = page.evaluate(INK)
    page.locator(".stage").focus()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert page.get_attribute("button[data-tool=near]", "aria-pressed") == "false"
    assert page.evaluate(INK) < with_lines


def test_without_webgl2_the_lines_are_drawn_too(page: Any) -> None:
    flat = page.context.browser.new_page(viewport={"width": 1100, "height": 900}, reduced_motion="reduce")
    flat.add_init_script(WITHOUT_WEBGL2)
    flat.goto(page.url)
    flat.wait_for_selector(".frame[data-painter=canvas][data-frames]", timeout=60_000)
    before = flat.evaluate(INK)
    flat.locator("button[data-tool=near]").press("Enter")
    flat.evaluate(f"{MAP}.links.look(7)")
    flat.wait_for_function(f"{MAP}.links.near", timeout=10_000)
    flat.wait_for_timeout(300)
    assert flat.evaluate(INK) > before
    assert "missing: near in truth" in flat.get_by_label("True neighbours", exact=True).inner_text()
    flat.close()
