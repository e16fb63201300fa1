"""Photograph every page at two widths in both themes, to be looked at.

``python -m tests.judges.screenshots`` writes to ``screenshots/`` (not kept in git). Without ``--url`` the app
is started with ``--workspace``, or with a fresh one.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tests.browser.driving import browser, settled, started_app
from tests.chromium import ROOT

PAGES = ("", "collection", "train", "explore", "quality")
WIDTHS = (1440, 390)
TALLEST = 5_000


def photograph(
    opened: Any, address: str, page: str, width: int, scheme: str, wait: float, folder: Path
) -> None:
    """Take one picture of a whole page."""
    context = opened.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = context.new_page()
    shown.goto(f"{address}/{page}")
    settled(shown)
    shown.wait_for_timeout(wait * 1000)
    height = shown.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    shown.set_viewport_size({"width": width, "height": min(max(height, 900), TALLEST)})
    shown.wait_for_timeout(1500)
    name = f"{page or 'start'}-{width}-{scheme}.png"
    shown.screenshot(path=folder / name)
    print(folder / name)
    context.close()


def main() -> None:
    """Photograph what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="address of a running studio")
    parser.add_argument("--workspace", type=Path, help="workspace to start the studio with")
    parser.add_argument("--pages", nargs="*", default=PAGES)
    parser.add_argument("--widths", nargs="*", type=int, default=WIDTHS)
    parser.add_argument("--themes", nargs="*", default=("light", "dark"))
    parser.add_argument("--wait", type=float, default=4.0, help="seconds to wait on every page")
    parser.add_argument("--folder", type=Path, default=ROOT / "screenshots")
    chosen = parser.parse_args()
    chosen.folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        house = nullcontext(chosen.url) if chosen.url else started_app(chosen.workspace or Path(scratch))
        with house as address, browser() as opened:
            for page in chosen.pages:
                for width in chosen.widths:
                    for scheme in chosen.themes:
                        photograph(opened, address, page, width, scheme, chosen.wait, chosen.folder)


if __name__ == "__main__":
    main()
