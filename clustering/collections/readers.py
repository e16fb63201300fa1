"""One entry a kind of collection: which files it is read from, what can be chosen, and who reads it.

Loading, forms and the command line find a kind here; a new one is added by one entry and its reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from clustering.collections.collection import ORIGINALS, Kind
from clustering.collections.graph_options import GraphOptions
from clustering.collections.series_options import SeriesOptions
from clustering.collections.text_options import TextOptions, TokenOptions
from clustering.collections.view_options import ViewOptions
from clustering.errors import StudioError
from clustering.progress import Progress

if TYPE_CHECKING:
    from clustering.collections.loaded import Loaded, Source

TABLES = frozenset({".csv", ".tsv", ".parquet", ".xlsx"})
ARRAYS = frozenset({".npy", ".npz"})
GRAPHS = frozenset({".graphml", ".gml", ".gexf"})


@dataclass(frozen=True)
class Wishes:
    """What a person asked of any load.

    Parameters
    ----------
    copy : bool
        Copy originals into the collection.
    label_column : str or None
        Comes first among the reference labels.
    options : mapping
        The kind's own, checked against the annotations of `Reader.options`.
    """

    copy: bool
    label_column: str | None
    options: Mapping[str, Any]


class NoOptions:
    """For kinds of which nothing more can be chosen."""

    def __init__(self) -> None:
        pass


@dataclass(frozen=True)
class Reader:
    """How one kind of collection is read.

    Parameters
    ----------
    endings : frozenset of str
        Of files that may hold it, with their dot.
    read : callable
        (source, folder of the collection being built, wishes, progress) → Loaded.
    options : type
        Its constructor's annotated arguments are what can be chosen besides.
    caption : str
        A few words on what such a file holds, beside the choice of a kind.
    """

    endings: frozenset[str]
    read: Callable[[Source, Path, Wishes, Progress], Loaded]
    options: type = NoOptions
    caption: str = ""


def _images(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.hub import is_dataset, read_dataset
    from clustering.collections.images import read_folder

    path, label = source.path, wishes.label_column
    if path is None or path.suffix.lower() == ".parquet" or (path.is_dir() and is_dataset(path)):
        return read_dataset(path or source.member, part, label_column=label, progress=progress)
    if path.is_dir():
        return read_folder(path.absolute(), part, copy=wishes.copy, label_column=label, progress=progress)
    if path.suffix.lower() in ARRAYS:
        from clustering.collections.arrays import read_pixels

        return read_pixels(path, source.member, part, label_column=label, progress=progress)
    from clustering.collections.archives import extract

    extract(path, part / ORIGINALS, progress)
    return read_folder(part / ORIGINALS, part, copy=False, label_column=label, progress=progress)


def _table(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.tables import read_table

    return read_table(source.file(), part, label_column=wishes.label_column, progress=progress)


def _vectors(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.vectors import read_vectors

    return read_vectors(
        source.file(), source.member, part, label_column=wishes.label_column, progress=progress
    )


def _series(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.series import read_series

    options = SeriesOptions(**wishes.options)
    return read_series(
        source.file(), source.member, part, options, label_column=wishes.label_column, progress=progress
    )


def _texts(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.texts import read_texts

    path = source.path if source.path is not None and source.path.is_dir() else source.file()
    options = TextOptions(**wishes.options)
    return read_texts(path, part, options, label_column=wishes.label_column, progress=progress)


def _tokens(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.tokens import read_tokens

    options = TokenOptions(**wishes.options)
    return read_tokens(source.file(), part, options, label_column=wishes.label_column, progress=progress)


def _graph(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.graphs import read_graph

    options = GraphOptions(**wishes.options)
    return read_graph(source, part, options, label_column=wishes.label_column, progress=progress)


def _views(source: Source, part: Path, wishes: Wishes, progress: Progress) -> Loaded:
    from clustering.collections.views import read_views

    options, label = ViewOptions(**wishes.options), wishes.label_column
    return read_views(source, part, options, copy=wishes.copy, label_column=label, progress=progress)


READERS: dict[Kind, Reader] = {
    "images": Reader(ARRAYS | {".parquet", ".zip"}, _images, caption="pictures"),
    "table": Reader(TABLES, _table, caption="columns of any type, one item a row"),
    "vectors": Reader(ARRAYS | {".parquet"}, _vectors, caption="one number a column, one item a row"),
    "series": Reader(
        ARRAYS | {".ts", ".csv", ".tsv"}, _series, SeriesOptions,
        caption="measurements one after the other, cut into windows",
    ),
    "text": Reader(TABLES | {".jsonl"}, _texts, TextOptions, caption="a text in every row"),
    "tokens": Reader(
        frozenset({".conllu", ".gz", ".csv", ".tsv"}), _tokens, TokenOptions,
        caption="words or phrases in sentences",
    ),
    "graph": Reader(
        GRAPHS | TABLES | {".npz"}, _graph, GraphOptions,
        caption="nodes with features, and links between them",
    ),
    "views": Reader(
        frozenset({".npz"}), _views, ViewOptions,
        caption="several tables of numbers of the same items",
    ),
}  # fmt: skip


def kinds_of_ending(ending: str) -> tuple[Kind, ...]:
    """Return the kinds a file with this ending (with its dot) may hold; the usual one first."""
    return tuple(kind for kind, reader in READERS.items() if ending.lower() in reader.endings)


def kinds_of_files(names: Iterable[str]) -> tuple[Kind, ...]:
    """Return the kinds several files together may hold where that is open; the usual one first.

    Pictures with a table may be pictures or two views; several tables or arrays, views or a graph.
    """
    from clustering.collections.pictures import EXTENSIONS

    endings = [PurePosixPath(name).suffix.lower() for name in names]
    tables = sum(ending in TABLES | {".npy", ".jsonl"} for ending in endings)
    if any(ending in EXTENSIONS for ending in endings):
        return ("images", "views") if tables else ()
    return ("views", "graph") if tables > 1 else ()


def kind_by_looks(source: Source) -> Kind:
    """Return the kind a source looks like.

    Raises
    ------
    StudioError
        When it is of none.
    """
    path = source.path
    if source.held is not None:
        return "graph"
    if path is None:
        return "images"
    ending = path.suffix.lower()
    if path.is_dir() or ending == ".npz":
        from clustering.collections.graph_files import holds_graph

        if holds_graph(path):
            return "graph"
    if path.is_dir() or ending == ".npz":
        from clustering.collections.view_files import holds_views

        if holds_views(path, source.member):
            return "views"
    if path.is_dir():
        return "text" if _holds_texts(path) else "images"
    if ending in GRAPHS:
        return "graph"
    if ending == ".parquet":
        from clustering.collections.hub import has_pictures

        return "images" if has_pictures(path) else "table"
    if ending in TABLES:
        return "table"
    if ending == ".ts":
        return "series"
    if ending == ".jsonl":
        return "text"
    if path.name.lower().endswith((".conllu", ".conllu.gz")):
        return "tokens"
    if ending in ARRAYS:
        from clustering.collections.arrays import holds_pixels, holds_windows

        if holds_pixels(path, source.member):
            return "images"
        return "series" if holds_windows(path, source.member) else "vectors"
    import zipfile

    if zipfile.is_zipfile(path):
        return "images"
    raise StudioError(
        f"{source.text} is of a kind that is not read ({ending or 'no ending'}).",
        "Choose a folder of pictures, of .txt files or with nodes.csv and edges.csv, a zip of pictures, or a "
        "file that ends in .csv, .tsv, .parquet, .xlsx, .npy, .npz, .ts, .jsonl, .conllu, .graphml, .gml or "
        ".gexf.",
    )


def _holds_texts(folder: Path) -> bool:
    """Say whether a folder holds several text files and no picture, by its first thousand files."""
    from itertools import islice

    from clustering.collections.pictures import EXTENSIONS

    endings = [path.suffix.lower() for path in islice(folder.rglob("*"), 1000)]
    return endings.count(".txt") > 1 and not set(endings) & {f".{one.lstrip('.')}" for one in EXTENSIONS}
