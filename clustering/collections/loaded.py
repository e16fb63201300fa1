"""What a reader hands over once a collection's data lie in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clustering.errors import StudioError

if TYPE_CHECKING:
    import pandas as pd

    from clustering.collections.collection import Finding
    from clustering.collections.found_graph import FoundGraph


class Source(NamedTuple):
    """Where a collection comes from.

    Attributes
    ----------
    path : Path or None
        File or folder; None for an id on the hub and for what is held.
    member : str
        One array of several in the file, or the id on the hub.
    text : str
        As the person wrote it.
    held : FoundGraph, optional
        A graph that was given as an object in memory.
    """

    path: Path | None
    member: str
    text: str
    held: FoundGraph | None = None

    def file(self) -> Path:
        """Return the file.

        Raises
        ------
        StudioError
            When it is a folder or an id.
        """
        if self.path is None or self.path.is_dir():
            raise StudioError(f"{self.text} is no file.", "Choose the file with the data.")
        return self.path


@dataclass(frozen=True)
class Loaded:
    """What a reader found; its data lie in the folder already.

    Attributes
    ----------
    items : pandas.DataFrame
    label_columns : tuple of str
    content_hash : str
        Of the data features are made of: the same pictures in the same order give the same hash anywhere.
    findings : tuple of Finding
    originals_root : str or None
    about : mapping
        What else the kind needs to know of its data, as JSON: kept in `Collection.about`.
    """

    items: pd.DataFrame
    label_columns: tuple[str, ...]
    content_hash: str
    findings: tuple[Finding, ...]
    originals_root: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
