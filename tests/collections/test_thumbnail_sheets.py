"""Every item's thumbnail lies where the arithmetic says, in its own shape and colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from painting import painted
from PIL import Image

from clustering.collections.atlas import SHEET, Atlas
from clustering.collections.thumbnails import build_atlas
from clustering.errors import Stopped, StudioError

COLOURS = [(200, 30, 30), (30, 160, 40), (40, 60, 200), (230, 200, 40), (120, 40, 160)]


def _plain(number: int) -> list[Image.Image]:
    return [
        Image.new("RGB", (100, 50) if index % 2 else (40, 128), COLOURS[index % 5]) for index in range(number)
    ]


def test_every_cell_shows_its_item_letterboxed_on_transparency(tmp_path: Path) -> None:
    number = 270  # two sheets of the largest size
    atlas = build_atlas(_plain(number), number, tmp_path, "key")
    for size in (32, 64, 128):
        for index in (0, 1, 17, 255, 256, 269):
            cell = np.asarray(atlas.thumbnail(index, size), int)
            width, height = (size, size // 2) if index % 2 else (round(size * 40 / 128), size)
            assert cell.shape == (size, size, 4)
            assert np.abs(cell[size // 2, size // 2, :3] - COLOURS[index % 5]).max() <= 6
            shown = cell[..., 3] > 0
            assert shown.sum() == width * height
            assert shown[(size - height) // 2, (size - width) // 2]


def test_the_description_is_plain_arithmetic(tmp_path: Path) -> None:
    build_atlas(_plain(270), 270, tmp_path, "key")
    described = json.loads((tmp_path / "atlas.json").read_text())["sizes"]
    assert described == {
        "32": {"columns": 64, "per_sheet": 4096, "sheets": 1},
        "64": {"columns": 32, "per_sheet": 1024, "sheets": 1},
        "128": {"columns": 16, "per_sheet": 256, "sheets": 2},
    }
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "atlas-128-000.webp",
        "atlas-128-001.webp",
        "atlas-32-000.webp",
        "atlas-64-000.webp",
        "atlas.json",
    ]
    for path in tmp_path.glob("*.webp"):
        with Image.open(path) as sheet:
            assert sheet.size == (SHEET, SHEET)


def test_a_thumbnail_looks_like_its_picture(tmp_path: Path) -> None:
    pictures = [painted(seed, 128, 96) for seed in range(5)]
    atlas = build_atlas(pictures, 5, tmp_path, "key")
    for index, picture in enumerate(pictures):
        shown = np.asarray(atlas.thumbnail(index, 64).crop((0, 8, 64, 56)).convert("RGB"), float)
        exact = np.asarray(picture.resize((64, 48), Image.Resampling.LANCZOS), float)
        assert np.abs(shown - exact).mean() < 6


def test_small_drawings_keep_their_pixels(tmp_path: Path) -> None:
    digit = Image.fromarray(np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((4, 4), np.uint8))).convert(
        "RGB"
    )
    cell = np.asarray(build_atlas([digit], 1, tmp_path, "key").thumbnail(0, 64).convert("L"))
    assert cell[:28, :28].min() > 245
    assert cell[36:, :28].max() < 10


def test_sheets_of_a_broken_off_call_are_kept_and_those_of_another_are_not(tmp_path: Path) -> None:
    number = 520
    with pytest.raises(Stopped):
        build_atlas(_plain(number), number, tmp_path, "key", lambda done, total, doing: done >= 500)
    first = tmp_path / "atlas-128-000.webp"
    kept = first.stat().st_mtime_ns
    build_atlas(_plain(number), number, tmp_path, "key")
    assert first.stat().st_mtime_ns == kept
    with pytest.raises(Stopped):
        build_atlas(_plain(number), number, tmp_path, "other", lambda done, total, doing: done >= 100)
    assert not list(tmp_path.glob("*.webp"))


def test_a_sheet_that_is_not_there_ends_in_a_sentence(tmp_path: Path) -> None:
    build_atlas(_plain(3), 3, tmp_path, "key")
    atlas = Atlas.open(tmp_path)
    for size, number in ((64, 1), (64, -1), (48, 0)):
        with pytest.raises(StudioError, match=r"has no sheet.*32, 64, 128"):
            atlas.sheet(size, number)
