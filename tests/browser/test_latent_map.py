"""The map in a real browser: what it paints, what a hand does on it, and what comes back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clustering.ui.latent_map import inside_polygon
from tests import chromium

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("map")]
INSTANCE = "const map = globalThis.__studioLatentMaps.get('map').instance;"
WITHOUT_WEBGL2 = """
for (const owner of [HTMLCanvasElement, OffscreenCanvas]) {
  const get = owner.prototype.getContext;
  owner.prototype.getContext = function (kind, ...rest) {
    return kind === "webgl2" ? null : get.call(this, kind, ...rest);
  };
}
"""
APP = Path(__file__).parent / "apps" / "map_app.py"


def points_of(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    middles = np.array([[-6.0, -4.0], [6.0, -4.0], [-6.0, 4.0], [6.0, 4.0]])
    groups = np.arange(n) % 4
    points = middles[groups] + rng.normal(0, 1.1, (n, 2))
    points[0] = [0.0, 0.0]
    return points.astype(np.float32), groups, rng.random(n)


POINTS, GROUPS, CONFIDENCE = points_of(400)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    chromium.chromium_path()
    port = chromium.free_port()
    with chromium.started(chromium.streamlit_arguments(APP, port), port) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from tests.browser import driving

    with driving.browser() as found:
        yield found


class Map:
    """A page with the map, and a hand on it."""

    def __init__(self, browser: Any, address: str, query: str = "", before: str = "", **context: Any) -> None:
        options: dict[str, Any] = {"viewport": {"width": 1100, "height": 800}, "color_scheme": "light"}
        self.context = browser.new_context(**{**options, **context})
        self.page = self.context.new_page()
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.sent: list[int] = []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", lambda ws: ws.on("framesent", lambda data: self.sent.append(len(data))))
        if before:
            self.page.add_init_script(before)
        self.page.goto(f"{address}/?{query}")
        self.page.wait_for_selector(".frame[data-frames]", timeout=30_000)
        self.page.wait_for_selector("#told")
        self.rest()

    def rest(self, milliseconds: int = 350) -> None:
        self.page.wait_for_timeout(milliseconds)

    def map(self, expression: str) -> Any:
        """Evaluate JavaScript with `map`, the map's own object."""
        return self.page.evaluate(f"(() => {{ {INSTANCE} return {expression}; }})()")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where data coordinates lie on the page."""
        left, top = self.page.evaluate(
            "(() => { const map = globalThis.__studioLatentMaps.get('map').instance;"
            "const box = map.panel.stage.getBoundingClientRect(); return [box.left, box.top]; })()"
        )
        return left + self.map(f"map.camera.screenX({x})"), top + self.map(f"map.camera.screenY({y})")

    def draw(self, corners: list[tuple[float, float]], key: str | None = None) -> None:
        """Draw around data coordinates with the pressed button."""
        before = self.told()["runs"]
        places = [self.at(*corner) for corner in corners]
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=5)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)
        self.page.wait_for_function(
            f"JSON.parse(document.querySelector('#told').textContent).runs > {before}"
        )
        self.rest()

    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.page.text_content("#told") or "{}"))

    def pixels(self) -> np.ndarray:
        picture = self.page.locator(".stage").screenshot()
        return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)

    def tool(self, name: str) -> None:
        self.page.locator(f"button[data-tool={name}]").click()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    made: list[Map] = []

    def one(query: str = "", **options: Any) -> Map:
        made.append(Map(browser, address, query, **options))
        return made[-1]

    yield one
    for each in made:
        errors = each.errors
        each.context.close()
        assert errors == []


def close_to(pixels: np.ndarray, colour: str, tolerance: int = 24) -> int:
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return int((np.abs(pixels - wanted).max(axis=2) <= tolerance).sum())


LEFT = [(-9.5, -8.0), (-2.0, -8.0), (-2.0, 8.0), (-9.5, 8.0)]
TOP = [(-9.5, 1.0), (9.5, 1.0), (9.5, 8.0), (-9.5, 8.0)]


def test_points_are_painted_in_the_colours_of_their_groups(opened: Any) -> None:
    page = opened()
    assert page.page.locator("button[data-tool=edges]").is_hidden()  # there are no links to draw
    pixels = page.pixels()
    assert page.page.get_attribute(".frame", "data-painter") == "webgl2"
    for colour in ("#E69F00", "#56B4E9", "#009E73", "#F0E442"):
        assert close_to(pixels, colour) > 300


def test_a_lasso_returns_exactly_the_items_inside_the_line(opened: Any) -> None:
    page = opened()
    page.tool("lasso")
    page.draw([(-9, -7), (-3, -6), (-2, 0), (-4, 2), (-9, 0)])
    told = page.told()
    expected = np.flatnonzero(inside_polygon(POINTS, told["polygon"])).tolist()
    assert told["selection"] == expected
    assert 60 < len(expected) < 140
    assert page.map("map.selectedCount") == len(expected)
    assert "selected" in page.page.text_content(".status")


def test_the_browser_and_the_server_select_the_same_items(opened: Any) -> None:
    page = opened("filtered=1")
    page.tool("lasso")
    page.draw([(-9, -8), (8, -7), (2, 1), (7, 7), (-8, 6), (-3, 0)])
    mine = page.map("Array.from(map.flags).flatMap((flag, i) => (flag & 2 ? [i] : []))")
    assert mine == page.told()["selection"]
    assert not (CONFIDENCE[mine] < 0.05).any()


def test_shift_adds_and_alt_takes_away(opened: Any) -> None:
    page = opened()
    page.tool("box")
    page.draw([LEFT[0], LEFT[2]])
    first = set(page.told()["selection"])
    assert first == set(np.flatnonzero(inside_polygon(POINTS, page.told()["polygon"])))
    page.draw([TOP[0], TOP[2]], key="Shift")
    added = set(page.told()["selection"])
    assert added > first
    page.draw([LEFT[0], LEFT[2]], key="Alt")
    left = set(page.told()["selection"])
    assert left == added - first
    assert {GROUPS[i] for i in left} == {3}


def test_the_way_up_of_a_selection_is_at_most_a_kilobyte(opened: Any) -> None:
    page = opened()
    page.tool("lasso")
    page.sent.clear()
    circle = [(7 * np.cos(a), 5 * np.sin(a)) for a in np.linspace(0, 6.2, 80)]
    page.draw(circle)
    assert page.told()["selection"]
    assert max(page.sent) <= 1024


def test_selected_items_stay_coloured_and_the_rest_greys(opened: Any) -> None:
    page = opened()
    before = close_to(page.pixels(), "#56B4E9")
    page.tool("box")
    page.draw([LEFT[0], LEFT[2]])
    after = page.pixels()
    assert close_to(after, "#56B4E9") < before * 0.1
    assert close_to(after, "#E69F00") > 300
    page.page.keyboard.press("Escape")
    page.rest()
    assert page.map("map.selectedCount") == 0
    assert page.told()["selection"] == []
    assert close_to(page.pixels(), "#56B4E9") > before * 0.9


def test_the_card_shows_a_wicked_title_as_text(opened: Any) -> None:
    page = opened()
    page.page.mouse.move(*page.at(0, 0))
    page.rest(60)
    assert page.map("map.hovered") == 0  # the ring is there at once, the card not yet
    assert page.page.locator(".card").is_hidden()
    page.rest(500)
    card = page.page.locator(".card")
    assert "<script>alert(1)</script>" in card.inner_text()
    assert "A <b>painter</b>" in card.inner_text()
    assert "Confidence" in card.inner_text()
    assert card.locator("script, b").count() == 0
    assert page.dialogs == []


def test_a_click_opens_the_item_under_it(opened: Any) -> None:
    page = opened()
    page.page.mouse.click(*page.at(0, 0))
    page.rest(800)
    assert page.told()["clicked"] == 0


def test_a_group_is_greyed_and_shown_alone_from_the_legend(opened: Any) -> None:
    page = opened()
    full = page.pixels()
    button = page.page.locator(".legend button").nth(0)
    button.click()
    page.page.mouse.move(5, 5)
    page.rest()
    assert button.get_attribute("aria-pressed") == "false"
    assert close_to(page.pixels(), "#E69F00") < close_to(full, "#E69F00") * 0.1
    page.tool("box")
    page.draw([(-9.5, -8), (9.5, 8)])
    assert not {i for i in page.told()["selection"] if GROUPS[i] == 0}
    page.page.keyboard.press("Escape")
    page.page.locator(".legend button").nth(1).dblclick()
    page.page.mouse.move(5, 5)
    page.rest()
    assert page.map("map.groups.map((group) => group.hidden)") == [True, False, True, True]
    page.page.locator(".legend button").nth(1).dblclick()
    assert page.map("map.groups.map((group) => group.hidden)") == [False] * 4


def test_new_positions_are_reached_by_moving(opened: Any) -> None:
    page = opened()
    page.page.evaluate("globalThis.moves = []")
    page.page.evaluate(
        f"(() => {{ {INSTANCE} const step = map.step.bind(map);"
        "map.step = (now) => { step(now); globalThis.moves.push(map.moved); }; })()"
    )
    page.page.get_by_text("Other positions").click()
    page.rest(1800)
    moves = page.page.evaluate("globalThis.moves")
    assert any(0 < moved < 1 for moved in moves)
    assert moves[-1] == 1
    assert page.map("Array.from(map.xy.slice(2, 4))") == pytest.approx(POINTS[1, ::-1].tolist())


def test_nothing_moves_for_those_who_asked_for_rest(opened: Any) -> None:
    page = opened(reduced_motion="reduce")
    page.page.get_by_text("Other positions").click()
    page.rest(1500)
    assert page.map("map.start === map.xy")


def test_the_keyboard_reaches_everything(opened: Any) -> None:
    page = opened()
    page.page.locator(".stage").focus()
    before = page.map("map.camera.state()")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("+")
    page.rest(600)
    after = page.map("map.camera.state()")
    assert after["cx"] > before["cx"]
    assert after["zoom"] > before["zoom"]
    page.page.keyboard.press("f")
    page.rest(600)
    assert page.map("map.camera.zoom") == pytest.approx(1)
    page.page.keyboard.press("l")
    assert page.page.get_attribute("button[data-tool=lasso]", "aria-pressed") == "true"
    page.page.keyboard.press("b")
    assert page.page.get_attribute("button[data-tool=box]", "aria-pressed") == "true"
    page.page.keyboard.press("a")
    page.rest(900)
    assert len(page.told()["selection"]) == 400
    page.page.keyboard.press("Escape")
    page.rest(900)
    assert page.told()["selection"] == []
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("Enter")
    page.rest(900)
    assert page.told()["clicked"] == page.map("map.hovered")
    assert "400 items" in (page.page.get_attribute(".stage", "aria-label") or "")


def test_the_view_and_the_tool_outlive_a_reload(opened: Any) -> None:
    page = opened()
    page.tool("lasso")
    page.page.locator(".stage").focus()
    for _ in range(3):
        page.page.keyboard.press("+")
        page.rest(350)
    zoom = page.map("map.camera.zoom")
    page.page.reload()
    page.page.wait_for_selector(".frame[data-frames]")
    page.rest()
    assert page.map("map.camera.zoom") == pytest.approx(zoom)
    assert page.page.get_attribute("button[data-tool=lasso]", "aria-pressed") == "true"


def test_the_map_follows_the_dark_theme(opened: Any) -> None:
    page = opened(color_scheme="dark")
    pixels = page.pixels()
    assert np.median(pixels) < 60
    assert max(page.map("map.theme.paper")) < 60
    page.page.emulate_media(color_scheme="light")
    page.rest(900)
    assert min(page.map("map.theme.paper")) > 200
    assert np.median(page.pixels()) > 200


def test_without_webgl2_a_plain_canvas_draws_and_selects(opened: Any) -> None:
    page = opened(before=WITHOUT_WEBGL2)
    assert page.page.get_attribute(".frame", "data-painter") == "canvas"
    for colour in ("#E69F00", "#56B4E9", "#009E73", "#F0E442"):
        assert close_to(page.pixels(), colour) > 200
    page.tool("box")
    page.draw([LEFT[0], LEFT[2]])
    assert page.told()["selection"] == np.flatnonzero(inside_polygon(POINTS, page.told()["polygon"])).tolist()


def test_without_webgl2_a_fair_sample_of_a_large_map_is_drawn_and_told(opened: Any) -> None:
    page = opened(
        "n=30000",
        before=WITHOUT_WEBGL2,
    )
    assert "20,000 of 30,000 points" in page.page.text_content(".note")
    pixels = page.pixels()
    drawn = [close_to(pixels, colour, 40) for colour in ("#E69F00", "#56B4E9", "#009E73", "#F0E442")]
    assert min(drawn) > 0.6 * max(drawn)


def test_a_lost_context_is_painted_again(opened: Any) -> None:
    page = opened()
    before = close_to(page.pixels(), "#E69F00")
    page.page.evaluate(
        f"(() => {{ {INSTANCE} globalThis.loser = map.painter.gl.getExtension('WEBGL_lose_context');"
        "globalThis.loser.loseContext(); })()"
    )
    page.rest()
    page.page.evaluate("globalThis.loser.restoreContext()")
    page.rest(700)
    assert close_to(page.pixels(), "#E69F00") == pytest.approx(before, rel=0.1)


def test_a_run_that_changes_nothing_does_not_touch_the_map(opened: Any) -> None:
    page = opened()
    page.page.evaluate("(() => { globalThis.held = globalThis.__studioLatentMaps.get('map').instance; })()")
    page.tool("box")
    page.draw([LEFT[0], LEFT[2]])
    assert page.page.evaluate("globalThis.held === globalThis.__studioLatentMaps.get('map').instance")
    assert page.map("map.selectedCount") == len(page.told()["selection"])


def test_many_groups_carry_numbers_and_shapes(opened: Any) -> None:
    page = opened("groups=12")
    assert page.page.locator(".legend .number").count() == 12
    assert page.map("map.legend.numbers && map.legend.shapes")


def test_two_fingers_zoom_and_one_moves(opened: Any) -> None:
    page = opened(has_touch=True)
    session = page.context.new_cdp_session(page.page)
    x, y = page.at(0, 0)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        spots = [{"x": px, "y": py, "id": at} for at, (px, py) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    before = page.map("map.camera.state()")
    touch("touchStart", (x - 40, y), (x + 40, y))
    for apart in (60, 80, 100, 120):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    page.rest()
    zoomed = page.map("map.camera.state()")
    assert zoomed["zoom"] > 2 * before["zoom"]
    touch("touchStart", (x, y))
    for step in (20, 40, 80):
        touch("touchMove", (x + step, y))
    touch("touchEnd")
    page.rest()
    assert page.map("map.camera.cx") < zoomed["cx"]


@pytest.mark.parametrize("before", ["", WITHOUT_WEBGL2], ids=["webgl2", "canvas"])
def test_links_are_drawn_when_asked_of_one_node_or_all(opened: Any, before: str) -> None:
    page = opened("links=1", before=before)
    bare = page.pixels()
    page.tool("edges")
    page.rest()
    assert page.map("map.edges.count") == 399
    middle = page.at(0.0, 0.0)  # item 0 lies alone there: its colour is that of the next of its group
    page.page.mouse.move(*middle)
    page.rest(600)
    key = page.page.locator(".near:not([hidden])")
    assert "3 neighbours, 1 of its colour" in key.text_content()
    page.page.get_by_role("button", name="All 399").click()
    page.page.mouse.move(5, 5)
    page.rest(600)
    drawn = page.pixels()
    assert (np.abs(drawn - bare).max(axis=2) > 20).mean() > 0.02
    assert page.map("map.panel.frame.querySelectorAll('*').length") < 200  # no element a link
    page.tool("edges")
    page.rest()
    assert (np.abs(page.pixels() - bare).max(axis=2) > 20).mean() < 0.005
