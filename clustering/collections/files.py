"""Build a folder beside its place, go on with it after a kill, and move it there when it is whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clustering.errors import Stopped, StudioError
from clustering.files import disk_errors, write_json
from clustering.processes import is_running, started

REQUEST = "request.json"


def part_of(destination: Path) -> Path:
    """Return the hidden folder beside ``destination`` in which it is built."""
    return destination.with_name(f".{destination.name}.part")


def gathered_at(destination: Path) -> Path:
    """Return the hidden folder beside ``destination`` where samples and museums gather pictures."""
    return destination.with_name(f".{destination.name}.gathered")


def discard(destination: Path) -> None:
    """Remove what a stopped or killed load of ``destination`` left for going on; the destination stays."""
    for folder in (part_of(destination), gathered_at(destination)):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def building(destination: Path, request: Mapping[str, object]) -> Iterator[Path]:
    """Give a folder to fill, which becomes ``destination`` when the block ends well.

    After a kill, a stop or Ctrl-C the folder stays, and the same request finds it again as it was; any
    other end removes it. What lies at ``destination`` is never touched.

    Parameters
    ----------
    destination : Path
        Where the folder shall be; must not exist, or be empty.
    request : mapping
        What is being built, as JSON; another request does not go on with this one's remains.

    Raises
    ------
    StudioError
        When the destination is taken, another process builds it, or the disk is full or closed.
    """
    _refuse_taken(destination)
    part = part_of(destination)
    with disk_errors(destination), _held(destination):
        if _request_of(part) != dict(request):
            shutil.rmtree(part, ignore_errors=True)
        part.mkdir(exist_ok=True)
        try:
            write_json(part / REQUEST, request)
            yield part
            _refuse_taken(destination)
            (part / REQUEST).unlink()
            part.replace(destination)
        except Stopped:
            raise
        except Exception:
            shutil.rmtree(part, ignore_errors=True)
            raise


def _refuse_taken(destination: Path) -> None:
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise StudioError(
            f"There is already something at {destination}.", "Choose another place, or remove it first."
        )


def _request_of(part: Path) -> Any:
    try:
        return json.loads((part / REQUEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def _held(destination: Path) -> Iterator[None]:
    """Keep a second process (or thread) from building the same folder."""
    lock = destination.with_name(f".{destination.name}.lock")
    destination.parent.mkdir(parents=True, exist_ok=True)
    if _is_stale(lock):
        lock.unlink(missing_ok=True)
    try:
        stream = lock.open("x", encoding="utf-8")
    except FileExistsError:
        raise StudioError(
            f"{destination.name} is being loaded by another process.",
            "Wait until it is finished, or stop it first.",
        ) from None
    try:
        with stream:
            stream.write(f"{os.getpid()} {started(os.getpid())}")
        yield
    finally:
        lock.unlink(missing_ok=True)


def _is_stale(lock: Path) -> bool:
    try:
        pid, began = lock.read_text(encoding="utf-8").split()
        return not is_running(int(pid), float(began))
    except (OSError, ValueError):
        return lock.exists()
