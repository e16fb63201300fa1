"""Data sets in Hugging Face's form become collections; one that cannot be reached ends in a sentence."""

from __future__ import annotations

from pathlib import Path

import datasets
import numpy as np
import pytest
from painting import painted

from clustering.collections import load
from clustering.errors import Stopped, StudioError


def _dataset(number: int = 6) -> datasets.Dataset:
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["still life", "portrait"]),
            "title": datasets.Value("string"),
        }
    )
    rows = {
        "image": [painted(seed) for seed in range(number)],
        "label": [seed % 2 for seed in range(number)],
        "title": [f"No. {seed}" for seed in range(number)],
    }
    return datasets.Dataset.from_dict(rows, features=features)


@pytest.mark.parametrize("form", ["parquet", "folder of parquet", "saved", "saved in splits"])
def test_pictures_and_columns_of_a_data_set_are_read(tmp_path: Path, form: str) -> None:
    source = tmp_path / "d"
    if form == "parquet":
        source = tmp_path / "d.parquet"
        _dataset().to_parquet(source)
    elif form == "folder of parquet":
        (source / "data").mkdir(parents=True)
        _dataset().to_parquet(source / "data" / "train-00000-of-00001.parquet")
    elif form == "saved":
        _dataset().save_to_disk(source)
    else:
        halves = datasets.DatasetDict(
            {"train": _dataset().select(range(4)), "test": _dataset().select(range(4, 6))}
        )
        halves.save_to_disk(source)
    collection = load(source, tmp_path / "c")
    items = collection.items
    assert (collection.kind, collection.n_items) == ("images", 6)
    assert items["label"].tolist() == ["still life", "portrait"] * 3
    assert items["title"].tolist() == [f"No. {seed}" for seed in range(6)]
    assert collection.label_columns[0] == "label"
    assert np.array_equal(np.asarray(collection.picture(4)), np.asarray(painted(4)))
    if form == "saved in splits":
        assert items["split"].tolist() == ["train"] * 4 + ["test"] * 2


def test_rows_without_or_with_broken_pictures_are_left_out_and_listed(tmp_path: Path) -> None:
    stored = [{"bytes": b"no picture", "path": None}, None]
    rows = datasets.Dataset.from_dict(
        {"picture": stored, "title": ["broken", "none"]},
        features=datasets.Features(
            {"picture": datasets.Image(decode=False), "title": datasets.Value("string")}
        ),
    )
    whole = _dataset(3).rename_column("image", "picture").remove_columns("label")
    whole = whole.cast_column("picture", datasets.Image(decode=False))
    datasets.concatenate_datasets([rows, whole]).to_parquet(tmp_path / "d.parquet")
    collection = load(tmp_path / "d.parquet", tmp_path / "c")
    assert collection.items["title"].tolist() == ["No. 0", "No. 1", "No. 2"]
    assert [f.count for f in collection.findings if f.subject == "unreadable"] == [1, 1]


def test_a_stopped_load_keeps_the_pictures_it_wrote(tmp_path: Path) -> None:
    _dataset().to_parquet(tmp_path / "d.parquet")
    with pytest.raises(Stopped):
        load(tmp_path / "d.parquet", tmp_path / "c", progress=lambda d, t, doing: doing.startswith("looking"))
    assert len(list((tmp_path / ".c.part" / "originals").iterdir())) == 6
    assert load(tmp_path / "d.parquet", tmp_path / "c").n_items == 6


def test_a_parquet_file_without_pictures_is_a_table_and_no_images(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"x": [1.0, 2.5, 3.0]}).to_parquet(tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet", tmp_path / "c").kind == "table"
    with pytest.raises(StudioError, match=r"no column of pictures \(columns: x\)"):
        load(tmp_path / "t.parquet", tmp_path / "d", kind="images")


@pytest.mark.parametrize(
    "raised", [ConnectionError("no route to host"), datasets.exceptions.DatasetNotFoundError("gone")]
)
def test_a_hub_that_cannot_be_reached_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def unreachable(name: str) -> None:
        assert name == "some/paintings"
        raise raised

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    for source in ("some/paintings", "hf://datasets/some/paintings"):
        with pytest.raises(
            StudioError, match=r"“some/paintings” could not be fetched.*download it and load the folder"
        ):
            load(source, tmp_path / "c")
    assert not list(tmp_path.iterdir())


def test_a_hub_id_is_read_as_its_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "load_dataset", lambda name: datasets.DatasetDict({"train": _dataset()}))
    collection = load("some/paintings", tmp_path / "c")
    assert (collection.n_items, collection.name, collection.source) == (6, "paintings", "some/paintings")
