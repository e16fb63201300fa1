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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError

if TYPE_CHECKING:
    import pandas as pd

PART = ".part"  # ending of everything that is not finished
_OURS = re.compile(r"\.\d+-[0-9a-f]{6}\.part$")  # collections keep parts of their own to go on with


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as indented JSON; numbers JSON cannot say (NaN, infinity) become ``null``."""
    text = json.dumps(plain(content), indent=1, ensure_ascii=False)
    _write(path, lambda stream: stream.write(text.encode()))


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as ``.npy`` without pickle."""
    _write(path, lambda stream: np.save(stream, np.ascontiguousarray(array), allow_pickle=False))


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write several arrays as one ``.npz`` without pickle."""
    _write(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet."""
    _write(path, lambda stream: table.to_parquet(stream, index=False))


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    _write(path, lambda stream: stream.write(text.encode()))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes."""
    _write(path, lambda stream: stream.write(content))


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
def new_folder(target: Path) -> Iterator[Path]:
    """Fill a temporary folder that becomes ``target`` when the block ends well, else vanishes.

    Raises
    ------
    StudioError
        When the disk is full or the place cannot be written.
    """
    part = _part_of(target)
    with disk_errors(target):
        part.mkdir(parents=True)
        try:
            yield part
            if target.exists():
                shutil.rmtree(target)
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder: renamed out of the way first, so nobody meets half of it."""
    if not folder.exists():
        return
    part = _part_of(folder)
    with disk_errors(folder):
        folder.replace(part)
    shutil.rmtree(part, ignore_errors=True)


def sweep_parts(root: Path, older_than: float = 3600.0) -> int:
    """Remove what killed processes left half-written below ``root``; return how many things that were.

    Only things untouched for ``older_than`` seconds go, so a slow writer on another machine is safe.
    """
    swept = 0
    for part in [*root.glob(f".*{PART}"), *root.glob(f"*/.*{PART}"), *root.glob(f"*/*/.*{PART}")]:
        if _OURS.search(part.name) and time.time() - part.stat().st_mtime > older_than:
            shutil.rmtree(part) if part.is_dir() else part.unlink()
            swept += 1
    return swept


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what an operating system says about full or closed disks into sentences.

    Raises
    ------
    StudioError
        When the disk is full, the quota is used up, or the place cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StudioError(
                f"The disk is full: {path.name} could not be written to {path.parent}{_free(path)}.",
                "Free some space, or choose another workspace; nothing half-written was left.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StudioError(
                f"{path.parent} cannot be written ({error.strerror}).",
                "Give yourself the right to write there, or choose another workspace.",
            ) from error
        raise


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


def _write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    part = _part_of(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as stream:
                fill(stream)
            os.replace(part, path)  # noqa: PTH105  # the name tests and readers know for "atomic"
        finally:
            part.unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}{PART}")


def _free(path: Path) -> str:
    folder = next((parent for parent in path.parents if parent.exists()), None)
    if folder is None:
        return ""
    return f" ({shutil.disk_usage(folder).free / 1e6:.0f} MB free)"
