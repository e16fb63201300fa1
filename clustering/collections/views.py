"""Turn several views of the same items into a collection: arrays, tables, or pictures with their numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.check import EXAMPLES, column_findings, duplicate_findings, few_findings
from clustering.collections.collection import THUMBNAILS, VIEWS, Finding
from clustering.collections.columns import check_column, label_columns, listed, of_items
from clustering.collections.drawn_views import SMALL, drawn_view
from clustering.collections.images import read_folder
from clustering.collections.loaded import Loaded, Source
from clustering.collections.tables import ID_NAMES, first_equal
from clustering.collections.thumbnails import build_atlas
from clustering.collections.view_files import FoundViews, View, views_in
from clustering.collections.view_options import ViewOptions
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

MOST_NAMED = 64  # columns of a view whose names are kept
MEASURED = frozenset({"id", "path", "aspect", "width", "height", "duplicate_of"})  # of a picture's file
PICTURES, NUMBERS = "pictures", "numbers"


def read_views(
    source: Source, part: Path, options: ViewOptions, *, copy: bool, label_column: str | None,
    progress: Progress,
) -> Loaded:  # fmt: skip
    """Read two or more views of the same items.

    Parameters
    ----------
    source : Source
        An ``.npz`` with one array a view; a folder with one table or ``.npy`` a view; or a folder of pictures
        with a ``metadata.csv`` whose columns of numbers are the second view.
    part : Path
        Folder of the collection being built.
    options : ViewOptions
    copy : bool
        Copy pictures into the collection.
    label_column : str, optional
    progress : Progress

    Raises
    ------
    StudioError
        When there are fewer than two views, their items cannot be matched, or their numbers cannot be used.
    """
    tell(progress, 0, 1, "reading the views")
    path = source.path
    if path is None:
        raise StudioError(f"{source.text} is no file or folder.", "Choose the file or folder with the views.")
    if path.is_dir() and not _tables_only(path):
        return _pictures_and_numbers(path, part, copy, label_column, progress)
    found = views_in(path, options.id_column)
    views, filled = _whole(found.views)
    values = np.concatenate([view.values for view in views], axis=1)
    lacking = np.stack([view.lacking for view in views], axis=1)  # (n, V)
    _refuse_empty(views, lacking, found)
    metadata = found.metadata
    check_column(metadata, label_column, path.name)
    content_hash, repeats = _kept(values, views, part)
    ids = pd.Series(found.ids or [str(row) for row in range(len(values))], dtype="str")
    drawn = _picture(views, options)
    about: dict[str, Any] = {"views": [_told(view, drawn) for view in views], **drawn}
    columns: dict[str, Any] = {"id": ids}
    if "picture" in about:
        height, width = about["picture"]["shape"]
        columns["aspect"] = np.full(len(ids), width / height, np.float32)
    columns["duplicate_of"] = pd.Series([ids[row] if row >= 0 else None for row in repeats], dtype="str")
    if lacking.any():
        columns["lacks"] = pd.Series([_named(views, row) for row in lacking], dtype="str")
    items = of_items(columns, metadata)
    labels = label_columns(metadata, label_column)
    findings = (
        _counted(views), *_missing(views, lacking, ids), *filled, *found.findings, *few_findings(len(ids)),
        *duplicate_findings(ids.to_list(), repeats, "item"),
        *column_findings(metadata, labels, constant="kept as metadata", missing="kept as missing"),
    )  # fmt: skip
    if "picture" in about:
        small = (drawn_view(row, about, SMALL) for row in values)
        build_atlas(small, len(ids), part / THUMBNAILS, content_hash, progress)
    return Loaded(items, labels, content_hash, findings, about=about)


def _tables_only(folder: Path) -> bool:
    """Say whether a folder holds no picture, by the endings of its first files."""
    from itertools import islice

    from clustering.collections.pictures import EXTENSIONS

    endings = {path.suffix.lower() for path in islice(folder.rglob("*"), 1000)}
    return not endings & {f".{one.lstrip('.')}" for one in EXTENSIONS}


def _pictures_and_numbers(
    folder: Path, part: Path, copy: bool, label_column: str | None, progress: Progress
) -> Loaded:
    """Read pictures like a collection of them; the numbers of their metadata are the second view."""
    pictures = read_folder(folder.absolute(), part, copy=copy, label_column=label_column, progress=progress)
    items = pictures.items
    apart = MEASURED | {name for name in pictures.label_columns if name == label_column}
    names = [
        str(name)
        for name in items
        if name not in apart
        and str(name).lower() not in ID_NAMES
        and pd.api.types.is_numeric_dtype(items[name])
        and items[name].nunique() > 1
    ]
    if not names:
        raise StudioError(
            f"Beside the pictures in {folder} there are no numbers for a second view (columns: "
            f"{listed([name for name in items if name not in MEASURED]) or 'none'}).",
            "Put a metadata.csv with columns of numbers into the folder, or load it as pictures.",
        )
    numbers = items[names].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    (view,), filled = _whole([View(NUMBERS, numbers.astype(np.float32), tuple(names))])
    content_hash, _ = _kept(view.values, [view], part)
    both = hashlib.blake2b(f"{pictures.content_hash} {content_hash}".encode(), digest_size=16).hexdigest()
    lacking = np.stack([np.zeros(len(items), bool), view.lacking], axis=1)
    about = {"views": [{"name": PICTURES, "size": 0, "pictures": True}, _told(view, {})], "pictured": True}
    sentence = f"2 views: the pictures, and {several(len(names), 'number')} of each ({listed(names)})."
    findings = (
        Finding("views", 2, sentence, tuple(names[:EXAMPLES])),
        *_missing([View(PICTURES, view.values), view], lacking, items["id"]),
        *filled,
        *pictures.findings,
    )
    return replace(pictures, content_hash=both, findings=findings, about=about)


def _whole(views: Sequence[View]) -> tuple[list[View], list[Finding]]:
    """Fill single gaps with the median of their column; rows without any value stay empty: a missing view."""
    whole, findings = [], []
    for view in views:
        gaps = np.isnan(view.values) & ~view.lacking[:, None]
        if not gaps.any():
            whole.append(view)
            continue
        values = view.values.copy()
        with np.errstate(invalid="ignore"):
            known = values[~view.lacking]
            medians = np.nanmedian(np.where(np.isnan(known).all(axis=0), 0, known), axis=0)
        values[gaps] = np.broadcast_to(medians, values.shape)[gaps]
        whole.append(replace(view, values=values))
        sentence = (
            f"“{view.name}”: {several(int(gaps.sum()), 'missing value')} filled with the column's median."
        )
        findings.append(Finding("missing", int(gaps.sum()), sentence))
    return whole, findings


def _refuse_empty(views: Sequence[View], lacking: NDArray[np.bool_], found: FoundViews) -> None:
    if len(lacking) < 2:
        raise StudioError(
            f"There is {several(len(lacking), 'item')}.", "A collection needs two items or more."
        )
    empty = [view.name for view in views if view.lacking.all()]
    if empty:
        raise StudioError(
            f"No item has the view “{empty[0]}”: it holds no value.", "Fill it, or leave it out."
        )
    rows = np.flatnonzero(lacking.all(axis=1))
    if len(rows):
        names = [found.ids[row] if found.ids else str(row) for row in rows]
        raise StudioError(
            f"{several(len(rows), 'item has', 'items have')} no view at all ({listed(names)}).",
            "Give them a value in at least one view, or leave them out.",
        )


def _kept(values: NDArray[np.float32], views: Sequence[View], part: Path) -> tuple[str, NDArray[np.int64]]:
    """Write the views side by side; return a hash of all, and for every row the first equal one."""
    rows = np.ascontiguousarray(values, dtype="<f4")
    write_whole(part / VIEWS, lambda stream: np.save(stream, rows, allow_pickle=False))
    told = " ".join(f"{view.name}:{view.values.shape[1]}" for view in views)
    whole = hashlib.blake2b(f"{len(rows)} {told} ".encode(), digest_size=16)
    whole.update(rows.data)
    digests = [int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "little") for row in rows]
    return whole.hexdigest(), first_equal(np.array(digests, dtype=np.uint64))


def _told(view: View, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return a view's name and size, what its columns are called, and the shape of its pictures."""
    told: dict[str, Any] = {"name": view.name, "size": view.values.shape[1]}
    if view.columns:
        told["columns"] = list(view.columns[:MOST_NAMED])
    if drawn and drawn["picture"]["view"] == view.name:
        told["shape"] = [*drawn["picture"]["shape"], 1]
    elif view.shape:
        told["shape"] = list(view.shape)
    return told


