"""The 2,557 artworks load whole, with their metadata, and every cell of the atlas shows its picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clustering.collections import Collection, load


@pytest.fixture(scope="module")
def artworks(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return load(shared_data / "artworks", tmp_path_factory.mktemp("workspace") / "artworks-0001")


def test_all_are_there_with_their_metadata(artworks: Collection, shared_data: Path) -> None:
    plain = pd.read_csv(shared_data / "artworks" / "metadata.csv")
    items = artworks.items
    assert artworks.n_items == len(items) == 2557
    assert items["id"].tolist() == plain["id"].astype(str).tolist()
    assert items["path"].tolist() == plain["file"].tolist()
    for column in ("title", "artist", "style", "nationality", "century", "source"):
        assert items[column].tolist() == plain[column].tolist()
    assert items["year"].dtype == "Int64"
    assert np.array_equal(items["year"].to_numpy(float, na_value=-1), plain["year"].fillna(-1))
    assert set(items["aspect"]) == {1}


def test_artist_and_style_may_be_references_and_titles_may_not(artworks: Collection) -> None:
    assert {"artist", "style", "nationality", "century"} <= set(artworks.label_columns)
    assert not {"title", "year", "source", "id", "path"} & set(artworks.label_columns)
    assert "artist_slug" not in artworks.label_columns, "the same groups under other names"


def test_the_check_says_what_is_missing_and_finds_no_duplicates(artworks: Collection) -> None:
    said = {finding.subject: finding for finding in artworks.findings}
    assert said["missing"].items == ("year (53 %)",)
    assert not {"duplicates", "unreadable", "tiny", "blank"} & set(said)
    assert artworks.items["duplicate_of"].isna().all()
    balance = [finding.sentence for finding in artworks.findings if finding.subject == "balance"]
    assert any(
        "“style” has 6 groups" in sentence and "Impressionism: 800" in sentence for sentence in balance
    )


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_cell_shows_its_picture(artworks: Collection, size: int) -> None:
    atlas = artworks.atlas
    assert atlas is not None
    for index in (0, 255, 256, 1023, 1024, 1500, 2048, 2556):
        cell = np.asarray(atlas.thumbnail(index, size).convert("RGB"), float)
        exact = np.asarray(artworks.picture(index).resize((size, size), Image.Resampling.LANCZOS), float)
        other = np.asarray(artworks.picture((index + 1) % 2557).resize((size, size)), float)
        assert np.abs(cell.mean(axis=(0, 1)) - exact.mean(axis=(0, 1))).max() < 3
        assert np.abs(cell - exact).mean() < 9
        assert np.abs(cell - other).mean() > 1.5 * np.abs(cell - exact).mean()


def test_originals_are_only_referred_to(artworks: Collection, shared_data: Path) -> None:
    assert artworks.original(7) == (shared_data / "artworks" / "images" / "00007.jpg").absolute()
    assert artworks.changed_originals() == ()
    assert not (artworks.folder / "originals").exists()
