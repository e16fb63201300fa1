"""Where an item's thumbnail lies: plain arithmetic, so that the map in the browser needs no table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clustering.errors import StudioError

if TYPE_CHECKING:
    from PIL import Image

SHEET = 2048  # pixels a side; every WebGL2 device takes a texture of this size
SIZES = (32, 64, 128)  # pixels a side of a cell
DESCRIPTION = "atlas.json"


@dataclass(frozen=True)
class AtlasSize:
    """One level of detail.

    Attributes
    ----------
    columns : int
        Cells a row of a sheet; as many rows.
    per_sheet : int
        Cells a sheet.
    sheets : int
        How many sheets there are.
    """

    columns: int
    per_sheet: int
    sheets: int


@dataclass(frozen=True)
class Atlas:
    """The thumbnails of a collection: WebP sheets of 2048 × 2048 pixels in three sizes.

    Item ``i`` lies on sheet ``i // per_sheet``, cell ``i % per_sheet`` row by row; its aspect is kept, the
    rest of the cell is transparent.
    """

    folder: Path
    sizes: dict[int, AtlasSize]

    @classmethod
    def open(cls, folder: Path) -> Atlas:
        """Read the atlas's description in ``folder``."""
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["sizes"]
        return cls(folder, {int(size): AtlasSize(**facts) for size, facts in described.items()})

    def sheet(self, size: int, number: int) -> Path:
        """Return the file of one sheet.

        Raises
        ------
        StudioError
            When there is no such size or sheet.
        """
        if size not in self.sizes or not 0 <= number < self.sizes[size].sheets:
            raise StudioError(
                f"The atlas has no sheet {number} of {size}-pixel thumbnails.",
                f"It has the sizes {', '.join(map(str, self.sizes))}.",
            )
        return self.folder / sheet_name(size, number)

    def place(self, index: int, size: int) -> tuple[int, int, int]:
        """Return the sheet and the left and top pixel of an item's cell."""
        facts = self.sizes[size]
        sheet, cell = divmod(index, facts.per_sheet)
        row, column = divmod(cell, facts.columns)
        return sheet, column * size, row * size

    def thumbnail(self, index: int, size: int) -> Image.Image:
        """Cut an item's cell (RGBA, ``size`` × ``size``) out of its sheet."""
        from PIL import Image

        sheet, left, top = self.place(index, size)
        with Image.open(self.sheet(size, sheet)) as image:
            return image.convert("RGBA").crop((left, top, left + size, top + size))


def sheet_name(size: int, number: int) -> str:
    """Return the file name of a sheet."""
    return f"atlas-{size}-{number:03d}.webp"
