"""The kinds of data the studio knows, and what a person calls them."""

from __future__ import annotations

from typing import Literal

DataKind = Literal["images", "table", "text", "tokens", "series", "graph", "views", "vectors"]

# Kinds whose items are one row of numbers each once an encoder has seen them.
ANY_FEATURES: tuple[DataKind, ...] = ("images", "table", "vectors", "text", "tokens", "series")

IN_WORDS: dict[str, str] = {
    "images": "pictures",
    "table": "tables",
    "text": "texts",
    "tokens": "words in sentences",
    "series": "sensor windows",
    "graph": "graphs",
    "views": "several views of the same items",
    "vectors": "vectors",
}
