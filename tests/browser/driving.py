"""What every browser check shares: the app as a user starts it, and Chromium as it runs anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.chromium import ARGUMENTS, ROOT, chromium_path, free_port, started, streamlit_arguments


@contextmanager
def started_app(workspace: Path, **environment: str) -> Iterator[str]:
    """Start ``python app.py`` on a free port and yield its address; end it and its worker."""
    command = [sys.executable, "app.py", "--workspace", str(workspace), "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        yield _address(process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
        _end_workers(workspace)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "is open at " in line:
            return line.rsplit(" ", 1)[1].strip()
    raise RuntimeError("The app did not start:\n" + "".join(said))


def _end_workers(workspace: Path) -> None:
    from clustering.jobs.supervisor import stop_workers
    from clustering.workspace import Workspace

    opened = Workspace.open(workspace)
    stop_workers(opened)
    deadline = time.monotonic() + 20
    while opened.workers() and time.monotonic() < deadline:
        time.sleep(0.2)
    opened.close()
    for left in psutil.process_iter(["cmdline"]):  # amid a long step, or not yet signed on
        if str(workspace) in (left.info["cmdline"] or []):
            left.kill()


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium and yield it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield opened
        opened.close()


@contextmanager
def explore_page(workspace: Path, height: int = 1000) -> Iterator[Any]:
    """Start the studio on a workspace and yield its Explore page, once the map is painted."""
    port = free_port()
    script = streamlit_arguments(ROOT / "app.py", port)
    with browser() as opened, started(script, port, {"STUDIO_WORKSPACE": str(workspace)}) as address:
        page = opened.new_page(viewport={"width": 1440, "height": height})
        page.goto(f"{address}/explore")
        page.wait_for_selector(".frame[data-frames]", timeout=60_000)
        yield page


def settled(page: Any, seconds: float = 60) -> None:
    """Wait until a page has a title and its script has ended."""
    page.wait_for_selector("h1", timeout=seconds * 1000)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget]')", timeout=seconds * 1000
    )
