"""What is written about an item: its title and a line or two, found in whatever columns a collection has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from clustering.collections import Collection

TITLES = ("title", "name", "label", "caption", "object_name", "titel", "titre", "标题", "题名")
MAKERS = (
    "artist",
    "creator",
    "author",
    "maker",
    "artist_display_name",
    "artist_title",
    "painter",
    "manner",
    "作者",
)
DATES = ("year", "date", "date_display", "object_date", "created", "period", "century", "年代")
OPENING = "opening"  # how a text begins, or a word in its sentence
HIDDEN = ("id", "path", "aspect", "width", "height", "duplicate_of", OPENING)


@dataclass(frozen=True)
class Caption:
    """Words for one item; plain text that still needs escaping wherever markup is written."""

    title: str
    maker: str = ""
    date: str = ""

    @property
    def lines(self) -> list[str]:
        """Maker and date, those that are known."""
        return [line for line in (self.maker, self.date) if line]

    @property
    def line(self) -> str:
        """Maker, title, date in one line, as under a picture in a book."""
        return ", ".join(part for part in (self.maker, self.title, self.date) if part)


@dataclass(frozen=True)
class Captions:
    """Reads captions out of an items table."""

    items: pd.DataFrame
    title: str | None
    maker: str | None
    date: str | None

    @classmethod
    def of(cls, collection: Collection) -> Captions:
        """Return the captions of a collection."""
        return cls.from_table(collection.items)

    @classmethod
    def from_table(cls, items: pd.DataFrame) -> Captions:
        """Choose the columns a caption is made of, by their names."""
        by_name = {str(name).strip().lower().replace(" ", "_"): str(name) for name in items.columns}

        def first(names: tuple[str, ...]) -> str | None:
            return next((by_name[name] for name in names if name in by_name), None)

        return cls(items, first(TITLES), first(MAKERS), first(DATES))

    def caption(self, index: int) -> Caption:
        """Return the words for item ``index``; without a title the item's id stands in."""
        row = self.items.iloc[int(index)]
        title = shown(row[self.title]) if self.title else ""
        return Caption(
            title=title or shown(row.get("id", f"Item {index + 1}")),
            maker=shown(row[self.maker]) if self.maker else "",
            date=shown(row[self.date]) if self.date else "",
        )

    def metadata(self, index: int) -> list[tuple[str, str]]:
        """Return the known metadata of an item as (column, value), without what is ours."""
        row = self.items.iloc[int(index)]
        known = [(str(name), shown(row[name])) for name in self.items.columns if str(name) not in HIDDEN]
        return [(name, value) for name, value in known if value]


def shown(value: Any) -> str:
    """Return a value as a person would write it; nothing for a missing one."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
