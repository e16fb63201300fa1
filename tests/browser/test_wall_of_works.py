"""A wall of works in a real browser: rows of one height, the last one too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clustering.ui import gallery

pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
FOLDER = Path(gallery.__file__).parent
GROUND = "style='--st-text-color: #222; --st-background-color: #fff; --st-font: sans-serif'"


def boxes(aspects: list[float], width: int) -> list[tuple[int, int]]:
    """Lay works of these proportions out in a wall and return the width and height of each picture."""
    from tests.browser.driving import browser

    entries = [[item, aspect, f"Work {item}", None, None, None] for item, aspect in enumerate(aspects)]
    data = {"title": "Works", "height": 100, "items": entries, "rows": False}
    code = (FOLDER / "gallery.js").read_text().replace("export default function", "function")
    with browser() as opened:
        page = opened.new_page(viewport={"width": width, "height": 900})
        page.set_content(f"<style>{(FOLDER / 'gallery.css').read_text()}</style><div id=wall {GROUND}></div>")
        page.evaluate(
            f"data => {{ {code}; gallery({{data, parentElement: document.getElementById('wall')}}); }}", data
        )
        found: Any = page.evaluate(
            "() => [...document.querySelectorAll('.frame')].map(frame => frame.getBoundingClientRect())"
            ".map(box => [Math.round(box.width), Math.round(box.height)])"
        )
    return [tuple(box) for box in found]


@pytest.mark.parametrize(("works", "width"), [(14, 900), (18, 900), (5, 390)])
def test_square_works_of_the_last_row_are_as_large_as_all_others(works, width):
    assert len(set(boxes([1.0] * works, width))) == 1


def test_works_keep_their_proportions_whatever_row_they_are_in():
    aspects = [1.5, 0.7, 1.0, 2.0, 0.8, 1.3, 0.6, 1.1]
    for aspect, (width, height) in zip(aspects, boxes(aspects, 640), strict=True):
        assert width / height == pytest.approx(aspect, rel=0.03)
