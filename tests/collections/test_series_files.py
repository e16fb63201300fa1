"""Series become windows of one length, or a sentence says what keeps them from it and how to mend it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.collections import Collection, load
from clustering.collections.recordings import Recording, Recordings, evened
from clustering.collections.series import _cut
from clustering.collections.series_options import SeriesOptions
from clustering.errors import StudioError

X = np.random.default_rng(0).normal(size=(12, 20, 3)).astype(np.float32)
TS = """# a comment
@problemName Tiny
@timeStamps false
@univariate false
@classLabel true up down
@data
1,2,3:4,5,6:up
3,2,1:6,5,4:down
1,?,3:4,5,6:up
"""


def _said(collection: Collection, subject: str) -> str:
    return " ".join(finding.sentence for finding in collection.findings if finding.subject == subject)


def _table(path: Path, steps: int = 60, **columns: object) -> Path:
    time = np.arange(steps) / 20
    given = {"time": time, "ax": np.sin(time), "ay": np.cos(time), **columns}
    pd.DataFrame(given).to_csv(path, index=False)
    return path


# arrays


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int16])
@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_an_array_of_three_axes_is_read_as_windows(tmp_path: Path, dtype: type, name: str) -> None:
    array = (X * 10).astype(dtype)
    np.save(tmp_path / name, array) if name == "x.npy" else np.savez(tmp_path / name, x=array)
    collection = load(tmp_path / name, tmp_path / "c")
    assert (collection.kind, collection.n_items) == ("series", 12)
    assert isinstance(collection.data(), np.memmap)
    assert np.array_equal(collection.data(), array.astype(np.float32))
    assert collection.about["channels"] == ["channel 1", "channel 2", "channel 3"]
    assert "12 windows of 20 steps × 3 channels" in _said(collection, "windows")


def test_labels_with_names_and_what_else_is_known_of_an_item_come_along(tmp_path: Path) -> None:
    who = np.arange(12) // 4
    np.savez(tmp_path / "x.npz", x=X, y=np.arange(12) % 2, labels=np.array(["sit", "run"]), subject=who)
    collection = load(tmp_path / "x.npz", tmp_path / "c")
    assert collection.items["label"].tolist()[:3] == ["sit", "run", "sit"]
    assert collection.items["subject"].tolist() == who.tolist()
    assert collection.label_columns == ("label", "subject")


def test_a_table_of_windows_has_one_channel_and_a_long_recording_is_cut(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X[:, :, 0])
    assert load(tmp_path / "x.npy", tmp_path / "a", kind="series").data().shape == (12, 20, 1)
    options = {"window": 5, "step": 3, "rate": 10}
    cut = load(tmp_path / "x.npy", tmp_path / "b", kind="series", options=options)
    assert cut.data().shape == (3, 5, 20)
    assert np.array_equal(cut.data()[1], X[3:8, :, 0])
    assert cut.items["start (s)"].tolist() == pytest.approx([0, 0.3, 0.6])
    assert "Neighbours share 40% of their steps" in _said(cut, "windows")


def test_the_same_numbers_with_other_channels_are_other_data(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    np.save(tmp_path / "b.npy", X.reshape(12, 30, 2))
    hashes = {load(tmp_path / f"{name}.npy", tmp_path / name).content_hash for name in "ab"}
    assert len(hashes) == 2


def test_repeats_flat_windows_and_flat_channels_are_said(tmp_path: Path) -> None:
    array = X.copy()
    array[:, :, 1] = 2
    array[5] = array[2]
    array[7] = 2
    np.save(tmp_path / "x.npy", array)
    collection = load(tmp_path / "x.npy", tmp_path / "c")
    assert collection.items["duplicate_of"][5] == "2"
    assert "1 window repeats an earlier one" in _said(collection, "duplicates")
    assert "1 window in which nothing changes" in _said(collection, "blank")
    assert "1 channel has one value throughout (channel 2)" in _said(collection, "constant")


# what an item looks like


def test_every_window_has_a_waveform_for_a_picture(tmp_path: Path) -> None:
    quiet = X * np.linspace(0.01, 1, 12)[:, None, None]
    np.save(tmp_path / "x.npy", quiet)
    collection = load(tmp_path / "x.npy", tmp_path / "c")
    assert collection.pictured
    assert collection.picture(3, 256).size == (256, 171)
    assert collection.atlas is not None
    assert collection.atlas.thumbnail(11, 128).getpixel((0, 0))[3] == 0  # above the picture the cell is empty
    heights = []
    for index in (0, 11):  # all are drawn on one scale: a quiet window looks quiet
        ink = np.asarray(collection.picture(index, 256)).min(axis=2) < 200
        heights.append(np.ptp(np.flatnonzero(ink.any(axis=1))))
    assert heights[0] < 0.3 * heights[1]


@pytest.mark.parametrize("channels", [1, 3, 6, 40])
def test_a_waveform_can_be_drawn_of_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(3, 9, channels)))
    collection = load(tmp_path / "x.npy", tmp_path / "c")
    assert np.asarray(collection.picture(0, 128)).std() > 5


# .ts


def test_a_ts_file_gives_its_series_and_classes_once_the_gap_is_filled(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text(TS)
    collection = load(tmp_path / "x.ts", tmp_path / "c", options={"gaps": "fill"})
    assert collection.kind == "series"
    assert collection.data()[0].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert collection.data()[2].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert collection.items["label"].tolist() == ["up", "down", "up"]
    assert "1 missing value filled" in _said(collection, "missing")


BAD_TS = {
    "no data": ("@problemName x\n", "no line “@data”"),
    "unequal channels": (TS.replace("4,5,6:up", "4,5:up", 1), r"line 7 .* lengths 3, 2"),
    "other channels": (
        TS.replace("3,2,1:6,5,4:down", "3,2,1:down"),
        r"series 2 .* 1 channels, others have 2",
    ),
    "words": (TS.replace("3,2,1", "3,two,1"), r"Line 8 .* 'two'"),
    "time stamps": (TS.replace("@timeStamps false", "@timeStamps true"), "time stamp"),
    "unequal lengths": (TS.replace("3,2,1:6,5,4", "3,2:6,5"), r"unequal lengths, 2 to 3 steps.*shortest"),
    "gaps": (TS, r"1 window .* missing .*first: series 3, step 2, “dimension 1”.*“fill”.*“leave out”"),
}


@pytest.mark.parametrize("fault", BAD_TS)
def test_a_ts_file_that_cannot_be_used_ends_in_a_sentence(tmp_path: Path, fault: str) -> None:
    text, words = BAD_TS[fault]
    (tmp_path / "x.ts").write_text(text)
    with pytest.raises(StudioError, match=words) as error:
        load(tmp_path / "x.ts", tmp_path / "c")
    assert error.value.mend
    assert not (tmp_path / "c").exists()


def test_series_of_unequal_lengths_are_cut_as_the_sentence_offers(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text(TS.replace("3,2,1:6,5,4", "3,2:6,5").replace("1,?,3", "1,2,3"))
    shortest = load(tmp_path / "x.ts", tmp_path / "a", options={"lengths": "shortest"})
    assert shortest.data().shape == (3, 2, 2)
    assert "2 series of up to 3 steps cut to the first 2" in _said(shortest, "lengths")
    windows = load(tmp_path / "x.ts", tmp_path / "b", options={"window": 3})
    assert windows.items["label"].tolist() == ["up", "up"]
    assert "1 recording shorter than a window left out" in _said(windows, "windows")


# long tables


def test_a_long_table_is_cut_within_each_recording_and_keeps_the_usual_label(tmp_path: Path) -> None:
    who, does = np.repeat(["ann", "bob"], 30), np.repeat(["sit", "run", "sit", "run"], 15)
    time = np.tile(np.arange(30) / 20, 2)
    path = _table(tmp_path / "x.csv", subject=who, label=does, time=time)
    collection = load(path, tmp_path / "c", kind="series", options={"window": 10})
    assert collection.about["channels"] == ["ax", "ay"]
    assert collection.about["rate"] == pytest.approx(20)
    assert collection.items["subject"].tolist() == ["ann"] * 3 + ["bob"] * 3
    assert collection.items["label"].tolist() == ["sit", "sit", "run"] * 2
    assert collection.items["start (s)"].tolist() == pytest.approx([0, 0.5, 1] * 2)
    assert "2 windows span more than one label" in _said(collection, "mixed")
    path = _table(tmp_path / "y.csv", subject=np.repeat("ann", 60), label=np.repeat(["sit", "run"], [15, 45]))
    collection = load(path, tmp_path / "d", kind="series", options={"window": 10})
    assert "1 window spans more than one label" in _said(collection, "mixed")
    assert "10 steps × 2 channels at 20 samples a second (0.5 s)" in _said(collection, "windows")


def test_a_long_table_says_what_it_needs(tmp_path: Path) -> None:
    path = _table(tmp_path / "x.csv")
    with pytest.raises(StudioError, match=r"long table of 60 steps.*Choose a window"):
        load(path, tmp_path / "c", kind="series")
    with pytest.raises(StudioError, match=r"window of 90 steps is longer .*longest has 60.*at most 60"):
        load(path, tmp_path / "c", kind="series", options={"window": 90})
    with pytest.raises(StudioError, match=r"gives 1 window.*smaller step"):
        load(path, tmp_path / "c", kind="series", options={"window": 60})
    with pytest.raises(StudioError, match=r"no column “person”"):
        load(path, tmp_path / "c", kind="series", options={"window": 6, "recording_column": "person"})
    with pytest.raises(StudioError, match=r"no parameter called “windows”.*It takes: window"):
        load(path, tmp_path / "c", kind="series", options={"windows": 6})
    assert load(path, tmp_path / "t").kind == "table"  # nobody said it is a series


def test_gaps_in_a_long_table_are_named_filled_or_left_out(tmp_path: Path) -> None:
    values = np.arange(60.0)
    values[[13, 14]] = np.nan
    path = _table(tmp_path / "x.csv", ax=values)
    with pytest.raises(StudioError, match=r"1 window of x\.csv has missing .* step 14, “ax”"):
        load(path, tmp_path / "c", kind="series", options={"window": 10})
    filled = load(path, tmp_path / "a", kind="series", options={"window": 10, "gaps": "fill"})
    assert filled.data()[1, :, 0].tolist() == pytest.approx(list(range(10, 20)))
    fewer = load(path, tmp_path / "b", kind="series", options={"window": 10, "gaps": "leave out"})
    assert fewer.n_items == 5
    assert "1 window with missing values left out" in _said(fewer, "missing")


def test_uneven_times_are_named_or_resampled(tmp_path: Path) -> None:
    time = np.arange(60) / 20
    time[30:] += 1
    path = _table(tmp_path / "x.csv", time=time, ax=time)
    with pytest.raises(
        StudioError, match=r"sampled unevenly: usually 0\.05 s .* in 1 place .* row 31.*“resample”"
    ):
        load(path, tmp_path / "c", kind="series", options={"window": 10})
    even = load(path, tmp_path / "a", kind="series", options={"window": 10, "irregular": "resample"})
    assert even.data()[:, :, 0].ravel() == pytest.approx(np.arange(80) / 20, abs=1e-5)  # a ramp stays one
    with pytest.raises(StudioError, match=r"times .* do not grow: .* row 31"):
        load(_table(tmp_path / "y.csv", time=np.r_[0:30, 0:30]), tmp_path / "d", kind="series",
             options={"window": 10})  # fmt: skip


# arrays that cannot be used

BAD_ARRAYS = {
    "objects": (
        np.array([X[0], X[1, :5]], dtype=object),
        r"Python objects .* unequal lengths fit into a .ts",
    ),
    "NaN": (np.where(np.arange(20)[:, None] == 4, np.nan, X), r"12 windows .* series 1, step 5"),
    "words": (np.full((4, 5, 2), "a"), "not numbers"),
    "complex": (np.ones((4, 5, 2), complex), "not numbers"),
    "four axes": (np.ones((4, 5, 2, 2)), r"shape \(4, 5, 2, 2\)"),
    "one axis": (np.arange(30.0), r"shape \(30,\).*choose a window"),
}


@pytest.mark.parametrize("fault", BAD_ARRAYS)
def test_an_array_that_holds_no_series_ends_in_a_sentence(tmp_path: Path, fault: str) -> None:
    array, words = BAD_ARRAYS[fault]
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(StudioError, match=words) as error:
        load(tmp_path / "x.npy", tmp_path / "c", kind="series")
    assert error.value.mend
    assert not (tmp_path / "c").exists()


# properties


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(2, 40), st.integers(1, 50))
def test_windows_lie_wholly_within_one_recording_and_none_that_fits_is_missed(lengths, window, step) -> None:
    parts = [Recording(f"{at}", 1000 * at + np.arange(length)[:, None]) for at, length in enumerate(lengths)]
    found = Recordings(parts, ["only"], pd.DataFrame(index=range(len(parts))), "x")
    options = SeriesOptions(window=window, step=step)
    if max(lengths) < window:
        with pytest.raises(StudioError, match="longer than every series"):
            _cut(found, options)
        return
    cut = _cut(found, options)
    expected = [
        [1000 * at + start + moment for moment in range(window)]
        for at, length in enumerate(lengths)
        for start in range(0, length - window + 1, step)
    ]
    assert cut.windows[:, :, 0].tolist() == expected


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 60), st.floats(0.01, 10), st.integers(0, 2**20))
def test_resampling_a_straight_line_gives_the_same_line(steps, usual, seed) -> None:
    times = np.cumsum(np.random.default_rng(seed).uniform(0.2, 1.8, steps)) * usual
    found = Recordings(
        [Recording("a", times[:, None] * 3 + 1, times)], ["only"], pd.DataFrame(index=range(1)), "x"
    )
    even, rate = evened(found, resample=True)
    assert rate is not None
    line = even.parts[0]
    assert np.diff(line.times) == pytest.approx(1 / rate)
    inside = line.times <= times[-1]
    assert line.values[inside, 0] == pytest.approx(line.times[inside] * 3 + 1)


def test_real_sensor_windows_are_read_with_their_people(tmp_path: Path, shared_data: Path) -> None:
    collection = load(shared_data / "series_basicmotions.npz", tmp_path / "c")
    assert collection.data().shape == (80, 100, 6)
    assert collection.items["label"].value_counts().tolist() == [20] * 4
