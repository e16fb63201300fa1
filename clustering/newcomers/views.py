"""Views of new items from small files, made to fit those of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.newcomers.rows import refuse_many

if TYPE_CHECKING:
    from clustering.collections import Collection


def view_rows(
    collection: Collection, files: Sequence[Path]
) -> tuple[NDArray[np.float32], tuple[str, ...], tuple[str, ...]]:
    """Return the views of new items side by side, float32 (m, d), their names, and notes on missing views.

    Raises
    ------
    StudioError
        When a file is no archive of such views, a view has another width, or the collection has pictures.
    """
    views = collection.about["views"]
    if any(view.get("pictures") for view in views):
        raise StudioError(
            f"New items cannot be placed beside “{collection.name}”: a picture and its numbers cannot be "
            "dropped together yet.",
            "Load them with the others as a collection, and train on that.",
        )
    known = np.isnan(np.asarray(collection.data())).any()  # then the features mark what is missing
    instead = "its items are judged by the other views" if known else "the collection's mean stands in"
    parts, names, notes = [], [], []
    for file in files:
        rows, lacks = _rows_of(file, collection)
        refuse_many(len(rows), f"items are in “{file.name}”")
        parts.append(rows)
        names += [f"{file.name}, row {number}" for number in range(1, len(rows) + 1)]
        if lacks:
            notes.append(f"“{file.name}” lacks {', '.join(lacks)}: {instead}.")
    refuse_many(len(names), "items were dropped")
    return np.concatenate(parts), tuple(names), tuple(notes)


def _rows_of(file: Path, collection: Collection) -> tuple[NDArray[np.float32], list[str]]:
    from clustering.collections.arrays import opened_arrays

    sizes = {str(view["name"]): int(view["size"]) for view in collection.about["views"]}
    wanted = ", ".join(f"{name} ({size})" for name, size in sizes.items())
    mend = f"Save one array a view with numpy.savez, rows × columns: {wanted}."
    if file.suffix.lower() != ".npz":
        raise StudioError(f"“{file.name}” holds no views.", mend)
    with opened_arrays(file) as opened:
        found = {name: np.atleast_2d(opened[name]) for name in sizes if name in opened}
    if not found:
        raise StudioError(f"“{file.name}” has none of the views of “{collection.name}”.", mend)
    counts = {name: len(view) for name, view in found.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {n}" for name, n in counts.items())
        raise StudioError(f"The views in “{file.name}” differ in their items: {told}.", mend)
    n = next(iter(counts.values()))
    parts = []
    for name, size in sizes.items():
        view = found.get(name)
        if view is None:
            parts.append(np.full((n, size), np.nan, dtype=np.float32))
            continue
        if view.dtype.kind not in "fiub" or view.reshape(n, -1).shape[1] != size:
            raise StudioError(
                f"“{name}” of “{file.name}” has the shape {view.shape}; {size} numbers an item are wanted.",
                mend,
            )
        flat = view.reshape(n, -1).astype(np.float32)
        odd = ~np.isfinite(flat).all(axis=1) & ~np.isnan(flat).all(axis=1)
        if odd.any():
            raise StudioError(
                f"Row {int(np.flatnonzero(odd)[0]) + 1} of “{name}” in “{file.name}” has a gap.",
                "Fill it in, or leave the whole row empty (NaN): the item then lacks this view.",
            )
        parts.append(flat)
    rows = np.concatenate(parts, axis=1)
    if np.isnan(rows).all(axis=1).any():
        raise StudioError(f"“{file.name}” holds an item without any view.", "Leave it out.")
    return rows, [f"the view “{name}”" for name in sizes if name not in found]
