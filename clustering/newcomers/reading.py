"""Read what shall be placed beside a collection, of whatever kind, and refuse what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.kinds import is_pictured
from clustering.newcomers.nodes import ALONE, node_rows
from clustering.newcomers.rows import refuse_many, table_rows, vector_rows
from clustering.newcomers.texts import text_rows
from clustering.newcomers.views import view_rows
from clustering.newcomers.windows import window_rows
from clustering.newcomers.words import word_rows

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

    from clustering.collections import Collection

MOST_MEGABYTES = 64  # of one file
T = TypeVar("T")


@dataclass(frozen=True)
class Newcomers:
    """Items beside a collection, as encoders take them.

    Parameters
    ----------
    names : tuple of str
        What each is called: a file's name, or its row.
    paths : tuple of Path
        Files of pictures.
    rows : DataFrame or array, optional
        Of a table (the collection's feature columns), vectors, features of nodes, windows, views, texts, or
        words in their sentences.
    notes : tuple of str
        Sentences about what was met and left out.
    about : mapping
        Of the collection's data, as its pictures need it where they are drawn.
    """

    kind: str
    names: tuple[str, ...]
    paths: tuple[Path, ...] = ()
    rows: pd.DataFrame | NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()
    name: str = "what was dropped"
    content_hash: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pictured(self) -> bool:
        """Whether each has a picture, its own or one drawn of it."""
        return is_pictured(self.kind) or bool(self.about.get("pictured"))

    @property
    def n_items(self) -> int:
        """How many there are."""
        return len(self.names)

    def original(self, index: int) -> Path:
        """Return the file of a picture."""
        return self.paths[index]

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        """Return a picture, RGB and upright, its longer side at most ``size`` pixels.

        Raises
        ------
        StudioError
            When the file is no picture, or too large a one.
        """
        if "picture" in self.about:
            from clustering.collections.drawn_views import drawn_view

            return drawn_view(np.asarray(self.rows)[index], self.about, size)
        if self.kind == "series":
            from clustering.collections.waveforms import drawn_window

            return drawn_window(np.asarray(self.rows)[index], self.about, size)
        from clustering.collections.pictures import open_picture

        return self._said(index, lambda path: open_picture(path, size).image)

    def checked(self, index: int) -> tuple[int, int]:
        """Return the width and height of a picture; reads only the head of its file.

        Raises
        ------
        StudioError
            When the file is no picture, or too large a one.
        """
        from clustering.collections.pictures import picture_size

        return self._said(index, picture_size)

    def _said(self, index: int, read: Callable[[Path], T]) -> T:
        from clustering.collections.pictures import TooLargeError, UnreadableError

        name = self.names[index]
        try:
            return read(self.paths[index])
        except TooLargeError as error:
            raise StudioError(
                f"“{name}” is too large a picture: {error}.", "Save it smaller and drop it again."
            ) from error
        except UnreadableError as error:
            raise StudioError(
                f"“{name}” cannot be opened as a picture: {error}.",
                "Drop a JPEG, PNG, WebP or TIFF that opens elsewhere.",
            ) from error

    def data(self) -> pd.DataFrame | NDArray[np.float32]:
        """Return the rows of a table, the vectors, the windows or the views."""
        assert self.rows is not None
        return self.rows


def read_newcomers(collection: Collection, files: Sequence[Path]) -> Newcomers:
    """Read files that shall be placed beside the items of a collection.

    Parameters
    ----------
    collection : Collection
        Says what kind of item is expected, and which columns.
    files : sequence of Path
        Pictures; or tables or arrays with a row an item; or series; or texts, or sentences.

    Raises
    ------
    StudioError
        When a file is of another kind, too large, or does not fit the collection; the sentence names it.
    """
    if not files:
        raise StudioError("No file was given.", "Choose at least one.")
    for file in files:
        if not file.is_file():
            raise StudioError(f"There is no file {file}.", "Check its name.")
        megabytes = file.stat().st_size / 1e6
        if megabytes > MOST_MEGABYTES:
            raise StudioError(
                f"“{file.name}” has {megabytes:,.0f} MB; {MOST_MEGABYTES} MB is the most.",
                "Choose a smaller file.",
            )
    if collection.kind == "images":
        refuse_many(len(files), "pictures were dropped")
        found = Newcomers("images", tuple(file.name for file in files), tuple(files))
        for index in range(found.n_items):
            found.checked(index)  # before any weights are loaded
        return found
    if collection.kind == "table":
        rows, names, notes = table_rows(collection, files)
        return Newcomers("table", names, rows=rows, notes=notes)
    if collection.kind == "vectors":
        vectors, names = vector_rows(collection, files)
        return Newcomers("vectors", names, rows=vectors)
    if collection.kind == "graph":
        vectors, names = node_rows(collection, files)
        return Newcomers("graph", names, rows=vectors, notes=(ALONE,))
    if collection.kind == "series":
        windows, names = window_rows(collection, files)
        return Newcomers("series", names, rows=windows, about=collection.about)
    if collection.kind == "text":
        texts, names = text_rows(files)
        return Newcomers("text", names, rows=texts)
    if collection.kind == "views":
        joined, names, notes = view_rows(collection, files)
        return Newcomers("views", names, rows=joined, notes=notes, about=collection.about)
    words, names = word_rows(collection, files)
    return Newcomers("tokens", names, rows=words)
