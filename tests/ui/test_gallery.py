"""Galleries: true proportions, words that stay words, and few requests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustering.collections import Collection
from clustering.ui import gallery, routes
from clustering.ui.captions import Captions
from tests.small_workspace import make


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    small = make(tmp_path_factory.mktemp("gallery"))
    return small.workspace.open_collection(small.collection)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "are_served", lambda: True)


def wall(collection: Any, indices: list[int], **more: Any) -> dict[str, Any]:
    settings = {"title": "Works", "height": 150, "colours": None, "notes": {}, **more}
    return gallery.wall_data(collection, np.array(indices), **settings)


def test_a_wall_tells_item_proportion_and_caption(collection: Collection, served: None) -> None:
    data = wall(collection, [1, 0], notes={1: "0.3"}, colours=["#111111"] * 12)
    assert [entry[0] for entry in data["items"]] == [1, 0]
    assert data["items"][0][1:] == [pytest.approx(2.0), "Bo, Work 1, 1907", "#111111", "0.3"]
    assert data["items"][1][1] == pytest.approx(2 / 3, abs=0.01)
    assert data["picture"].endswith("/items/{index}/picture/256")
    assert data["rows"] is False


def test_a_missing_year_leaves_no_trace(collection: Collection) -> None:
    assert wall(collection, [3])["items"][0][2] == "Bo, Work 3"


def test_without_routes_a_wall_has_words_only(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "are_served", lambda: False)
    assert "picture" not in wall(collection, [0])


def test_a_contact_sheet_is_a_wall_with_nothing_to_open(
    collection: Collection, served: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted: list[dict[str, Any]] = []
    monkeypatch.setattr(gallery, "_component", lambda: lambda **given: mounted.append(given))
    gallery.contact_sheet(collection, [1, 0], key="sheet", height=150)
    assert mounted[0]["data"] == {**wall(collection, [1, 0]), "still": True}


def test_sixty_works_are_a_few_kilobytes(collection: Collection, served: None) -> None:
    import json

    assert len(json.dumps(wall(collection, [1] * 60))) < 12_000


def test_the_first_glimpse_comes_from_few_sheets() -> None:
    source = {
        "atlas": "/a/{size}/{sheet}.webp",
        "sizes": {
            "64": {"columns": 32, "per_sheet": 1024, "sheets": 10},
            "128": {"columns": 16, "per_sheet": 256, "sheets": 40},
        },
    }
    near = gallery.glimpse(source, np.arange(60))
    assert near is not None
    assert near["size"] == 128
    spread = gallery.glimpse(source, np.arange(0, 4000, 80))
    assert spread is not None
    assert spread["size"] == 64
    assert gallery.glimpse(source, np.arange(0, 10_000, 160)) is None


def test_rows_of_a_table_tell_their_columns(tmp_path: Path) -> None:
    small = make(tmp_path, kind="table")
    data = wall(small.workspace.open_collection(small.collection), [0, 1])
    assert data["rows"] is True
    assert all(entry[4] for entry in data["items"])


def test_a_caption_takes_the_columns_it_finds() -> None:
    items = pd.DataFrame(
        {"id": ["a", "b"], "Object Name": ["Vase", None], "Creator": ["Ada", pd.NA], "date": [1900.0, None]}
    )
    captions = Captions.from_table(items)
    assert captions.caption(0).line == "Ada, Vase, 1900"
    assert captions.caption(1).line == "b"  # nothing is known: the id stands in
    assert captions.metadata(1) == []


def test_a_collection_without_aspects_shows_squares() -> None:
    bare = SimpleNamespace(items=pd.DataFrame({"id": ["a", "b"]}))
    assert gallery.aspects_of(bare, np.array([0, 1])) == [1.0, 1.0]  # type: ignore[arg-type]
