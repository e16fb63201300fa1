"""The pages' side of the placing process: start it when it is needed, ask it, hear its answers."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any

import clustering
from clustering.errors import StudioError
from clustering.files import disk_errors
from clustering.jobs.placing import Answer, NewItem
from clustering.jobs.placing_process import FOLDER
from clustering.workspace import Workspace


class PlacingDesk:
    """Questions to one placing process; safe to share between threads."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[str, tuple[subprocess.Popen[bytes], Future[dict[str, Any]]]] = {}
        self._lock = threading.Lock()

    def warm(self, run_id: str, map_id: str | None = None) -> Future[dict[str, Any]]:
        """Have what a run and a map need loaded, while a person is still choosing files."""
        return self._ask({"do": "warm", "run": run_id, "map": map_id})

    def place(
        self, run_id: str, files: Sequence[tuple[str, bytes]], map_id: str | None = None
    ) -> Future[Answer]:
        """Place the items in some files, given by name and content; the answer comes later."""
        folder = self.workspace.cache / FOLDER / secrets.token_hex(8)
        kept = []
        for number, (name, content) in enumerate(files):
            target = folder / str(number) / safe_name(name)
            with disk_errors(target, len(content)):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            kept.append(str(target))
        asked = self._ask({"do": "place", "run": run_id, "map": map_id, "files": kept})
        asked.add_done_callback(lambda _: shutil.rmtree(folder, ignore_errors=True))
        return _answer(asked)

    def locate(self, items: Sequence[NewItem], map_id: str) -> Future[Answer]:
        """Find the places of items that are known already on another map."""
        return _answer(self._ask({"do": "locate", "items": [asdict(item) for item in items], "map": map_id}))

    def close(self) -> None:
        """Send the process home."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()

    @property
    def process_id(self) -> int | None:
        """The number of the process, while there is one."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _ask(self, question: dict[str, Any]) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        name = secrets.token_hex(6)
        line = json.dumps({**question, "id": name}).encode() + b"\n"
        with self._lock:
            for attempt in (1, 2):
                process = self._running()
                self._waiting[name] = process, future
                assert process.stdin is not None
                try:
                    process.stdin.write(line)
                    process.stdin.flush()
                    break
                except OSError:  # it went home just now
                    self._waiting.pop(name, None)
                    self._process = None
                    if attempt == 2:
                        future.set_exception(_gone())
        return future

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = _started(self.workspace)
            threading.Thread(target=self._hear, args=(self._process,), name="placing", daemon=True).start()
        return self._process

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            future = self._waiting.pop(answer.pop("id"), (process, None))[1]
            if future is None:
                continue
            if "problem" in answer:
                future.set_exception(StudioError(answer["problem"], answer["mend"]))
            else:
                future.set_result(answer)
        process.wait()
        with self._lock:
            if self._process is process:
                self._process = None
            left = [name for name, (asked, _) in self._waiting.items() if asked is process]
            unanswered = [self._waiting.pop(name)[1] for name in left]
        for future in unanswered:
            future.set_exception(_gone())


def safe_name(name: str) -> str:
    """Return a dropped file's name without anything that could lead out of its folder."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter for letter in last if letter.isprintable() and letter not in ':"').strip(". ")
    return clean[-120:] or "file"


def _answer(asked: Future[dict[str, Any]]) -> Future[Answer]:
    future: Future[Answer] = Future()

    def done(found: Future[dict[str, Any]]) -> None:
        error = found.exception()
        if error is not None:
            future.set_exception(error)
        else:
            told = found.result()
            future.set_result(Answer([NewItem(**item) for item in told["items"]], told["notes"]))

    asked.add_done_callback(done)
    return future


def _gone() -> StudioError:
    return StudioError(
        "The process that places new items ended before it answered.",
        "Try again; if it happens again, drop a smaller file or close other programs.",
    )


def _started(workspace: Workspace) -> subprocess.Popen[bytes]:
    house = Path(clustering.__file__).parent.parent
    path = os.pathsep.join(part for part in (str(house), os.environ.get("PYTHONPATH", "")) if part)
    command = [sys.executable, "-m", "clustering.jobs.placing_process", "--workspace", str(workspace.root)]
    try:
        with (workspace.root / "placing.log").open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                # one thread: for one item more gain little, and beside a training they wait for one another
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C ends the server; then this one's questions end
            )
    except OSError as error:
        raise StudioError(
            f"The process that places new items could not be started ({error}).",
            "Free some memory and try again.",
        ) from error
