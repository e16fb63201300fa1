"""Walk the whole way on real art by clicks: folder → DELIUS with its published settings → map → lasso.

``python -m tests.judges.artworks`` needs the real data sets beside the project and writes pictures of every
station to ``screenshots/``, to be looked at. It prints the seconds each station took.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from clustering.methods import method
from tests.browser.driving import browser, settled, started_app
from tests.chromium import ROOT

ARTWORKS = ROOT.parent / "shared" / "data" / "artworks"
GROUPS = "6"  # as many as the collection has styles


def main() -> None:
    """Walk, photograph, and say how long each station took."""
    pictures = ROOT / "screenshots"
    pictures.mkdir(exist_ok=True)
    begun = time.monotonic()

    def station(name: str) -> None:
        page.screenshot(path=pictures / f"artworks-{name}.png")
        print(f"{time.monotonic() - begun:7.1f} s  {name}", flush=True)

    with (
        tempfile.TemporaryDirectory() as scratch,
        started_app(Path(scratch) / "workspace", STUDIO_ROOTS=str(ARTWORKS.parent)) as address,
        browser() as opened,
    ):
        page = opened.new_page(viewport={"width": 1440, "height": 1000}, color_scheme="light")
        page.goto(address)
        settled(page)
        station("start")
        page.get_by_role("link", name="Collection").click()
        page.get_by_text("Folder on this computer").click()
        page.get_by_label("Path").fill(str(ARTWORKS))
        page.get_by_label("Path").press("Enter")
        page.get_by_role("button", name="Load", exact=True).click()
        page.wait_for_selector("h1:has-text('artworks')", timeout=400_000)
        settled(page)
        station("collection")
        page.get_by_role("link", name="Train").click()
        page.get_by_role("button", name="Train", exact=True).wait_for(timeout=120_000)
        page.get_by_role("button", name="Choose").nth(1).click()  # DELIUS, after IDEC
        page.get_by_text(method("delius").info.when_to_use[:40]).wait_for(timeout=20_000)
        page.get_by_label("Groups", exact=True).fill(GROUPS)
        page.get_by_label("Groups", exact=True).press("Enter")
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_selector(".frame[data-frames]", timeout=600_000)
        page.wait_for_timeout(20_000)
        station("training")
        explore = page.get_by_role("button", name="Explore the map")
        explore.wait_for(timeout=1_200_000)
        station("trained")
        explore.click()
        settled(page)
        page.wait_for_function("() => globalThis.__studioLatentMaps?.get('explore')?.instance?.n > 0")
        page.wait_for_timeout(4000)
        station("explore")
        page.locator("button[data-tool=lasso]").click()
        box = page.locator(".stage").first.bounding_box()
        assert box is not None
        middle, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(middle - 120, height - 120)
        page.mouse.down()
        for x, y in ((120, -120), (120, 120), (-120, 120), (-120, -120)):
            page.mouse.move(middle + x, height + y, steps=8)
        page.mouse.up()
        page.locator("ul[aria-label='Selected works'] [data-item]").first.wait_for(timeout=20_000)
        page.wait_for_timeout(1500)
        station("lassoed")
        page.get_by_role("link", name="Quality").click()
        page.get_by_text("Without labels").wait_for(timeout=120_000)
        page.wait_for_timeout(2000)
        station("quality")


if __name__ == "__main__":
    main()
