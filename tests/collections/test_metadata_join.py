"""Metadata find their pictures by path, name or id, in any order, with gaps and surplus said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from painting import gallery

from clustering.collections import load
from clustering.collections.metadata import join, read_metadata
from clustering.errors import StudioError

PICTURES = ["a/1.png", "a/2.png", "b/3.png"]


@pytest.mark.parametrize(
    "keys",
    [
        {"file": ["b/3.png", "a/1.png", "a/2.png"]},
        {"file_name": ["./b/3.png", "a\\1.png", " a/2.png"]},
        {"image": ["3.png", "1.png", "2.png"]},
        {"id": ["3", "1", "2"]},
        {"Inventory": ["3", "1", "2"]},
    ],
)
def test_rows_find_their_pictures_however_they_are_named(keys: dict[str, list[str]]) -> None:
    joined = join(pd.DataFrame({**keys, "title": ["three", "one", "two"]}), PICTURES)
    assert joined.table["title"].tolist() == ["one", "two", "three"]
    assert joined.findings == ()


def test_the_column_that_names_most_pictures_wins() -> None:
    metadata = pd.DataFrame({"id": ["2", "1", "9"], "scan": ["a/1.png", "a/2.png", "b/3.png"]})
    joined = join(metadata, PICTURES)
    assert joined.ids == ["2", "1", "9"]


def test_a_name_two_pictures_share_is_not_used() -> None:
    metadata = pd.DataFrame({"file": ["1.png", "2.png"], "title": ["one", "two"]})
    with pytest.raises(StudioError, match=r"No column of the metadata names the pictures.*“a/1\.png”"):
        join(metadata, ["a/1.png", "b/1.png", "a/2.png", "b/2.png"])


def test_pictures_without_a_row_and_rows_without_a_picture_are_said() -> None:
    metadata = pd.DataFrame({"file": ["1.png", "1.png", "9.png"], "year": ["1850", "1900", "1910"]})
    joined = join(metadata, PICTURES)
    assert joined.table["year"].tolist() == [1850, pd.NA, pd.NA] or joined.table["year"].isna().tolist() == [
        False, True, True,
    ]  # fmt: skip
    assert joined.table["year"].dtype == "Int64"
    assert [(finding.count, finding.items) for finding in joined.findings] == [
        (2, ("a/2.png", "b/3.png")),
        (2, ("1.png", "9.png")),
    ]


def test_columns_called_like_ours_keep_their_values_under_another_name(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g", 2)
    (folder / "metadata.csv").write_text(
        "file,width,folder,id\npicture-0.png,1 m,A,x\npicture-1.png,2 m,B,x\n"
    )
    items = load(folder, tmp_path / "c").items
    assert items["width (metadata)"].tolist() == ["1 m", "2 m"]
    assert items["width"].tolist() == [60, 60]
    assert items["id (metadata)"].tolist() == ["x", "x"]
    assert items["id"].tolist() == ["picture-0", "picture-1"]
    assert "file" not in items


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_metadata_come_as_csv_tsv_json_lines_or_parquet(tmp_path: Path, ending: str) -> None:
    folder = gallery(tmp_path / "g", 3)
    table = pd.DataFrame({"file_name": [f"picture-{n}.png" for n in (2, 0, 1)], "title": ["Ü", "a,b", "“c”"]})
    path = folder / f"metadata.{ending}"
    if ending in ("csv", "tsv"):
        table.to_csv(path, index=False, sep="," if ending == "csv" else "\t")
    elif ending == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)
    assert load(folder, tmp_path / "c").items["title"].tolist() == ["a,b", "“c”", "Ü"]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_broken_metadata_end_in_a_sentence(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"metadata.{ending}").write_text('{"a": 1,')
    with pytest.raises(StudioError, match=r"cannot be read.*take it away"):
        read_metadata(tmp_path / f"metadata.{ending}")
