"""A small process that places new items for the pages: lines of JSON in, lines of JSON out.

It is no worker and takes no job, so training never holds it up. It goes home with the server that started it,
after a while without questions, and when it has grown too large.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import select
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clustering.errors import StudioError
from clustering.jobs.placing import NewItem, Placer
from clustering.workspace import Workspace

IDLE_SECONDS = 900.0
MOST_MEMORY = 3 * 2**30  # bytes; with torch and a network it has about a third of that
FOLDER = "newcomers"  # of dropped files, in the workspace's cache
LEFT_AFTER = 3600.0  # seconds after which a dropped file belongs to nobody any more

log = logging.getLogger(__name__)


def answered(placer: Placer, question: dict[str, Any]) -> dict[str, Any]:
    """Answer one question; what cannot be done comes back as ``problem`` and ``mend``."""
    try:
        if question["do"] == "warm":
            placer.warm(question["run"], question["map"])
            return {}
        if question["do"] == "locate":
            items = [NewItem(**item) for item in question["items"]]
            return {"items": [asdict(item) for item in placer.located(items, question["map"])], "notes": []}
        return asdict(
            placer.place(question["run"], [Path(file) for file in question["files"]], question["map"])
        )
    except StudioError as error:
        return {"problem": error.problem, "mend": error.mend}
    except Exception:
        log.exception("A question could not be answered")
        return {
            "problem": "Placing went wrong on our side.",
            "mend": "Try again; what happened stands in placing.log in the workspace.",
        }


def main(arguments: list[str] | None = None) -> int:
    """Answer until the questions end: ``python -m clustering.jobs.placing_process --workspace FOLDER``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log
    workspace = Workspace.open(chosen.workspace)
    _sweep(workspace.cache / FOLDER)
    placer = Placer(workspace)
    for line in _lines(0, chosen.idle_seconds):
        question = json.loads(line)
        started = time.perf_counter()
        answer = answered(placer, question)
        log.info("%s took %.2f s", question["do"], time.perf_counter() - started)
        answers.write(json.dumps({**answer, "id": question["id"]}) + "\n")
        answers.flush()
        if _memory() > MOST_MEMORY:
            log.info("Grown too large; the next question starts another process")
            break
    return 0


def _lines(source: int, idle_seconds: float) -> Iterator[bytes]:
    """Yield whole lines until the other end closes or nothing comes for a while."""
    buffer = b""
    while select.select([source], [], [], idle_seconds)[0]:
        piece = os.read(source, 2**16)
        if not piece:
            return
        *lines, buffer = (buffer + piece).split(b"\n")
        yield from lines


def _memory() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _sweep(folder: Path) -> None:
    """Remove dropped files whose server is gone."""
    for left in folder.iterdir() if folder.is_dir() else ():
        if time.time() - left.stat().st_mtime > LEFT_AFTER:
            shutil.rmtree(left, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
