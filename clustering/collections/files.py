"""Build a folder beside its place, go on with it after a kill, and move it there when it is whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clustering.errors import Stopped, StudioError

REQUEST = "request.json"


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON under a temporary name, then rename it."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_whole(path, lambda stream: stream.write(text.encode()))


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as ``.npz`` without pickle, under a temporary name, then rename it."""
    write_whole(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def write_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Let ``fill`` write a temporary file that becomes ``path`` when it is whole and vanishes otherwise."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as stream:
            fill(stream)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about full or closed disks into sentences.

    Raises
    ------
    StudioError
        When the disk is full, the quota is used up, or the place cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StudioError(
                f"The disk is full: {path.name} could not be written to {path.parent}.",
                "Free some space or choose another place; nothing half-made was left.",
            ) from error
        where = error.filename or path
        raise StudioError(
            f"{where} cannot be read or written ({error.strerror or error}).",
            "Check that it exists and that you may read and write there, then try again.",
        ) from error


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
        with lock.open("x", encoding="utf-8") as stream:
            stream.write(f"{os.getpid()} {_started(os.getpid())}")
    except FileExistsError:
        raise StudioError(
            f"{destination.name} is being loaded by another process.",
            "Wait until it is finished, or stop it first.",
        ) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _is_stale(lock: Path) -> bool:
    try:
        pid, started = lock.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return lock.exists()
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """Return when a process began: its number alone may be in use again after a restart."""
    import psutil

    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return "gone"
