"""Several views of the same items: found in archives and folders, matched, missing in places, refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clustering.collections import load
from clustering.collections.readers import kinds_of_files
from clustering.errors import StudioError

RNG = np.random.default_rng(5)
ONE, OTHER = RNG.normal(size=(12, 3)).astype(np.float32), RNG.normal(size=(12, 4)).astype(np.float32)


def archive(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "views.npz"
    np.savez(path, **arrays)
    return path


def tables(folder: Path, **frames: pd.DataFrame) -> Path:
    source = folder / "tables"
    source.mkdir()
    for name, frame in frames.items():
        frame.to_csv(source / f"{name}.csv", index=False)
    return source


def table(values: np.ndarray, ids: list[str], **more: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": ids, **{f"c{at}": values[:, at] for at in range(values.shape[1])}, **more})


def said(collection) -> str:
    return " ".join(finding.sentence for finding in collection.findings)


def test_an_archive_of_several_arrays_is_views_and_its_labels_stay_apart(tmp_path):
    y = np.arange(12) % 3
    there = load(archive(tmp_path, shape=ONE, colour=OTHER, y=y, ids=np.array([f"a{i}" for i in range(12)])),
                 tmp_path / "c")  # fmt: skip
    assert there.kind == "views"
    assert [(view["name"], view["size"]) for view in there.about["views"]] == [("shape", 3), ("colour", 4)]
    np.testing.assert_array_equal(there.data(), np.hstack([ONE, OTHER]))
    assert there.items["id"].tolist()[:2] == ["a0", "a1"]
    assert there.label_columns == ("label",)
    assert "2 views" in said(there)
    assert not there.pictured


def test_a_view_of_more_axes_is_laid_flat_and_an_array_called_x_is_still_vectors(tmp_path):
    there = load(archive(tmp_path, shape=ONE, cube=OTHER.reshape(12, 2, 2)), tmp_path / "c")
    assert there.data().shape == (12, 7)
    assert [view.get("shape") for view in there.about["views"]] == [None, [2, 2, 1]]  # pictures, one channel
    (tmp_path / "v").mkdir()
    assert load(archive(tmp_path / "v", x=ONE, other=OTHER), tmp_path / "d").kind == "vectors"


def test_rows_without_any_number_lack_the_view_and_single_gaps_are_filled(tmp_path):
    one, other = ONE.copy(), OTHER.copy()
    one[2] = np.nan
    other[5, 1] = np.nan
    there = load(archive(tmp_path, shape=one, colour=other), tmp_path / "c")
    values = there.data()
    assert np.isnan(values[2, :3]).all()
    assert values[5, 4] == pytest.approx(np.nanmedian(other[:, 1]))
    assert np.isfinite(np.delete(values, 2, axis=0)).all()
    assert there.items["lacks"].tolist()[2] == "shape"
    assert "1 item lacks the view “shape”" in said(there)
    assert "1 missing value filled" in said(there)


def test_tables_are_matched_by_their_ids_whatever_their_order_and_items_may_miss_in_one(tmp_path):
    ids = [f"k{at:02d}" for at in range(12)]
    back = table(OTHER[::-1][:10], ids[::-1][:10], maker=["Ada"] * 4 + ["Bo"] * 6)
    there = load(tables(tmp_path, shape=table(ONE, ids), colour=back), tmp_path / "c")
    assert there.kind == "views"
    # files are read in the order of their names
    assert [view["name"] for view in there.about["views"]] == ["colour", "shape"]
    place = {one: at for at, one in enumerate(there.items["id"])}
    values = there.data()
    for at, one in enumerate(ids):
        row = values[place[one]]
        np.testing.assert_allclose(row[4:], ONE[at], rtol=1e-6)
        assert np.isnan(row[:4]).all() if at < 2 else np.allclose(row[:4], OTHER[at])
    assert "2 items lack the view “colour”" in said(there)
    assert there.label_columns == ("maker",)
    assert there.about["views"][1]["columns"] == ["c0", "c1", "c2"]


def test_arrays_in_a_folder_are_matched_by_their_rows(tmp_path):
    source = tmp_path / "arrays"
    source.mkdir()
    np.save(source / "a.npy", ONE)
    np.save(source / "b.npy", OTHER)
    there = load(source, tmp_path / "c")
    assert (there.kind, there.n_items) == ("views", 12)


def test_pictures_and_the_numbers_beside_them_are_two_views(tmp_path):
    source = tmp_path / "works"
    source.mkdir()
    for at in range(12):
        Image.fromarray(RNG.integers(0, 255, (12, 12, 3), dtype=np.uint8)).save(source / f"{at}.png")
    rows = {"file": [f"{at}.png" for at in range(12)], "height": np.arange(12) * 1.5, "style": ["a", "b"] * 6}
    pd.DataFrame(rows | {"weight": [*range(11), None]}).to_csv(source / "metadata.csv", index=False)
    there = load(source, tmp_path / "c", kind="views")
    assert [view["name"] for view in there.about["views"]] == ["pictures", "numbers"]
    assert there.pictured
    assert there.picture(0).size == (12, 12)
    assert there.data().shape == (12, 2)
    assert np.isfinite(there.data()).all()
    assert there.label_columns == ("style",)


def test_a_view_can_be_shown_as_a_picture(tmp_path):
    source = archive(tmp_path, shape=ONE, pix=RNG.random((12, 12)))
    chosen = {"picture_view": "pix", "picture_width": 4}
    there = load(source, tmp_path / "c", options=chosen)
    assert there.pictured
    assert there.picture(0, 128).size == (128, 96)
    assert [view.get("shape") for view in there.about["views"]] == [None, [3, 4, 1]]
    assert there.atlas is not None
    with pytest.raises(StudioError, match=r"no view “px” .*picture"):
        load(source, tmp_path / "d", options={"picture_view": "px"})
    with pytest.raises(StudioError, match="do not fill rows of 5 pixels"):
        load(source, tmp_path / "e", options={"picture_view": "pix", "picture_width": 5})


IDS = [f"k{at}" for at in range(12)]
WRONG = {
    "lengths": (lambda f: archive(f, a=ONE, b=OTHER[:9]), r"differ in the number of their items: a 12, b 9"),
    "strangers": (
        lambda f: tables(f, a=table(ONE, IDS), b=table(OTHER, [f"k{at}.png" for at in range(12)])),
        r"No id of “a” is in another view \(it has “k0”, they have “k0.png”\)",
    ),
    "twice": (
        lambda f: tables(f, a=table(ONE, IDS), b=table(OTHER, ["k0", *IDS[:-1]])),
        r"b.csv names 1 item more than once \(first: “k0”\)",
    ),
    "no ids": (
        lambda f: tables(f, a=table(ONE, IDS), b=table(OTHER, IDS).drop(columns="id").head(7)),
        r"“b” in .* names no items, and others do: its 7 rows cannot be matched to their 12 items",
    ),
    "unnamed lengths": (
        lambda f: tables(
            f, a=table(ONE, IDS).drop(columns="id"), b=table(OTHER[:8], IDS[:8]).drop(columns="id")
        ),
        r"differ in the number of their items: a 12, b 8",
    ),
    "infinite": (lambda f: archive(f, a=ONE, b=np.where(OTHER > 2, np.inf, OTHER) * np.inf), r"“b” holds"),
    "nothing": (
        lambda f: archive(f, a=np.r_[ONE[:11], [[np.nan] * 3]], b=np.r_[OTHER[:11], [[np.nan] * 4]]),
        r"1 item has no view at all \(11\)",
    ),
    "empty": (lambda f: archive(f, a=ONE, b=np.full_like(OTHER, np.nan)), r"No item has the view “b”"),
    "one": (lambda f: archive(f, a=ONE), r"holds 1 table of numbers; several views are two or more"),
    "words": (
        lambda f: tables(f, a=table(ONE, IDS), b=pd.DataFrame({"id": IDS, "t": ["x"] * 6 + ["y"] * 6})),
        r"Of the files in .*, a has numbers",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_cannot_be_matched_or_used_is_refused_with_the_mend(fault, tmp_path):
    spoil, words = WRONG[fault]
    with pytest.raises(StudioError, match=words) as refusal:
        load(spoil(tmp_path), tmp_path / "c", kind="views")
    assert refusal.value.mend.endswith(".")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (["a.jpg", "b.jpg", "metadata.csv"], ("images", "views")),
        (["a.jpg", "b.jpg"], ()),
        (["a.csv", "b.csv"], ("views", "graph")),
        (["a.npy", "B.NPY"], ("views", "graph")),
        (["a.txt", "metadata.csv"], ()),
    ],
)
def test_several_files_may_be_of_more_than_one_kind(names, kinds):
    assert kinds_of_files(names) == kinds
