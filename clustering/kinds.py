"""The kinds of data the studio knows, what a person calls them, and whether their items have a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DataKind = Literal["images", "table", "text", "tokens", "series", "graph", "views", "vectors"]

# Kinds whose items are one row of numbers each once an encoder has seen them.
ANY_FEATURES: tuple[DataKind, ...] = (
    "images", "table", "vectors", "text", "tokens", "series", "graph", "views",
)  # fmt: skip


@dataclass(frozen=True)
class KindInfo:
    """How a kind is spoken of and shown.

    Parameters
    ----------
    title : str
        What a method takes: ``"pictures"``.
    items : str
        What the items of a collection are called: ``"works"``.
    pictured : bool
        Whether an item is shown by a picture on maps, walls and cards: its own, or one drawn of it.
        Otherwise it is a row of words.
    """

    title: str
    items: str
    pictured: bool = False


KIND_INFO: dict[str, KindInfo] = {
    "images": KindInfo("pictures", "works", pictured=True),
    "table": KindInfo("tables", "rows"),
    "text": KindInfo("texts", "texts"),
    "tokens": KindInfo("words in sentences", "words"),
    "series": KindInfo("time series", "windows", pictured=True),
    "graph": KindInfo("graphs (features and links)", "nodes"),
    "views": KindInfo("several views of the same items", "items"),
    "vectors": KindInfo("vectors", "vectors"),
}


def is_pictured(kind: str) -> bool:
    """Return whether the items of a kind are shown by pictures."""
    return KIND_INFO[kind].pictured


def in_words(kind: str) -> str:
    """Return what a method is said to take."""
    return KIND_INFO[kind].title