def _named(views: Sequence[View], lacking: NDArray[np.bool_]) -> str | None:
    return ", ".join(view.name for view, lacks in zip(views, lacking, strict=True) if lacks) or None


def _counted(views: Sequence[View]) -> Finding:
    told = listed([f"{view.name} ({view.values.shape[1]:,})" for view in views], 12)
    names = tuple(view.name for view in views)
    return Finding("views", len(views), f"{len(views)} views, with so many numbers an item: {told}.", names)


def _missing(views: Sequence[View], lacking: NDArray[np.bool_], ids: pd.Series[Any]) -> list[Finding]:
    """Say which views items lack, and what is made of it."""
    findings = []
    for view, lacks in zip(views, lacking.T, strict=True):
        rows = np.flatnonzero(lacks)
        if len(rows):
            sentence = (
                f"{several(len(rows), 'item lacks', 'items lack')} the view “{view.name}”; kept. A method "
                "for several views judges them by the others, any other sees the view's mean there."
            )
            findings.append(Finding("missing view", len(rows), sentence, tuple(ids.iloc[rows[:EXAMPLES]])))
    return findings


def _picture(views: Sequence[View], options: ViewOptions) -> Mapping[str, Any]:
    """Return which view is shown as a picture, and of which shape and range."""
    if options.picture_view is None:
        return {}
    view = next((one for one in views if one.name == options.picture_view), None)
    if view is None:
        raise StudioError(
            f"There is no view “{options.picture_view}” to show as a picture.",
            f"Choose one of: {', '.join(one.name for one in views)}.",
        )
    size = view.values.shape[1]
    own = view.shape[1] if view.shape and view.shape[2] == 1 else round(size**0.5)
    width = options.picture_width or own
    if size % width:
        raise StudioError(
            f"The {size} numbers of “{view.name}” do not fill rows of {width} pixels.",
            "Give the right “picture_width”, or leave “picture_view” empty.",
        )
    low, high = np.nanpercentile(view.values, (0.5, 99.5)).tolist()
    start = sum(one.values.shape[1] for one in views[: list(views).index(view)])
    shape = [size // width, width]
    return {
        "picture": {"view": view.name, "start": start, "shape": shape, "range": [low, high]},
        "pictured": True,
    }
