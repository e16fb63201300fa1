"""Any table becomes a collection that says what each column is used for and what is odd."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from painting import everything_in

from clustering.collections import Collection, load
from clustering.collections.columns import typed, unique_names
from clustering.errors import StudioError


def _csv(tmp_path: Path, text: str | bytes, name: str = "t.csv", **options: object) -> Collection:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(tmp_path / name, tmp_path / "c", **options)  # type: ignore[arg-type]


def _said(collection: Collection, subject: str) -> str:
    return " ".join(finding.sentence for finding in collection.findings if finding.subject == subject)


def _rows(number: int, row: str) -> str:
    return "".join(row.format(n=n, odd=n % 2, letter="abc"[n % 3], real=n * 0.37 % 1) for n in range(number))


def test_columns_find_their_part(tmp_path: Path) -> None:
    text = "id,weight,colour,note,on,count,same,when,class\n" + _rows(
        30, "x{n},{real:.3f},{letter},note number {n},{odd},{n}7,1,2020-01-1{odd},{letter}\n"
    )
    collection = _csv(tmp_path, text)
    assert list(collection.data().columns) == ["weight", "colour", "on", "count"]
    assert collection.items["id"].tolist()[:2] == ["x0", "x1"]
    assert collection.label_columns == ("class",)
    assert "“class” is taken as the label and left out of the features" in _said(collection, "label")
    assert "note, when (texts and dates)" in _said(collection, "features")
    assert "same (constant or empty)" in _said(collection, "features")
    assert "same" in _said(collection, "constant")
    assert collection.items["when"].dtype.kind == "M"
    assert collection.atlas is None


def test_the_chosen_label_is_no_feature_and_a_wrong_one_ends_in_a_sentence(tmp_path: Path) -> None:
    text = "a,b,sort\n" + _rows(12, "{n},{real},{letter}\n")
    collection = _csv(tmp_path, text, label_column="sort")
    assert list(collection.data().columns) == ["b"]  # a counts the rows
    assert collection.label_columns == ("sort",)
    with pytest.raises(StudioError, match=r"t\.csv has no column “srt”.*a, b, sort"):
        load(tmp_path / "t.csv", tmp_path / "d", label_column="srt")


def test_mixed_types_are_kept_as_text_and_said(tmp_path: Path) -> None:
    text = "x,year\n" + _rows(30, "{real},{n}\n") + "0.5,c. 1850\n"
    collection = _csv(tmp_path, text)
    assert "year" not in collection.data()
    assert collection.items["year"].iloc[30] == "c. 1850"
    assert "1 value that cannot be read as numbers (first: “c. 1850”, row 31)" in _said(collection, "mixed")
    assert "clean them" in _said(collection, "mixed")


def test_missing_and_infinite_values_stay_missing(tmp_path: Path) -> None:
    text = "x,y,z\n1.5,,a\nNA,2,b\n2.5,3,\ninf,4,a\n3,9,b\n4,1,a\n"
    data = _csv(tmp_path, text).data()
    assert isinstance(data, pd.DataFrame)
    assert data["x"].isna().tolist() == [False, True, False, True, False, False]
    assert data["y"].dtype == "Int64"
    assert data["z"].isna().sum() == 1
    collection = Collection.open(tmp_path / "c")
    assert "x (33 %)" in _said(collection, "missing")
    assert "Infinite numbers in 1 column (x)" in _said(collection, "infinite")


def test_duplicate_and_empty_column_names_are_told_apart(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "a,a,,a (2)\n" + _rows(9, "{real},1{n},3{n}.5,5{n}.5\n"))
    assert list(collection.data().columns) == ["a", "column 3", "a (2)"]  # a (3) counts the rows
    assert "2 column names twice or empty" in _said(collection, "names")


def test_three_rows_load_with_a_warning_and_one_row_ends_in_a_sentence(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "x,y\n1,5\n2,9\n7,7\n")
    assert collection.n_items == 3
    assert "Only 3 items" in _said(collection, "few")
    (tmp_path / "one.csv").write_text("x,y\n1,2\n")
    with pytest.raises(StudioError, match=r"holds 1 row below its header.*two rows or more"):
        load(tmp_path / "one.csv", tmp_path / "d")


def test_one_class_is_no_reference_and_is_said(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "x,class\n" + _rows(12, "{real},cat\n"))
    assert collection.label_columns == ()
    assert "only the value “cat”" in _said(collection, "one class")
    assert list(collection.data().columns) == ["x"]


def test_a_table_of_nothing_but_texts_ends_in_a_sentence(tmp_path: Path) -> None:
    before = everything_in(tmp_path)
    with pytest.raises(StudioError, match=r"no column that features can be made of.*Add columns of numbers"):
        _csv(tmp_path, "id,title,same\n" + _rows(20, "{n},the painting number {n},1\n"))
    (tmp_path / "t.csv").unlink()
    assert everything_in(tmp_path) == before


def test_repeated_rows_are_marked(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "x,y,class\n1,2,a\n3,4,b\n1,2,b\n1,2,a\n")
    assert collection.items["duplicate_of"].tolist()[2:] == ["1", "1"]
    assert "2 rows repeat" in _said(collection, "duplicates")


def test_values_are_text_never_programs(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "x,note\n" + _rows(8, "{real},<script>alert({n})</script> =1+1\n"))
    assert collection.items["note"].iloc[3] == "<script>alert(3)</script> =1+1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_usual_encodings_and_separators_are_read(tmp_path: Path, encoding: str, separator: str) -> None:
    frame = pd.DataFrame(
        {"größe": [1.5, 2.5, 3.25], "Maler": ["Dürer", "Cézanne, Paul", "El Greco; der"], "n": [3, 1, 9]}
    )
    frame.to_csv(tmp_path / "t.csv", index=False, sep=separator, encoding=encoding)
    items = load(tmp_path / "t.csv", tmp_path / "c").items
    assert items["Maler"].tolist() == frame["Maler"].tolist()
    assert items["größe"].tolist() == frame["größe"].tolist()


def test_decimal_commas_of_semicolon_files_are_numbers(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "a;b\n1,5;2\n-3,25;7\n0;1\n")
    assert collection.items["a"].tolist() == [1.5, -3.25, 0.0]


def test_leading_zeros_make_a_code_and_not_a_number(tmp_path: Path) -> None:
    assert _csv(tmp_path, "x,code\n1,007\n5,010\n4,011\n").items["code"].tolist() == ["007", "010", "011"]


def test_a_file_without_a_header_gets_numbered_columns(tmp_path: Path) -> None:
    collection = _csv(tmp_path, "5.1,3.5\n4.9,3.0\n4.7,3.2\n")
    assert (collection.n_items, list(collection.data().columns)) == (3, ["column 1", "column 2"])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
        (b"a,b\n1,2\n1,2,3\n", "Row 3 of t.csv has 3 cells, the header has 2"),
        (b"PK\x03\x04\x00\x00\x00\x00", "is not a text table"),
        (b'a,b\n"1,2\n', "row"),
    ],
)
def test_a_broken_csv_ends_in_a_sentence(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(StudioError) as error:
        _csv(tmp_path, content)
    assert problem in error.value.problem
    assert error.value.mend
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("ending", ["parquet", "xlsx"])
def test_a_broken_parquet_or_spreadsheet_ends_in_a_sentence(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"t.{ending}").write_bytes(b"garbage" * 10)
    with pytest.raises(StudioError) as error:
        load(tmp_path / f"t.{ending}", tmp_path / "c")
    assert error.value.mend
    assert not (tmp_path / "c").exists()


def test_a_spreadsheet_is_read_by_its_first_sheet(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2, None], "year": [1850, "c. 1900", 1910], "class": ["a", "b", "a"]})
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        frame.to_excel(book, index=False, sheet_name="Works")
        frame.to_excel(book, index=False, sheet_name="Old")
    collection = load(tmp_path / "t.xlsx", tmp_path / "c")
    assert collection.items["year"].tolist() == ["1850", "c. 1900", "1910"]
    assert collection.items["x"].isna().tolist() == [False, False, True]
    assert "Only the first sheet (“Works”)" in _said(collection, "sheets")


def test_a_spreadsheet_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("xl/worksheets/sheet1.xml", bytes(100 * 2**20))
    with pytest.raises(StudioError, match=r"as zip bombs do"):
        load(tmp_path / "t.xlsx", tmp_path / "c")


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "x": np.linspace(0, 1, 12).astype(np.float32),
            "kind": pd.Categorical(list("abcabcabcabc")),
            "tags": [["a", "b"]] * 12,
            "made": pd.date_range("1900-01-01", periods=12),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    collection = load(tmp_path / "t.parquet", tmp_path / "c")
    assert list(collection.data().columns) == ["x", "kind"]
    assert collection.data()["x"].dtype == np.float32
    assert collection.items["tags"].iloc[0] == '["a", "b"]'
    assert collection.items["made"].dtype.kind == "M"


def test_the_content_hash_is_of_the_features(tmp_path: Path) -> None:
    text = "x,class\n" + _rows(12, "{real},{letter}\n")
    first = _csv(tmp_path, text).content_hash
    (tmp_path / "u.csv").write_text(text.replace("a\n", "z\n"))
    assert load(tmp_path / "u.csv", tmp_path / "d").content_hash == first
    (tmp_path / "u.csv").write_text(text.replace("0.37", "0.38"))
    assert load(tmp_path / "u.csv", tmp_path / "e").content_hash != first


def test_real_tables_are_read_as_they_are(shared_data: Path, tmp_path: Path) -> None:
    vehicle = load(shared_data / "table_vehicle.csv", tmp_path / "v")
    assert vehicle.data().shape == (846, 18)
    assert vehicle.label_columns == ("class",)
    segment = load(shared_data / "table_segment.csv", tmp_path / "s")
    plain = pd.read_csv(shared_data / "table_segment.csv")
    kept = [name for name in plain if plain[name].nunique() > 1 and name != "class"]
    pd.testing.assert_frame_equal(segment.data(), plain[kept])
    assert segment.items["duplicate_of"].notna().sum() == plain.duplicated(kept).sum() == 224


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(
    width=st.integers(1, 5),
    rows=st.integers(0, 12),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    data=st.data(),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_csv_loads_row_by_row_or_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, width: int, rows: int, separator: str, data: st.DataObject
) -> None:
    import csv

    folder = tmp_path_factory.mktemp("csv")
    body = [data.draw(st.lists(CELL, min_size=width, max_size=width)) for _ in range(rows)]
    numbers = [[str(n * 1.5)] for n in range(rows)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([["number", *(f"column {n}" for n in range(width))]])
    writer.writerows([number + cells for number, cells in zip(numbers, body, strict=True)])
    (folder / "t.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    try:
        collection = load(folder / "t.csv", folder / "c")
    except StudioError as refusal:
        assert rows < 2
        assert refusal.mend
        assert not (folder / "c").exists()
        return
    assert collection.n_items == len(collection.items) == len(collection.data()) == rows
    assert collection.items["id"].is_unique
    assert collection.items["number"].tolist() == [float(number[0]) for number in numbers]


@given(st.lists(st.sampled_from(["a", "b", "", " a", "a (2)", "column 1", "column (2)"]), max_size=8))
def test_column_names_are_unique_and_unrepeated_ones_stay(names: list[str]) -> None:
    found, changed = unique_names(names)
    assert len(set(found)) == len(found) == len(names)
    assert len(changed) == sum(new != str(old).strip() for new, old in zip(found, names, strict=True))
    for old, new in zip(names, found, strict=True):
        if old.strip() and [other.strip() for other in names].count(old.strip()) == 1:
            assert new == old.strip()


@given(st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12)), min_size=1, max_size=20))
def test_whole_numbers_stay_whole_with_or_without_gaps(values: list[int | None]) -> None:
    column, mixed = typed(pd.Series([None if v is None else str(v) for v in values], dtype="str", name="n"))
    assert mixed == ""
    assert [None if pd.isna(v) else int(v) for v in column] == values
    if any(v is not None for v in values):
        assert column.dtype == ("Int64" if None in values else "int64")
