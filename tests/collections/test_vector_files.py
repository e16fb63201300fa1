"""Arrays become vectors or pictures, without pickle, or a sentence names the rows to mend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from painting import everything_in

from clustering.collections import Collection, load
from clustering.errors import StudioError

X = np.random.default_rng(0).normal(size=(40, 6))


def _said(collection: Collection, subject: str) -> str:
    return " ".join(finding.sentence for finding in collection.findings if finding.subject == subject)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_becomes_float32_vectors_on_disk(tmp_path: Path, dtype: type, order: str) -> None:
    array = np.asarray(X * 10 % 5, dtype=dtype, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "x.npy", array)
    collection = load(tmp_path / "x.npy", tmp_path / "c")
    assert (collection.kind, collection.n_items) == ("vectors", 40)
    data = collection.data()
    assert isinstance(data, np.memmap)
    assert data.dtype == np.float32
    assert np.array_equal(data, array.astype(np.float32))
    assert collection.items["id"].tolist()[:2] == ["0", "1"]


def test_labels_and_their_names_come_along(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=np.arange(40) % 3, names=np.array(["cat", "dog", "owl"]))
    collection = load(tmp_path / "x.npz", tmp_path / "c")
    assert collection.items["label"].tolist()[:4] == ["cat", "dog", "owl", "cat"]
    assert collection.label_columns == ("label",)


def test_the_array_is_found_by_name_or_because_it_is_the_only_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "only.npz", something=X, weights=np.ones(40))
    assert load(tmp_path / "only.npz", tmp_path / "a").n_items == 40
    np.savez(tmp_path / "two.npz", one=X, two=X[:, :2])
    with pytest.raises(StudioError, match=r"several arrays: one \(40, 6\), two \(40, 2\).*two\.npz::one"):
        load(tmp_path / "two.npz", tmp_path / "b", kind="vectors")
    assert load(f"{tmp_path / 'two.npz'}::two", tmp_path / "b").data().shape == (40, 2)
    with pytest.raises(StudioError, match=r"no array “three”.*one, two"):
        load(f"{tmp_path / 'two.npz'}::three", tmp_path / "d")


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_pickled_arrays_are_never_opened(tmp_path: Path, name: str) -> None:
    array = np.array([{"a": 1}, [2, 3]], dtype=object)
    (np.save if name == "x.npy" else np.savez)(tmp_path / name, array, allow_pickle=True)
    before = everything_in(tmp_path)
    with pytest.raises(StudioError) as error:
        load(tmp_path / name, tmp_path / "c", kind="vectors")
    assert "x.np" in error.value.problem
    assert error.value.mend
    assert everything_in(tmp_path) == before


def test_a_pickle_that_calls_itself_an_array_does_not_run(tmp_path: Path) -> None:
    import pickle

    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (marker,)

    for name in ("x.npy", "x.npz"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil()))
        with pytest.raises(StudioError):
            load(tmp_path / name, tmp_path / "c")
    assert not marker.exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_rows_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    array = X.copy()
    array[[3, 17, 18, 19, 20, 21, 22], 2] = value
    np.save(tmp_path / "x.npy", array)
    before = everything_in(tmp_path)
    with pytest.raises(
        StudioError, match=r"x\.npy holds 7 rows with NaN or infinite values.*3, 17, 18, 19, 20 and 2 more"
    ):
        load(tmp_path / "x.npy", tmp_path / "c")
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.arange(5.0), r"shape \(5,\)"),
        (np.float64(3), r"shape \(\)"),
        (np.empty((0, 4)), r"shape \(0, 4\)"),
        (np.ones((1, 4)), r"shape \(1, 4\)"),
        (np.ones((4, 3), complex), "complex128, not numbers"),
        (np.array([["a", "b"]] * 3), "not numbers"),
    ],
)
def test_an_array_that_is_no_table_of_numbers_ends_in_a_sentence(
    tmp_path: Path, array: np.ndarray, problem: str
) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(StudioError, match=problem) as error:
        load(tmp_path / "x.npy", tmp_path / "c")
    assert error.value.mend


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.parquet"])
@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_file_cut_short_ends_in_a_sentence(tmp_path: Path, name: str, cut: int) -> None:
    path = tmp_path / name
    if name == "x.parquet":
        pd.DataFrame(X).rename(columns=str).to_parquet(path)
    else:
        (np.save if name == "x.npy" else np.savez)(path, X)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(StudioError) as error:
        load(path, tmp_path / "c", kind="vectors")
    assert error.value.mend
    assert not (tmp_path / "c").exists()


def test_labels_of_another_length_end_in_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=np.arange(39))
    with pytest.raises(StudioError, match=r"labels “y” have the shape \(39,\), the items are 40"):
        load(tmp_path / "x.npz", tmp_path / "c")


def test_more_axes_are_laid_flat_and_said(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(12, 4, 5))
    np.save(tmp_path / "x.npy", array)
    collection = load(tmp_path / "x.npy", tmp_path / "c", kind="vectors")
    assert np.array_equal(collection.data(), array.reshape(12, 20).astype(np.float32))
    assert "laid flat into 20 dimensions" in _said(collection, "flattened")


def test_constant_dimensions_and_repeated_rows_are_said(tmp_path: Path) -> None:
    array = X.copy()
    array[:, 1] = 4
    array[9] = array[2]
    np.save(tmp_path / "x.npy", array)
    collection = load(tmp_path / "x.npy", tmp_path / "c")
    assert "1 dimension" in _said(collection, "constant")
    assert collection.items["duplicate_of"].iloc[9] == "2"
    assert "1 row repeats an earlier one" in _said(collection, "duplicates")


@pytest.mark.parametrize("as_lists", [True, False])
def test_parquet_vectors_bring_their_metadata(tmp_path: Path, as_lists: bool) -> None:
    vectors = {"embedding": list(X)} if as_lists else {f"d{n}": X[:, n] for n in range(6)}
    frame = pd.DataFrame({"id": [f"w{n}" for n in range(40)], "artist": list("abcd") * 10, **vectors})
    frame.to_parquet(tmp_path / "x.parquet")
    collection = load(tmp_path / "x.parquet", tmp_path / "c", kind="vectors")
    assert np.array_equal(collection.data(), X.astype(np.float32))
    assert collection.items["id"].iloc[7] == "w7"
    assert collection.label_columns == ("artist",)


def test_parquet_vectors_of_different_lengths_end_in_a_sentence(tmp_path: Path) -> None:
    pd.DataFrame({"v": [[1.0, 2.0], [1.0], [3.0, 4.0]]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(StudioError, match=r"2 different lengths"):
        load(tmp_path / "x.parquet", tmp_path / "c", kind="vectors")


@pytest.mark.parametrize("shape", [(12, 9, 7), (12, 9, 7, 1), (12, 9, 7, 3)])
def test_pixels_become_pictures_and_stay_available_raw(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=np.arange(12) % 2)
    collection = load(tmp_path / "d.npz", tmp_path / "c")
    assert (collection.kind, collection.n_items, collection.label_columns) == ("images", 12, ("label",))
    flat = pixels[..., 0] if shape[-1] == 1 else pixels
    assert np.array_equal(collection.pixels(), flat)
    shown = np.asarray(collection.picture(5))
    assert np.array_equal(shown, flat[5] if flat.ndim == 4 else np.stack([flat[5]] * 3, axis=-1))


def test_numbers_that_are_no_pixels_are_refused_as_pictures(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(StudioError, match=r"float64.*not pictures.*uint8"):
        load(tmp_path / "x.npy", tmp_path / "c", kind="images")


def test_real_views_are_found_by_name(shared_data: Path, tmp_path: Path) -> None:
    collection = load(f"{shared_data / 'views_mfeat.npz'}::pix", tmp_path / "c")
    assert collection.data().shape == (2000, 240)
    assert collection.items["label"].value_counts().tolist() == [200] * 10
