"""Load anything a user has into a collection: see what it is, let its reader read it, put it in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clustering.collections.collection import KINDS, Collection, Kind, request_of, write_collection
from clustering.collections.files import building
from clustering.collections.loaded import Source
from clustering.collections.readers import ARRAYS, GRAPHS, READERS, TABLES, Wishes, kind_by_looks
from clustering.errors import StudioError
from clustering.parameters import checked_parameters
from clustering.progress import Progress, silent, tell

_HUB_ID = re.compile(r"(?:hf://(?:datasets/)?)?([\w-][\w.-]*/[\w-][\w.-]*)")


def load(
    source: Any,
    destination: str | Path,
    *,
    kind: Kind | None = None,
    name: str | None = None,
    copy: bool = False,
    label_column: str | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Collection:
    """Load a collection.

    Parameters
    ----------
    source : str, Path, networkx.Graph or torch_geometric.data.Data
        Images: a folder (with ``metadata.csv``, ``.tsv``, ``.jsonl`` or ``.parquet`` if it has one), a zip
        of such a folder, a Hugging Face hub id ``owner/name``, a Parquet file with pictures, or an array of
        uint8 pixels in ``.npy`` or ``.npz``. Table: ``.csv``, ``.tsv``, ``.parquet``, ``.xlsx``. Vectors:
        ``.npy``, ``.npz`` (``file.npz::name`` for one of several arrays), ``.parquet`` with
        ``kind="vectors"``. Series: ``.ts`` of the UCR and UEA archives, an array windows × time × channels in
        ``.npy`` or ``.npz``, a long recording as an array or ``.csv`` with ``kind="series"`` and a window.
        Text: a folder of ``.txt``, ``.jsonl``, or a table with ``kind="text"``. Tokens: ``.conllu`` (also
        ``.gz``), or a table of sentence, start and end with ``kind="tokens"``.
        Graph: a folder with ``nodes.csv`` and ``edges.csv``, an ``.npz`` with features and ``edges`` or
        ``edge_index``, ``.graphml``, ``.gml``, ``.gexf``; a graph of NetworkX or data of PyTorch Geometric.
        Views: an ``.npz`` with one array a view, a folder with one table or ``.npy`` a view, or with
        ``kind="views"`` a folder of pictures whose metadata hold numbers.
    destination : str or Path
        Folder the collection becomes; must not exist, or be empty. Its name is the collection's id. It
        appears when everything is done; until then the work lies in a hidden folder beside it. The same
        call after a kill or stop goes on there; after the end it opens what is there.
    kind : {"images", "table", "vectors", "series", "text", "tokens", "graph", "views"}, optional
        What to make of the source; by default what it looks like.
    name : str, optional
        For people; by default the source's name.
    copy : bool, default=False
        Copy pictures into the collection. Otherwise they stay where they are and are referred to.
    label_column : str, optional
        The column with reference labels; never used as a feature.
    options : mapping, optional
        What else can be chosen for this kind, see `clustering.collections.readers`; for series
        `SeriesOptions`: ``{"window": 100, "step": 50, "rate": 50}``.
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
    there = _located(source, label_column)
    path = there.path
    found = kind or kind_by_looks(there)
    reader = READERS[found]
    chosen = checked_parameters(reader.options, options or {})
    request = {
        "source": there.text
        if path is None
        else str(path.absolute()) + (f"::{there.member}" if there.member else ""),
        "kind": found,
        "copy": copy,
        "label_column": label_column,
        "file": _facts(path),
    } | ({"options": chosen} if chosen else {})
    if request_of(destination) == request:
        return Collection.open(destination)
    with building(destination, request) as part:
        loaded = reader.read(there, part, Wishes(copy, label_column, chosen), progress)
        write_collection(
            part,
            name=name or _name(path, there.text),
            kind=found,
            source=str(request["source"]),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            content_hash=loaded.content_hash,
            items=loaded.items,
            label_columns=loaded.label_columns,
            findings=loaded.findings,
            request=request,
            originals_root=loaded.originals_root,
            about=loaded.about,
        )
        tell(progress, 1, 1, "done")
    return Collection.open(destination)


def _located(source: Any, label_column: str | None) -> Source:
    """Return the file or folder and the array's name in it, or the hub id, or what an object holds."""
    if not isinstance(source, str | Path):
        from clustering.collections.graph_objects import graph_in

        found = graph_in(source, label_column)
        return Source(None, "", f"{found.name}, {found.digest()}", found)
    text, _, member = str(source).partition("::")
    path = Path(text).expanduser()
    try:
        if path.exists():
            return Source(path, member, str(source))
    except (OSError, ValueError):  # too long for a path, or with a NUL in it
        pass  # fall through to the sentence below
    if (
        isinstance(source, str)
        and (match := _HUB_ID.fullmatch(source))
        and path.suffix.lower() not in TABLES | ARRAYS | GRAPHS | {".ts", ".jsonl", ".conllu", ".gz"}
    ):
        return Source(None, match[1], source)
    raise StudioError(f"There is nothing at {source}.", "Check the spelling of the path.")


def _facts(path: Path | None) -> list[int]:
    """Return size and time of change of a file: a changed file is another source."""
    if path is None or path.is_dir():
        return []
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _name(path: Path | None, source: str) -> str:
    text = (
        source.rpartition("/")[2].partition(", ")[0]
        if path is None
        else path.absolute().stem
        if path.is_file()
        else path.absolute().name
    )
    return text.replace("_", " ").strip() or "collection"
