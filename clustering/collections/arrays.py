"""Find the right array in a `.npy` or `.npz` file, without pickle; write an array of pixels as pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from clustering.collections.collection import ORIGINALS, PIXELS
from clustering.collections.columns import listed
from clustering.collections.images import read_folder
from clustering.collections.loaded import Loaded
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell

NAMES = (
    "x",
    "X",
    "data",
    "features",
    "embeddings",
    "vectors",
    "latents",
    "images",
    "windows",
    "series",
    "arr_0",
)
LABELS = ("y", "label", "labels", "target", "targets", "class", "classes")
CLASS_NAMES = ("names", "labels", "class_names")  # of classes that the labels number


class Arrays(NamedTuple):
    """The array of the items, and what the file says of each."""

    data: NDArray[Any]
    labels: NDArray[Any] | None
    beside: Mapping[str, NDArray[Any]] = MappingProxyType({})  # other arrays with one value an item


def read_arrays(path: Path, member: str) -> Arrays:
    """Open the items' array (``.npy`` memory-mapped) and their labels, if the file has any.

    Parameters
    ----------
    path : Path
        A ``.npy`` or ``.npz`` file.
    member : str
        The array's name in an ``.npz``; empty to take the one called x, data, features, …, or the only one
        with two axes or more.

    Raises
    ------
    StudioError
        When the file is broken or pickled, or it is not clear which array is meant.
    """
    if path.suffix.lower() == ".npy":
        with _told(path):
            return Arrays(np.load(path, mmap_mode="r", allow_pickle=False), None)
    with opened_arrays(path) as opened:
        name = member or _chosen(path, shapes_in(path))
        if name not in opened:
            raise StudioError(f"{path.name} has no array “{name}”.", f"It has: {listed(list(opened), 20)}.")
        data = opened[name]
        n = len(data) if data.ndim else 0
        return Arrays(data, labels_beside(opened, n), beside(opened, shapes_in(path), n))


@contextmanager
def opened_arrays(path: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Open an ``.npz``; each array is read when it is asked for.

    Raises
    ------
    StudioError
        When the file is broken, pickled, or larger than the memory there is.
    """
    with _told(path):
        _refuse_oversize(path)
        with np.load(path, allow_pickle=False) as opened:
            if not isinstance(opened, np.lib.npyio.NpzFile):
                raise ValueError("not an .npz file")
            yield opened


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in a sentence what was wrong with a file."""
    try:
        yield
    except StudioError:
        raise
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, SyntaxError, MemoryError) as error:
        if any(word in str(error).lower() for word in ("pickle", "object array", "python objects")):
            raise StudioError(
                f"{path.name} holds Python objects (pickle), which can run programs and are never opened.",
                'Save plain numbers: numpy.save(file, numpy.asarray(values, dtype="float32")). '
                "Series of unequal lengths fit into a .ts file or a long CSV.",
            ) from error
        raise StudioError(
            f"{path.name} is no readable array file ({error}).",
            "Write it again with numpy.save or numpy.savez.",
        ) from error


def holds_pixels(path: Path, member: str) -> bool:
    """Say whether the items are pictures: uint8 (n, height, width) or (n, height, width, 1, 3 or 4)."""
    if path.suffix.lower() == ".npy":
        data = read_arrays(path, member).data
        return _are_pixels(data.shape, data.dtype)
    shapes = shapes_in(path)
    name = member or _chosen(path, shapes)
    return name in shapes and _are_pixels(*shapes[name])


def holds_windows(path: Path, member: str) -> bool:
    """Say whether the items are series: numbers with three axes, windows × time × channels."""
    if path.suffix.lower() == ".npy":
        data = read_arrays(path, member).data
        shape, dtype = data.shape, data.dtype
    else:
        shapes = shapes_in(path)
        name = member or _chosen(path, shapes)
        if name not in shapes:
            return False
        shape, dtype = shapes[name]
    return dtype.kind in "fiu" and len(shape) == 3 and min(shape) >= 1 and shape[1] >= 2


def read_pixels(
    path: Path, member: str, part: Path, *, label_column: str | None, progress: Progress
) -> Loaded:
    """Write an array of pictures as PNG files, keep the raw pixels beside them, and read them like a folder.

    Raises
    ------
    StudioError
        When the array holds no pictures.
    """
    data, labels, _ = read_arrays(path, member)
    if not _are_pixels(data.shape, data.dtype):
        raise StudioError(
            f"{path.name} holds {data.dtype} {data.shape}, not pictures.",
            "Pictures are uint8 (n, height, width) or (n, height, width, 3); else load it as vectors.",
        )
    pixels = data[..., 0] if data.ndim == 4 and data.shape[3] == 1 else data
    folder = part / ORIGINALS
    folder.mkdir(exist_ok=True)
    digits = len(str(len(pixels) - 1))
    names = [f"{number:0{digits}d}.png" for number in range(len(pixels))]
    for number, (name, picture) in enumerate(zip(names, pixels, strict=True)):
        if number % 256 == 0:
            tell(progress, number, len(pixels), "writing the pictures")
        if not (folder / name).exists():
            _save(Image.fromarray(np.ascontiguousarray(picture)), folder / name)
    if pixels.ndim == 3 or pixels.shape[3] == 3:
        raw = np.ascontiguousarray(pixels)
        write_whole(part / PIXELS, lambda stream: np.save(stream, raw, allow_pickle=False))
    metadata = (
        pd.DataFrame({"file": names}) if labels is None else pd.DataFrame({"file": names, "label": labels})
    )
    return read_folder(
        folder, part, copy=False, label_column=label_column, progress=progress, metadata=metadata
    )


def _save(image: Image.Image, path: Path) -> None:
    write_whole(path, lambda stream: image.save(stream, "PNG", compress_level=1))


def _are_pixels(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    return (
        dtype == np.uint8
        and len(shape) in (3, 4)
        and min(shape[:3]) >= 1
        and max(shape[1:3]) > 1
        and (len(shape) == 3 or shape[3] in (1, 3, 4))
    )


def shapes_in(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Read only the headers of the arrays in an ``.npz``."""
    found = {}
    try:
        with zipfile.ZipFile(path) as opened:
            for entry in opened.namelist():
                if entry.endswith(".npy"):
                    with opened.open(entry) as stream:
                        version = np.lib.format.read_magic(stream)
                        read = (
                            np.lib.format.read_array_header_1_0
                            if version == (1, 0)
                            else np.lib.format.read_array_header_2_0
                        )
                        shape, _, dtype = read(stream)
                        found[entry.removesuffix(".npy")] = (shape, dtype)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise StudioError(
            f"{path.name} is no readable array file ({error}).", "Write it again with numpy.savez."
        ) from error
    return found


