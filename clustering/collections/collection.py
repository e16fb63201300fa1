"""A collection on disk: what it holds, what the check found, its items, its data, its pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from clustering.collections.atlas import Atlas
from clustering.errors import StudioError
from clustering.files import write_json, write_whole
from clustering.kinds import is_pictured

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from PIL import Image

Kind = Literal["images", "table", "vectors", "series", "text", "tokens", "graph", "views"]
KINDS: tuple[str, ...] = get_args(Kind)

DESCRIPTION = "collection.json"
ITEMS = "items.parquet"
FEATURES = "features.parquet"  # kind table
VECTORS = "vectors.npy"  # kinds vectors and graph
EDGES = "edges.npy"  # kind graph: the row numbers of both ends of every link
WINDOWS = "windows.npy"  # kind series: every window laid flat, its channels together
VIEWS = "views.npy"  # kind views: side by side, a view an item lacks being NaN
TEXTS = "texts.parquet"  # kind text
SENTENCES = "sentences.parquet"  # kind tokens: the words of every sentence
SPANS = "spans.parquet"  # kind tokens: sentence, first word and the word behind the last of every item
PIXELS = "pixels.npy"  # kind images, when they came as one array
ORIGINALS = "originals"  # pictures that were copied
FACTS = "originals.parquet"  # size in bytes and time of change of every original
THUMBNAILS = "thumbnails"


@dataclass(frozen=True)
class Finding:
    """One line of the collection check.

    Attributes
    ----------
    subject : str
        ``"unreadable"``, ``"duplicates"``, ``"tiny"``, ``"blank"``, ``"constant"``, ``"missing"``,
        ``"balance"``, …
    count : int
        How many items or columns it concerns.
    sentence : str
        What was found and what was done about it.
    items : tuple of str
        Up to 20 examples: ids, files or column names.
    """

    subject: str
    count: int
    sentence: str
    items: tuple[str, ...] = ()


class Collection:
    """Items of one kind in a folder, as `load` made it.

    Opening reads one small file; items, data and pictures are read when they are asked for.
    """

    def __init__(self, folder: Path, description: Mapping[str, Any]) -> None:
        self.folder = folder
        self._description = description
        self.name: str = description["name"]
        self.kind: Kind = description["kind"]
        self.n_items: int = description["n_items"]
        self.source: str = description["source"]
        self.created: str = description["created"]
        self.content_hash: str = description["content_hash"]
        self.about: Mapping[str, Any] = description.get("about") or {}
        self.label_columns: tuple[str, ...] = tuple(description["label_columns"])
        self.findings: tuple[Finding, ...] = tuple(
            Finding(f["subject"], f["count"], f["sentence"], tuple(f["items"]))
            for f in description["findings"]
        )

    @classmethod
    def open(cls, folder: str | Path) -> Collection:
        """Open the collection in ``folder``.

        Raises
        ------
        StudioError
            When there is none, or its description is broken or of a later version.
        """
        folder = Path(folder)
        try:
            description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            return cls(folder, description)
        except FileNotFoundError:
            raise StudioError(f"There is no collection in {folder}.", "Load it again.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudioError(
                f"The description of the collection in {folder} cannot be read ({error}).", "Load it again."
            ) from error

    def __repr__(self) -> str:
        return f"Collection({self.name!r}, {self.kind}, {self.n_items} items, {str(self.folder)!r})"

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @cached_property
    def items(self) -> pd.DataFrame:
        """One row an item, in order: ``id``, for images ``path`` and ``aspect``, and the metadata columns."""
        return _read_table(self.folder / ITEMS)

    @property
    def originals_root(self) -> Path | None:
        """Folder that ``path`` in `items` is relative to; None when the items are no pictures."""
        root = self._description.get("originals_root")
        return None if root is None else self.folder / root  # an absolute root stays itself

    def original(self, index: int) -> Path:
        """Return the file of a picture.

        Raises
        ------
        StudioError
            When the items are no pictures, there is no such item, or its file is gone.
        """
        root = self.originals_root
        if root is None:
            raise StudioError(
                f"“{self.name}” holds {self.kind}, not pictures.", "Choose a collection of images."
            )
        path = root / str(self.items["path"].iloc[self._checked(index)])
        if not path.is_file():
            raise StudioError(
                f"The picture {path} is gone.", "Put it back where it was, or load the collection again."
            )
        return path

    @property
    def pictured(self) -> bool:
        """Whether every item has a picture, its own or one drawn of it."""
        return is_pictured(self.kind) or bool(self.about.get("pictured"))

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        """Return a picture: RGB, upright, transparency on white, longer side at most ``size`` pixels.

        Of a series' window its waveform is drawn, of views the one that is a picture.
        """
        if "picture" in self.about:
            import numpy as np

            from clustering.collections.drawn_views import drawn_view

            return drawn_view(np.asarray(self.data())[self._checked(index)], self.about, size)
        if self.kind == "series":
            import numpy as np

            from clustering.collections.waveforms import drawn_window

            return drawn_window(np.asarray(self.data())[self._checked(index)], self.about, size)
        from clustering.collections.pictures import picture_at

        return picture_at(self.original(index), size)

    def pixels(self) -> NDArray[np.uint8] | None:
        """Return the raw pixels, uint8 (n, height, width) or (n, height, width, 3), memory-mapped.

        None when the pictures did not come as one array.
        """
        return self._array(PIXELS) if (self.folder / PIXELS).exists() else None

    def data(self) -> NDArray[np.float32] | pd.DataFrame:
        """Return what features are made of.

        Returns
        -------
        numpy.ndarray or pandas.DataFrame
            Vectors: float32 (n, d), memory-mapped. Graph: the features of its nodes, float32 (n, d), d may be
            0, memory-mapped; its links are in `edges`. Series: float32 (n, steps, channels), memory-mapped.
            Views: all side by side, float32 (n, d), NaN where an item lacks one, memory-mapped; what they
            are called and how wide is in `about`. Table: the feature columns, missing values left missing.
            Text: the column ``text``. Tokens:
            ``sentence``, ``start`` and ``end`` of every item, and ``words``, the list of its sentence's.

        Raises
        ------
        StudioError
            For images: ask `picture` for them one by one.
        """
        if self.kind in ("vectors", "graph"):
            return self._array(VECTORS)
        if self.kind == "series":
            return self._array(WINDOWS).reshape(self.n_items, -1, len(self.about["channels"]))
        if self.kind == "views":
            return self._array(VIEWS)
        if self.kind == "table":
            return _read_table(self.folder / FEATURES)
        if self.kind == "text":
            return _read_table(self.folder / TEXTS)
        if self.kind == "tokens":
            import pandas as pd

            spans, sentences = _read_table(self.folder / SPANS), _read_table(self.folder / SENTENCES)
            words = pd.Series([list(found) for found in sentences["words"]])  # shared within a sentence
            return spans.assign(words=words.iloc[spans["sentence"].to_numpy()].to_numpy())
        raise StudioError(f"“{self.name}” holds pictures, not a table.", "Compute features of it first.")

    def edges(self) -> NDArray[np.int64]:
        """Return the links of a graph, int64 (e, 2), memory-mapped.

        Every link stands once, in ascending order: row numbers of its two ends, the smaller first.

        Raises
        ------
        StudioError
            When the collection is no graph.
        """
        if self.kind != "graph":
            raise StudioError(
                f"“{self.name}” holds {self.kind}, and no links between them.", "Choose a graph."
            )
        return self._array(EDGES)

    @cached_property
    def atlas(self) -> Atlas | None:
        """The thumbnails, or None when the items have no pictures."""
        return Atlas.open(self.folder / THUMBNAILS) if self.pictured else None

    def changed_originals(self) -> tuple[Finding, ...]:
        """Compare every referenced original with what it was when it was loaded (size and time of change)."""
        from clustering.collections.check import originals_findings

        root = self.originals_root
        return () if root is None else originals_findings(root, _read_table(self.folder / FACTS))

    def _checked(self, index: int) -> int:
        if not 0 <= index < self.n_items:
            raise StudioError(
                f"“{self.name}” has no item {index}.", f"Items run from 0 to {self.n_items - 1}."
            )
        return index

    def _array(self, name: str) -> NDArray[Any]:
        import numpy as np

        try:
            return np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StudioError(f"{self.folder / name} cannot be read ({error}).", "Load it again.") from error


def write_collection(
    folder: Path,
    *,
    name: str,
    kind: Kind,
    source: str,
    created: str,
    content_hash: str,
    items: pd.DataFrame,
    label_columns: tuple[str, ...],
    findings: tuple[Finding, ...],
    request: Mapping[str, object],
    originals_root: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write the items and the description of a collection whose data already lie in ``folder``."""
    write_whole(folder / ITEMS, lambda stream: items.to_parquet(stream, index=False))
    write_json(
        folder / DESCRIPTION,
        {
            "version": 1,
            "name": name,
            "kind": kind,
            "n_items": len(items),
            "source": source,
            "created": created,
            "content_hash": content_hash,
            "label_columns": list(label_columns),
            "originals_root": originals_root,
            "findings": [asdict(finding) for finding in findings],
            "request": dict(request),
            "about": dict(about or {}),
        },
    )


def request_of(folder: Path) -> Any:
    """Return what `load` was asked for when it made the collection in ``folder``; None when there is none."""
    try:
        return json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")).get("request")
    except (OSError, ValueError, AttributeError):
        return None


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise StudioError(f"{path} cannot be read ({error}).", "Load the collection again.") from error
