"""Write files whole or not at all: a temporary name beside the target, then one rename."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clustering.errors import DiskFullError, StudioError
from clustering.processes import host_id, started

if TYPE_CHECKING:
    import pandas as pd

PART = ".part"  # ending of everything that is not finished
ASIDE = ".aside"  # ending of what is about to be removed
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
# who writes it stands in its name: host, process; collections keep parts of their own to go on with
_OURS = re.compile(r"\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{6}\.(part|aside)$")


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as indented JSON; numbers JSON cannot say (NaN, infinity) become ``null``."""
    text = json.dumps(plain(content), indent=1, ensure_ascii=False)
    write_whole(path, lambda stream: stream.write(text.encode()))


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as ``.npy`` without pickle."""
    write_whole(
        path, lambda stream: np.save(stream, np.ascontiguousarray(array), allow_pickle=False), array.nbytes
    )


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write several arrays as one ``.npz`` without pickle."""
    write_whole(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet."""
    write_whole(path, lambda stream: table.to_parquet(stream, index=False))


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    write_whole(path, lambda stream: stream.write(text.encode()))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes."""
    write_whole(path, lambda stream: stream.write(content))


def write_whole(path: Path, fill: Callable[[BinaryIO], object], needed: int = 0) -> None:
    """Let ``fill`` write a temporary file that becomes ``path`` when it is whole and vanishes otherwise.

    Parameters
    ----------
    needed : int
        Bytes, where they are known: said when the disk is full.

    Raises
    ------
    StudioError
        When the disk is full or the place cannot be written.
    """
    with disk_errors(path, needed):
        replace_whole(path, fill)


def replace_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Do what `write_whole` does, and let the operating system's own errors out."""
    part = _part_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as stream:
            fill(stream)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    StudioError
        When the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudioError(f"{path} is missing.", "Put it back, or remove what it belonged to.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} is not readable as JSON ({error}).", "Restore the file.") from None


def read_array(path: Path) -> NDArray[Any]:
    """Open an ``.npy`` file memory-mapped, read-only and without pickle.

    Raises
    ------
    StudioError
        When the file is missing or is not an array.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise StudioError(f"{path} is missing.", "Compute it again, or put the file back.") from None
    except (ValueError, EOFError) as error:
        raise StudioError(f"{path} is not a readable array ({error}).", "Compute it again.") from None


@contextmanager
def new_folder(target: Path, needed: int = 0) -> Iterator[Path]:
    """Fill a temporary folder that becomes ``target`` when the block ends well, else vanishes.

    Parameters
    ----------
    needed : int
        Bytes, where they are known: nothing is begun when there is no room for them.

    Raises
    ------
    StudioError
        When the disk is full or the place cannot be written.
    """
    part = _part_of(target)
    with disk_errors(target, needed):
        try:
            part.mkdir(parents=True)
            if shutil.disk_usage(part).free < needed:  # said before a long write, not in the midst of it
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield part
            if target.exists():
                shutil.rmtree(target)
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder: renamed out of the way first, so nobody meets half of it."""
    part = _part_of(folder)
    with disk_errors(folder), suppress(FileNotFoundError):
        folder.replace(part)
    shutil.rmtree(part, ignore_errors=True)


@contextmanager
def removal() -> Iterator[Callable[[Path], None]]:
    """Put folders aside in the block; they are gone when it ends well, and back in place when it does not.

    A rename needs no room, so this works on a full disk too. What a kill leaves aside, `aside_in` finds.
    """
    moved: list[tuple[Path, Path]] = []

    def put_aside(folder: Path) -> None:
        aside = folder.with_name(_part_of(folder).name.removesuffix(PART) + ASIDE)
        with disk_errors(folder), suppress(FileNotFoundError):
            folder.replace(aside)
            moved.append((aside, folder))

    try:
        yield put_aside
    except BaseException:
        for aside, folder in moved:
            aside.replace(folder)
        raise
    for aside, _ in moved:
        shutil.rmtree(aside, ignore_errors=True)


def aside_in(shelf: Path) -> Iterator[tuple[Path, Path]]:
    """Yield what killed processes had put aside, and the place each was taken from."""
    for aside in shelf.glob(f".*{ASIDE}"):
        named = _OURS.search(aside.name)
        if named and _is_left(aside, named["host"], int(named["pid"]), older_than=3600.0):
            yield aside, aside.with_name(aside.name[1 : named.start()])


def sweep_parts(root: Path, older_than: float = 3600.0) -> int:
    """Remove what killed processes left half-written below ``root``; return how many things that were.

    What a process of this machine was writing goes as soon as the process is gone, and not before; what came
    from another machine goes when it was untouched for ``older_than`` seconds.
    """
    swept = 0
    for part in [*root.glob(f".*{PART}"), *root.glob(f"*/.*{PART}"), *root.glob(f"*/*/.*{PART}")]:
        named = _OURS.search(part.name)
        if named and _is_left(part, named["host"], int(named["pid"]), older_than):
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)
            swept += 1
    return swept


def _is_left(part: Path, host: str, pid: int, older_than: float) -> bool:
    if host == _host_mark():
        return started(pid) is None
    try:
        return time.time() - part.stat().st_mtime > older_than
    except FileNotFoundError:  # its writer has just finished
        return False


@contextmanager
def disk_errors(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn what an operating system says about full or closed disks into sentences.

    Raises
    ------
    StudioError
        When the disk is full, the quota is used up, or the place cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise disk_full(path, needed) from error
        raise StudioError(
            f"{error.filename or path} cannot be read or written ({error.strerror or error}).",
            "Check that it exists and that you may read and write there, then try again.",
        ) from error


def is_full(error: BaseException) -> bool:
    """Return whether an error says that there is no room left on a disk."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def disk_full(path: Path, needed: int = 0) -> DiskFullError:
    """Return the sentence for a disk on which ``path`` found no room: which one, needed, free, what to do."""
    folder = next((parent for parent in path.absolute().parents if parent.exists()), Path("/"))
    disk = next((place for place in (folder, *folder.parents) if place.is_mount()), folder)
    wanted = f"about {_spoken(needed)} needed, " if needed else ""
    place = Path(*(_OURS.sub("", part)[1:] if _OURS.search(part) else part for part in path.parent.parts))
    return DiskFullError(
        f"The disk is full: {path.name} could not be written to {place} "
        f"({wanted}{_spoken(shutil.disk_usage(folder).free)} free on the disk at {disk}).",
        "Free some space there and try again, or choose another place; nothing half-written was left.",
    )


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: arrays become lists, paths text, NaN and infinity None."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    return str(value)


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{_host_mark()}-{os.getpid()}-{secrets.token_hex(3)}{PART}")


def _host_mark() -> str:
    return f"{zlib.crc32(host_id().encode()):08x}"


def _spoken(count: int) -> str:
    """Return a number of bytes in the unit a person would choose."""
    size, unit = next(((size, unit) for size, unit in _UNITS if count >= size), _UNITS[-1])
    return f"{count / size:,.1f} {unit}"