def _chosen(path: Path, shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]]) -> str:
    """Return the name of the items' array."""
    for name in NAMES:
        if name in shapes and len(shapes[name][0]) >= 2:
            return name
    wide = [name for name, (shape, _) in shapes.items() if len(shape) == 2 and name not in LABELS]
    if len(wide) == 1:
        return wide[0]
    described = [f"{name} {shape}" for name, (shape, _) in shapes.items()]
    raise StudioError(
        f"{path.name} holds {'several arrays' if wide else 'no array with two axes'}: {listed(described)}.",
        f"Name one: {path.name}::{wide[0]}." if wide else "Save the items as one array x (rows × columns).",
    )


def labels_beside(opened: Mapping[str, NDArray[Any]], n: int) -> NDArray[Any] | None:
    """Return one label an item, by name where the file names the classes; None where there are none.

    Raises
    ------
    StudioError
        When there are labels for another number of items.
    """
    name = next((name for name in LABELS if name in opened), None)
    if name is None:
        return None
    labels = opened[name]
    if labels.shape not in ((n,), (n, 1)):
        raise StudioError(
            f"The labels “{name}” have the shape {labels.shape}, the items are {n:,}.",
            "Give one label an item.",
        )
    labels = labels.reshape(n)
    if np.issubdtype(labels.dtype, np.integer):
        for names in (opened[one] for one in CLASS_NAMES if one in opened and one != name):
            if names.ndim == 1 and len(labels) and labels.min() >= 0 and labels.max() < len(names):
                return names[labels].astype(str)
    return labels


def beside(
    opened: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]], n: int
) -> dict[str, NDArray[Any]]:
    """Return the other arrays that say one thing of each item: whole numbers, truth values or words."""
    apart = {*NAMES, *LABELS, *CLASS_NAMES}
    return {
        name: opened[name]
        for name, (shape, dtype) in shapes.items()
        if name not in apart and shape == (n,) and dtype.kind in "biuU"
    }


def _refuse_oversize(path: Path) -> None:
    """Refuse an archive whose arrays would not fit into memory; zeros shrink a thousandfold."""
    import psutil

    with zipfile.ZipFile(path) as opened:
        needed = sum(entry.file_size for entry in opened.infolist())
    free = psutil.virtual_memory().available
    if needed > free:
        raise StudioError(
            f"{path.name} unpacks to {needed / 2**30:,.1f} GB; {free / 2**30:,.1f} GB of memory are free.",
            "Save the one that is meant as .npy: such a file is read piece by piece.",
        )
