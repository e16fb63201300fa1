"""Load anything a user has into a collection: see what it is, let its reader read it, put it in place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clustering.collections.collection import KINDS, ORIGINALS, Collection, Kind, request_of, write_collection
from clustering.collections.files import building
from clustering.errors import StudioError
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    from clustering.collections.images import Loaded

TABLES = frozenset({".csv", ".tsv", ".parquet", ".xlsx"})
ARRAYS = frozenset({".npy", ".npz"})
_HUB_ID = re.compile(r"(?:hf://(?:datasets/)?)?([\w-][\w.-]*/[\w-][\w.-]*)")


def load(
    source: str | Path,
    destination: str | Path,
    *,
    kind: Kind | None = None,
    name: str | None = None,
    copy: bool = False,
    label_column: str | None = None,
    progress: Progress = silent,
) -> Collection:
    """Load a collection.

    Parameters
    ----------
    source : str or Path
        Images: a folder (with ``metadata.csv``, ``.tsv``, ``.jsonl`` or ``.parquet`` if it has one), a zip
        of such a folder, a Hugging Face hub id ``owner/name``, a Parquet file with pictures, or an array of
        uint8 pixels in ``.npy`` or ``.npz``. Table: ``.csv``, ``.tsv``, ``.parquet``, ``.xlsx``. Vectors:
        ``.npy``, ``.npz`` (``file.npz::name`` for one of several arrays), ``.parquet`` with
        ``kind="vectors"``.
    destination : str or Path
        Folder the collection becomes; must not exist, or be empty. Its name is the collection's id. It
        appears when everything is done; until then the work lies in a hidden folder beside it. The same
        call after a kill or stop goes on there; after the end it opens what is there.
    kind : {"images", "table", "vectors"}, optional
        What to make of the source; by default what it looks like.
    name : str, optional
        For people; by default the source's name.
    copy : bool, default=False
        Copy pictures into the collection. Otherwise they stay where they are and are referred to.
    label_column : str, optional
        The column with reference labels; never used as a feature.
    progress : Progress
        Hears of every step; may ask to stop.

    Returns
    -------
    Collection

    Raises
    ------
    StudioError
        When the source cannot be used, or the destination is taken or full; nothing half-made is left.
    Stopped
        When the listener asks for it; the same call goes on later.
    """
    destination = Path(destination).expanduser().absolute()
    if kind is not None and kind not in KINDS:
        raise StudioError(
            f"There is no kind of collection called “{kind}”.", f"Choose one of: {', '.join(KINDS)}."
        )
    path, member = _located(source)
    found = kind or _kind_of(path, member, source)
    request = {
        "source": str(source) if path is None else str(path.absolute()) + (f"::{member}" if member else ""),
        "kind": found,
        "copy": copy,
        "label_column": label_column,
        "file": _facts(path),
    }
    if request_of(destination) == request:
        return Collection.open(destination)
    with building(destination, request) as part:
        loaded = _read(found, path, member, str(source), part, copy, label_column, progress)
        write_collection(
            part,
            name=name or _name(path, source),
            kind=found,
            source=str(request["source"]),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            content_hash=loaded.content_hash,
            items=loaded.items,
            label_columns=loaded.label_columns,
            findings=loaded.findings,
            request=request,
            originals_root=loaded.originals_root,
        )
        tell(progress, 1, 1, "done")
    return Collection.open(destination)


def _read(
    kind: Kind, path: Path | None, member: str, source: str, part: Path, copy: bool, label_column: str | None,
    progress: Progress,
) -> Loaded:  # fmt: skip
    from clustering.collections.images import read_folder

    if kind == "table":
        from clustering.collections.tables import read_table

        return read_table(_file(path, source), part, label_column=label_column, progress=progress)
    if kind == "vectors":
        from clustering.collections.vectors import read_vectors

        return read_vectors(_file(path, source), member, part, label_column=label_column, progress=progress)
    if path is None or path.suffix.lower() == ".parquet" or (path.is_dir() and _is_dataset(path)):
        from clustering.collections.hub import read_dataset

        return read_dataset(path or member, part, label_column=label_column, progress=progress)
    if path.is_dir():
        return read_folder(path.absolute(), part, copy=copy, label_column=label_column, progress=progress)
    if path.suffix.lower() in ARRAYS:
        from clustering.collections.arrays import read_pixels

        return read_pixels(path, member, part, label_column=label_column, progress=progress)
    from clustering.collections.archives import extract

    extract(path, part / ORIGINALS, progress)
    return read_folder(part / ORIGINALS, part, copy=False, label_column=label_column, progress=progress)


def _located(source: str | Path) -> tuple[Path | None, str]:
    """Return the file or folder and the array's name in it, or None and the hub id."""
    text, _, member = str(source).partition("::")
    path = Path(text).expanduser()
    try:
        if path.exists():
            return path, member
    except (OSError, ValueError):  # too long for a path, or with a NUL in it
        pass  # fall through to the sentence below
    if (
        isinstance(source, str)
        and (match := _HUB_ID.fullmatch(source))
        and path.suffix.lower() not in TABLES | ARRAYS
    ):
        return None, match[1]
    raise StudioError(f"There is nothing at {source}.", "Check the spelling of the path.")


def _kind_of(path: Path | None, member: str, source: str | Path) -> Kind:
    if path is None or path.is_dir():
        return "images"
    ending = path.suffix.lower()
    if ending == ".parquet":
        from clustering.collections.hub import has_pictures

        return "images" if has_pictures(path) else "table"
    if ending in TABLES:
        return "table"
    if ending in ARRAYS:
        from clustering.collections.arrays import holds_pixels

        return "images" if holds_pixels(path, member) else "vectors"
    import zipfile

    if zipfile.is_zipfile(path):
        return "images"
    raise StudioError(
        f"{source} is of a kind that is not read ({ending or 'no ending'}).",
        "Choose a folder of pictures, a zip of one, or a .csv, .tsv, .parquet, .xlsx, .npy or .npz file.",
    )


def _is_dataset(folder: Path) -> bool:
    from clustering.collections.hub import is_dataset

    return is_dataset(folder)


def _file(path: Path | None, source: str) -> Path:
    if path is None or path.is_dir():
        raise StudioError(f"{source} is no file.", "Choose the file with the table or the vectors.")
    return path


def _facts(path: Path | None) -> list[int]:
    """Return size and time of change of a file: a changed file is another source."""
    if path is None or path.is_dir():
        return []
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _name(path: Path | None, source: str | Path) -> str:
    text = (
        str(source).rpartition("/")[2]
        if path is None
        else path.absolute().stem
        if path.is_file()
        else path.absolute().name
    )
    return text.replace("_", " ").strip() or "collection"
