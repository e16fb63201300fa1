"""What the browser may fetch, what it may not, and that a second look costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from clustering.projections.turning import as_drawn
from clustering.ui import kept_layers, routes
from clustering.ui.latent_map.blob import layer_sections, pack, unpack
from tests.small_workspace import WICKED, Small, make


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("routes"))


@pytest.fixture(scope="module")
def client(small: Small) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes.routes(lambda: small.workspace))) as found:
        yield found


def item(small: Small, rest: str) -> str:
    return f"/studio/collections/{small.collection}/items/{rest}"


def test_a_map_comes_as_positions_and_aspects(client: TestClient, small: Small) -> None:
    answer = client.get(routes.map_address(small.projection))
    _, sections = unpack(answer.content)
    np.testing.assert_array_equal(sections["xy"].reshape(-1, 2), small.workspace.map(small.projection))
    assert sections["aspect"].tolist()[:2] == [
        pytest.approx(128 + 32 * np.log2(40 / 60), abs=1),
        128 + 32,
    ]
    assert "immutable" in answer.headers["cache-control"]


def test_a_map_without_axes_comes_as_it_is_drawn(client: TestClient, small: Small) -> None:
    standing = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32) * [1, 9]
    record = small.workspace.add_projection(
        small.features,
        standing.astype(np.float32),
        run_id=small.run,
        space="latent",
        projection="umap",
        title="UMAP",
        parameters={},
        seed=0,
        engine="by hand",
    )
    _, sections = unpack(client.get(routes.map_address(record.id)).content)
    sent = sections["xy"].reshape(-1, 2)
    np.testing.assert_array_equal(sent, as_drawn(small.workspace.map(record.id), "umap"))
    assert np.ptp(sent[:, 0]) > np.ptp(sent[:, 1])


def test_frames_and_another_seed_come_as_positions_and_aspects(client: TestClient, small: Small) -> None:
    frames = np.random.default_rng(1).normal(size=(3, 12, 2)).astype(np.float32)
    kept = {"rows": np.arange(12), "positions": frames}
    small.workspace.add_companion(small.projection, "frames", kept, {})
    small.workspace.add_companion(small.projection, "another-seed", {"positions": frames[0]}, {})
    for number, expected in enumerate(frames):
        answer = client.get(routes.frame_address(small.projection, number, "1"))
        _, sections = unpack(answer.content)
        np.testing.assert_array_equal(sections["xy"].reshape(-1, 2), expected)
        assert len(sections["aspect"]) == 12
        tag = {"If-None-Match": answer.headers["etag"]}
        assert client.get(routes.frame_address(small.projection, number, "1"), headers=tag).status_code == 304
        assert client.get(routes.frame_address(small.projection, number, "2"), headers=tag).status_code == 200
    assert client.get(routes.frame_address(small.projection, 3, "1")).status_code == 404
    _, sections = unpack(client.get(routes.seed_address(small.projection, "1")).content)
    np.testing.assert_array_equal(sections["xy"].reshape(-1, 2), frames[0])
    small.workspace.remove_companion(small.projection, "another-seed")
    assert client.get(routes.seed_address(small.projection, "3")).status_code == 404


def test_a_frame_of_some_items_has_their_aspects(client: TestClient, small: Small) -> None:
    rows = np.array([1, 4, 6])
    kept = {"rows": rows, "positions": np.zeros((1, 3, 2), dtype=np.float32)}
    small.workspace.add_companion(small.projection, "frames", kept, {})
    _, whole = unpack(client.get(routes.map_address(small.projection)).content)
    _, some = unpack(client.get(routes.frame_address(small.projection, 0, "some")).content)
    np.testing.assert_array_equal(some["aspect"], whole["aspect"][rows])


def test_the_neighbours_of_an_item_come_in_every_space(client: TestClient, small: Small) -> None:
    address = routes.near_address(small.projection, small.run)
    near = client.get(address.replace("{index}", "2")).json()
    assert sorted(near) == ["features", "latent", "map"]
    for space, owner in (("features", small.features), ("latent", small.run), ("map", small.projection)):
        assert near[space] == small.workspace.neighbours(owner, 2, 10)[0].tolist()
    assert client.get(address.replace("{index}", "12")).status_code == 404
    assert client.get(routes.near_address("nothing", small.run).replace("{index}", "2")).status_code == 404


def test_a_layer_is_kept_under_what_it_holds(client: TestClient) -> None:
    blob = pack(layer_sections([0, 1, -1]))
    address = kept_layers.layer_address(blob)
    assert client.get(address).content == blob
    assert kept_layers.layer_address(blob) == address
    assert kept_layers.layer_address(pack(layer_sections([0, 1, 1]))) != address


def test_layers_make_room_for_new_ones() -> None:
    kept = kept_layers.Layers(most_bytes=100)
    first, second, third = (kept.put(bytes([at]) * 40) for at in range(3))
    assert kept.get(first) is None
    assert kept.get(second) is not None
    assert kept.get(third) is not None
    assert (
        kept_layers.Layers(most_bytes=10).put(b"x" * 99) is not None
    )  # the newest stays even when it is too large


@pytest.mark.parametrize(
    "rest", ["0/picture/256", "1/original", "2/card"]
)  # fmt: skip
def test_a_second_look_costs_no_bytes(client: TestClient, small: Small, rest: str) -> None:
    first = client.get(item(small, rest))
    assert first.status_code == 200
    again = client.get(item(small, rest), headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    weak = client.get(item(small, rest), headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert weak.status_code == 304
    other = client.get(item(small, rest), headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_a_picture_is_resized_and_kept(client: TestClient, small: Small) -> None:
    answer = client.get(item(small, "1/picture/128"))
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.width / picture.height == pytest.approx(2, rel=0.05)
        assert max(picture.size) <= 128
    kept = list((small.workspace.cache / "pictures" / small.collection).glob("1-128-*.jpg"))
    assert len(kept) == 1
    assert client.get(item(small, "1/picture/128")).content == answer.content


def test_pictures_are_not_asked_for_again_within_minutes_but_originals_are(
    client: TestClient, small: Small
) -> None:
    for rest, cache in (("1/picture/128", "max-age=300"), ("1/original", "no-cache")):
        first = client.get(item(small, rest))
        again = client.get(item(small, rest), headers={"If-None-Match": first.headers["etag"]})
        assert cache in first.headers["cache-control"]
        assert cache in again.headers["cache-control"]


def test_an_original_comes_whole_or_in_part(client: TestClient, small: Small) -> None:
    whole = client.get(item(small, "0/original"))
    path = small.workspace.open_collection(small.collection).original(0)
    assert whole.content == path.read_bytes()
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = client.get(item(small, "0/original"), headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == path.read_bytes()[10:20]
    beyond = client.get(item(small, "0/original"), headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_an_atlas_sheet_comes_by_numbers(client: TestClient, small: Small) -> None:
    answer = client.get(f"/studio/collections/{small.collection}/atlas/64/0.webp")
    with Image.open(BytesIO(answer.content)) as sheet:
        assert sheet.size == (2048, 2048)


def test_a_card_holds_text_as_it_is(client: TestClient, small: Small) -> None:
    card = client.get(item(small, "0/card")).json()
    assert card == {"title": WICKED, "lines": ["Anna", "1900"]}
    assert client.get(item(small, "3/card")).json()["lines"] == ["Bo"]  # no year


def test_labels_come_as_csv_and_parquet(client: TestClient, small: Small) -> None:
    address = f"/studio/runs/{small.run}/export/labels"
    csv = client.get(f"{address}.csv")
    table = pd.read_csv(StringIO(csv.content.decode("utf-8-sig")))
    assert table["label"].tolist() == [0, 1, 2] * 4
    assert table["group"][0] == "Group 1"
    assert "attachment" in csv.headers["content-disposition"]
    parquet = pd.read_parquet(BytesIO(client.get(f"{address}.parquet").content))
    assert parquet["title"].tolist()[1:] == table["title"].tolist()[1:]
    assert parquet["title"][0] == WICKED
    assert client.get(f"{address}.exe").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/studio/maps/nothing-0000.bin",
        "/studio/maps/..%2f..%2fetc%2fpasswd.bin",
        "/studio/maps/%2e%2e.bin",
        "/studio/layers/..%2f..%2fstudio.db.bin",
        "/studio/layers/0123456789.bin",
        "/studio/collections/nothing-0000/items/0/original",
        "/studio/collections/../../etc/items/0/original",
        "/studio/collections/..%2f..%2fetc/items/0/original",
        "/studio/collections/%00/items/0/original",
        "/studio/collections/{c}/items/99/original",
        "/studio/collections/{c}/items/-1/original",
        "/studio/collections/{c}/items/99999999999999999999/original",
        "/studio/collections/{c}/items/..%2f..%2fcollection.json/original",
        "/studio/collections/{c}/items/0/original/../../../collection.json",
        "/studio/collections/{c}/items/0/picture/77",
        "/studio/collections/{c}/items/0/picture/100000",
        "/studio/collections/{c}/items/99/card",
        "/studio/collections/{c}/atlas/64/9.webp",
        "/studio/collections/{c}/atlas/65/0.webp",
        "/studio/collections/{c}/atlas/64/..%2f..%2fcollection.json",
        "/studio/collections/{c}/collection.json",
        "/studio/runs/nothing/export/labels.csv",
        "/studio/runs/{r}/export/run.json",
        "/studio/runs/{r}/export/..%2f..%2frun.json",
    ],
)
def test_whatever_does_not_exist_is_not_found(client: TestClient, small: Small, address: str) -> None:
    answer = client.get(address.replace("{c}", small.collection).replace("{r}", small.run))
    assert answer.status_code == 404
    assert "Traceback" not in answer.text
    assert str(small.workspace.root) not in answer.text


def test_a_lost_original_is_not_found_and_says_no_path(tmp_path: Path) -> None:
    small = make(tmp_path)
    small.workspace.open_collection(small.collection).original(2).unlink()
    with TestClient(Starlette(routes=routes.routes(lambda: small.workspace))) as client:
        for rest in ("2/original", "2/picture/256"):
            answer = client.get(item(small, rest))
            assert answer.status_code == 404
            assert str(tmp_path) not in answer.text
