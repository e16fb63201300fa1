"""A feature array survives stops, kills and changed settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from feature_standin import noise_pictures

from clustering.errors import Stopped, StudioError
from clustering.features.batches import FeatureFile, decoded_batches, digest, encode_in_batches
from clustering.features.pixels import Pixels


def run(folder: Path | None, n: int = 25, key: str = "k", batch_size: int = 4, stop_after: int | None = None):
    read_items: list[int] = []

    def read(index: int):
        read_items.append(index)
        return np.array([index, index**2], dtype=np.float32)

    def progress(done, total, doing):
        return stop_after is not None and done >= stop_after

    rows = FeatureFile(n, 2, key, batch_size, folder)
    return encode_in_batches(read, lambda batch: batch * 2, rows, batch_size, progress, "testing"), read_items


def test_batches_come_in_order_and_the_last_may_be_short():
    seen = list(decoded_batches(lambda i: np.array([i]), 3, 14, 4))
    assert [first for first, _ in seen] == [3, 7, 11]
    np.testing.assert_array_equal(np.concatenate([batch for _, batch in seen]).ravel(), np.arange(3, 14))


def test_only_a_few_batches_are_decoded_ahead():
    read: list[int] = []
    batches = decoded_batches(lambda i: (read.append(i), np.zeros(1))[1], 0, 1000, 10)
    next(batches)
    batches.close()
    assert len(read) <= 40


@pytest.mark.parametrize("stop_after", [1, 4, 13, 24])
def test_stopped_work_goes_on_at_the_batch_where_it_was_cut(tmp_path, stop_after):
    whole, _ = run(None)
    with pytest.raises(Stopped):
        run(tmp_path / "c", stop_after=stop_after)
    again, read_items = run(tmp_path / "c")
    np.testing.assert_array_equal(again, whole)
    done_before = -(-stop_after // 4) * 4  # whole batches only
    assert sorted(read_items) == list(range(done_before, 25))
    assert isinstance(again, np.memmap)


def test_finished_work_is_not_done_again(tmp_path):
    first, _ = run(tmp_path / "c")
    again, read_items = run(tmp_path / "c")
    np.testing.assert_array_equal(again, first)
    assert read_items == []


@pytest.mark.parametrize("change", [{"key": "other"}, {"n": 24}, {"batch_size": 5}])
def test_a_checkpoint_of_other_settings_is_not_taken(tmp_path, change):
    run(tmp_path / "c")
    again, read_items = run(tmp_path / "c", **change)
    assert sorted(read_items) == list(range(change.get("n", 25)))
    np.testing.assert_array_equal(again, run(None, **change)[0])


def test_a_damaged_checkpoint_is_begun_anew(tmp_path):
    run(tmp_path / "c")
    (tmp_path / "c" / "checkpoint.json").write_text("{half")
    assert len(run(tmp_path / "c")[1]) == 25


def test_an_unreadable_item_ends_the_work_with_its_sentence(tmp_path):
    def read(index):
        if index == 9:
            raise StudioError("Picture 9 is gone.", "Bring it back.")
        return np.zeros(2, dtype=np.float32)

    rows = FeatureFile(25, 2, "k", 4, tmp_path / "c")
    with pytest.raises(StudioError, match="Picture 9"):
        encode_in_batches(read, lambda batch: batch, rows, 4, lambda *_: None, "testing")
    assert FeatureFile(25, 2, "k", 4, tmp_path / "c").done == 8


def test_a_killed_process_resumes_to_the_same_features(tmp_path):
    code = textwrap.dedent(
        """
        import os, signal, sys, time
        from pathlib import Path
        from clustering.features.pixels import Pixels
        import clustering.features.batches as batches
        import clustering.features.pixels as module
        from feature_standin import noise_pictures

        module.BATCH = 8
        batches.SAVE_SECONDS = 0.0
        def progress(done, total, doing):
            time.sleep(0.05)  # long enough for a save
            if done >= 24:
                os.kill(os.getpid(), signal.SIGKILL)
        Pixels(size=9).encode(noise_pictures(50), progress=progress, checkpoint=Path(sys.argv[1]))
        """
    )
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "c")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).parent}"},
    )
    assert killed.returncode == -signal.SIGKILL
    import clustering.features.pixels as module

    before, module.BATCH = module.BATCH, 8
    try:
        pictures = noise_pictures(50)
        resumed = Pixels(size=9).encode(pictures, checkpoint=tmp_path / "c")
    finally:
        module.BATCH = before
    assert min(pictures.read) in (16, 24)  # the last save may have been under way
    np.testing.assert_array_equal(resumed, Pixels(size=9).encode(noise_pictures(50)))


def test_nothing_is_saved_batch_by_batch_and_everything_when_the_work_ends(tmp_path, monkeypatch):
    from clustering.features import batches

    saves: list[int] = []
    monkeypatch.setattr(batches, "replace_text", lambda path, text: saves.append(len(text)))
    run(tmp_path / "c", n=100)
    assert len(saves) <= 2  # at the end, and once more if three seconds went by


def test_a_save_that_fails_is_not_passed_over(tmp_path, monkeypatch):
    from clustering.features import batches

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(batches, "replace_text", full)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path / "c")


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
