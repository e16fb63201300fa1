"""What may be placed is read as the collection was; what does not fit is refused with its mend."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clustering.collections import Collection, load
from clustering.errors import StudioError
from clustering.newcomers import read_newcomers
from clustering.newcomers.reading import MOST_MEGABYTES

ROWS = pd.DataFrame(
    {
        "height": [1.0, 2.5, 3.0, 4.0, 9.0, 3.0],
        "count": [1, 2, 3, 4, 5, 9],
        "glazed": [True, False, True, True, False, False],
        "kind": ["oil", "ink", "oil", "ink", "oil", "ink"],
        "maker": ["Anna", "Bo", "Cy", "Di", "Ed", "Flo"],
    }
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("table")
    ROWS.to_csv(folder / "pots.csv", index=False)
    return load(folder / "pots.csv", folder / "collection", name="Pots")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("vectors")
    np.save(folder / "some.npy", np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32))
    return load(folder / "some.npy", folder / "collection", name="Some", kind="vectors")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(3):
        Image.new("RGB", (20, 30), (80 * number, 9, 9)).save(folder / f"{number}.png")
    return load(folder, folder.parent / "picture-collection", name="Three")


def written(path: Path, content: Any) -> Path:
    if isinstance(content, pd.DataFrame):
        content.to_csv(path, index=False)
    elif isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
    return path


def refused(collection: Collection, *files: Path) -> str:
    with pytest.raises(StudioError) as told:
        read_newcomers(collection, files)
    assert told.value.mend, "a problem without a mend"
    assert told.value.mend.endswith(".")
    return told.value.problem


def test_rows_keep_the_columns_and_types_of_the_collection(table: Collection, tmp_path: Path) -> None:
    mixed = ROWS.iloc[[1]].rename(columns={"height": "Height"})[["kind", "glazed", "Height", "count"]]
    found = read_newcomers(table, [written(tmp_path / "one.csv", mixed)])
    rows = found.data()
    assert isinstance(rows, pd.DataFrame)
    wanted = table.data()
    assert isinstance(wanted, pd.DataFrame)
    assert list(rows.columns) == list(wanted.columns)
    assert rows["height"].tolist() == [2.5]
    assert rows["kind"].tolist() == ["ink"]
    assert not rows["glazed"].iloc[0]
    assert found.names == ("one.csv, row 1",)


def test_a_row_may_lack_values_but_not_columns(table: Collection, tmp_path: Path) -> None:
    gap = ROWS.iloc[[0]].assign(height=np.nan)
    rows = read_newcomers(table, [written(tmp_path / "gap.csv", gap)]).data()
    assert np.isnan(float(rows["height"].iloc[0]))
    said = refused(table, written(tmp_path / "short.csv", ROWS.iloc[[0]].drop(columns=["height", "kind"])))
    assert "lacks 2 columns" in said
    assert "“height”, “kind”" in said


def test_a_column_too_many_is_left_out_and_said(table: Collection, tmp_path: Path) -> None:
    found = read_newcomers(table, [written(tmp_path / "wide.csv", ROWS.iloc[[0]].assign(weight=3))])
    assert "“weight”" in found.notes[0]
    assert "rename" in found.notes[0]
    assert "weight" not in found.data()


def test_a_word_where_a_number_belongs_is_named_with_its_row(table: Collection, tmp_path: Path) -> None:
    odd = ROWS.iloc[:3].astype({"height": object})
    odd.loc[1, "height"] = "tall"
    said = refused(table, written(tmp_path / "odd.csv", odd))
    assert "Column “height”" in said
    assert "“tall” in row 2" in said


def test_a_row_with_more_cells_than_the_header_is_refused(table: Collection, tmp_path: Path) -> None:
    text = "height,count,glazed,kind\n1,2,true,oil,surplus\n"
    assert "has 5 cells" in refused(table, written(tmp_path / "cells.csv", text))


@pytest.mark.parametrize("content", [b"", b"height,count,glazed,kind\n", b"\x00\x01\x02" * 99])
def test_an_empty_or_binary_table_is_refused(table: Collection, tmp_path: Path, content: bytes) -> None:
    refused(table, written(tmp_path / "none.csv", content))


def test_too_many_rows_are_a_collection(table: Collection, tmp_path: Path) -> None:
    assert "21 rows" in refused(table, written(tmp_path / "many.csv", pd.concat([ROWS] * 4).iloc[:21]))


def test_vectors_of_another_length_are_refused(vectors: Collection, tmp_path: Path) -> None:
    said = refused(vectors, written(tmp_path / "long.npy", np.ones((2, 7), np.float32)))
    assert "have 7 numbers" in said
    assert "have 4" in said


def test_one_vector_may_come_flat_or_as_text(vectors: Collection, tmp_path: Path) -> None:
    flat = read_newcomers(vectors, [written(tmp_path / "flat.npy", np.arange(4.0))])
    text = read_newcomers(vectors, [written(tmp_path / "text.csv", "a,b,c,d\n0,1,2,3\n")])
    np.testing.assert_array_equal(flat.data(), [[0, 1, 2, 3]])
    np.testing.assert_array_equal(text.data(), flat.data())


def test_vectors_that_are_no_numbers_are_refused(vectors: Collection, tmp_path: Path) -> None:
    assert "not a finite number" in refused(vectors, written(tmp_path / "nan.npy", np.full((1, 4), np.nan)))
    assert "“x” in row 1, column 2" in refused(vectors, written(tmp_path / "word.csv", "a,b,c,d\n1,x,3,4\n"))
    objects = np.array([{"a": 1}], dtype=object)
    np.save(tmp_path / "pickle.npy", objects, allow_pickle=True)
    refused(vectors, tmp_path / "pickle.npy")


def png_of(width: int, height: int) -> bytes:
    """Return a PNG whose head promises many pixels; a few bytes long."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def test_a_picture_of_300_megapixels_is_refused_by_its_head(pictures: Collection, tmp_path: Path) -> None:
    said = refused(pictures, written(tmp_path / "huge.png", png_of(20_000, 15_000)))
    assert "“huge.png” is too large a picture" in said


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"%PDF-1.7", b"MZ" + b"\0" * 99])
def test_what_is_no_picture_is_refused(pictures: Collection, tmp_path: Path, content: bytes) -> None:
    assert "cannot be opened as a picture" in refused(pictures, written(tmp_path / "odd.jpg", content))


def test_too_many_pictures_and_too_large_files_are_refused(pictures: Collection, tmp_path: Path) -> None:
    one = tmp_path / "one.png"
    Image.new("RGB", (9, 9)).save(one)
    assert "21 pictures" in refused(pictures, *[one] * 21)
    large = tmp_path / "large.png"
    with large.open("wb") as stream:
        stream.truncate((MOST_MEGABYTES + 1) * 10**6)
    assert f"{MOST_MEGABYTES} MB is the most" in refused(pictures, large)
    assert "no file" in refused(pictures, tmp_path / "gone.png")
    assert refused(pictures) == "No file was given."
