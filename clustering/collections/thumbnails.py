"""Lay the thumbnails of a collection out on WebP sheets, in three sizes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from clustering.collections.atlas import DESCRIPTION, SHEET, SIZES, Atlas, sheet_name
from clustering.collections.pictures import fitted
from clustering.files import write_json, write_whole
from clustering.progress import Progress, silent, tell

QUALITY = 88  # WebP; below 85 flat colours begin to show blocks at 128 pixels
KEY = "key.txt"  # what the sheets show, while they are being made


def build_atlas(
    thumbnails: Iterable[Image.Image], n_items: int, folder: Path, key: str, progress: Progress = silent
) -> Atlas:
    """Write the sheets and the description of an atlas.

    Parameters
    ----------
    thumbnails : iterable of PIL.Image.Image
        RGB, in item order, at most 128 pixels a side; read once, one after the other.
    n_items : int
        How many there are.
    folder : Path
        Where the sheets go. Sheets that an earlier, broken-off call with the same ``key`` wrote are kept.
    key : str
        Names what the thumbnails show, such as the collection's content hash.

    Raises
    ------
    Stopped
        When the listener asks for it; finished sheets are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if _key_of(folder) != key:
        for old in folder.iterdir():
            old.unlink()
        write_whole(folder / KEY, lambda stream: stream.write(key.encode()))
    with ThreadPoolExecutor(2, thread_name_prefix="sheets") as pool:
        levels = [_Level(size, folder, pool) for size in SIZES]
        for index, image in enumerate(thumbnails):
            if index % 64 == 0:
                tell(progress, index, n_items, "drawing thumbnails")
            for level in levels:
                level.add(index, image)
        for level in levels:
            level.finish()
    described = {
        str(level.size): {
            "columns": level.columns,
            "per_sheet": level.per_sheet,
            "sheets": level.sheets(n_items),
        }
        for level in levels
    }
    write_json(folder / DESCRIPTION, {"sizes": described})
    (folder / KEY).unlink()
    tell(progress, n_items, n_items, "drawing thumbnails")
    return Atlas.open(folder)


class _Level:
    """The sheet of one size that is being filled, and at most two that are being written."""

    def __init__(self, size: int, folder: Path, pool: ThreadPoolExecutor) -> None:
        self.size = size
        self.columns = SHEET // size
        self.per_sheet = self.columns**2
        self._folder = folder
        self._pool = pool
        self._sheet: Image.Image | None = None
        self._number = 0
        self._writing: deque[Future[None]] = deque()

    def sheets(self, n_items: int) -> int:
        return -(-n_items // self.per_sheet)

    def add(self, index: int, image: Image.Image) -> None:
        number, cell = divmod(index, self.per_sheet)
        if number != self._number:
            self._write()
            self._number = number
        if self._path.exists():
            return
        if self._sheet is None:
            self._sheet = Image.new("RGBA", (SHEET, SHEET))
        row, column = divmod(cell, self.columns)
        small = fitted(image, self.size)
        left = column * self.size + (self.size - small.width) // 2
        top = row * self.size + (self.size - small.height) // 2
        self._sheet.paste(small, (left, top))

    def finish(self) -> None:
        self._write()
        while self._writing:
            self._writing.popleft().result()

    @property
    def _path(self) -> Path:
        return self._folder / sheet_name(self.size, self._number)

    def _write(self) -> None:
        if self._sheet is None:
            return
        while len(self._writing) >= 2:
            self._writing.popleft().result()
        self._writing.append(self._pool.submit(_save, self._sheet, self._path))
        self._sheet = None


def _save(sheet: Image.Image, path: Path) -> None:
    write_whole(path, lambda stream: sheet.save(stream, "WEBP", quality=QUALITY, method=2))


def _key_of(folder: Path) -> str:
    key = folder / KEY
    return key.read_text(encoding="utf-8") if key.exists() else ""
