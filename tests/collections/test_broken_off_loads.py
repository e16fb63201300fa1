"""A load is whole or not at all: it goes on after a break, and touches nothing that was there before."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from painting import everything_in, gallery, painted, with_library

from clustering.collections import discard, load, survey
from clustering.errors import Stopped, StudioError


def test_what_lies_at_the_destination_is_never_touched(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "diary.txt").write_text("mine")
    before = everything_in(tmp_path)
    with pytest.raises(StudioError, match=r"already something at.*remove it first"):
        load(folder, tmp_path / "c")
    assert everything_in(tmp_path) == before


def test_loading_the_same_again_opens_what_is_there(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g")
    first = load(folder, tmp_path / "c")
    assert load(folder, tmp_path / "c").created == first.created
    with pytest.raises(StudioError, match=r"already something at"):
        load(gallery(tmp_path / "other"), tmp_path / "c")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("moment", ["collection.json", "atlas-64-000.webp", "00000.npz", "request.json"])
def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, moment: str
) -> None:
    folder = gallery(tmp_path / "g")
    before = everything_in(tmp_path)
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == moment:
            raise OSError(code, os.strerror(code))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StudioError, match=r"The disk is full.*Free some space"):
        load(folder, tmp_path / "c")
    monkeypatch.undo()
    assert everything_in(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(StudioError, match=r"cannot be read or written"):
        load(gallery(tmp_path / "g"), tmp_path / "locked" / "c")


def test_a_place_below_a_file_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StudioError, match=r"cannot be read or written|already"):
        load(gallery(tmp_path / "g"), tmp_path / "file" / "c")


def test_a_stopped_load_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "CHUNK", 16)
    folder = gallery(tmp_path / "g", 60, width=20, height=20)
    looked: list[str] = []
    look = survey._look_at
    monkeypatch.setattr(survey, "_look_at", lambda path: looked.append(path.name) or look(path))
    with pytest.raises(Stopped):
        load(
            folder,
            tmp_path / "c",
            progress=lambda done, total, doing: doing.startswith("looking") and done >= 32,
        )
    assert not (tmp_path / "c").exists()
    assert 32 <= len(looked) <= 48
    first = len(looked)
    resumed = load(folder, tmp_path / "c")
    assert len(looked) - first <= 60 - 16  # the chunk that was being looked at is looked at again
    unbroken = load(folder, tmp_path / "d")
    assert resumed.items.equals(unbroken.items)
    assert (resumed.content_hash, resumed.findings) == (unbroken.content_hash, unbroken.findings)
    assert everything_in(tmp_path / "c" / "thumbnails") == everything_in(tmp_path / "d" / "thumbnails")
    assert not list((tmp_path / "c").rglob("*.npz"))


def test_a_changed_picture_is_looked_at_again_when_a_load_goes_on(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g")
    with pytest.raises(Stopped):
        load(folder, tmp_path / "c", progress=lambda done, total, doing: doing.startswith("drawing"))
    painted(50, 90, 30).save(folder / "picture-2.png")
    assert load(folder, tmp_path / "c").items["aspect"].iloc[2] == 3


def test_another_request_does_not_go_on_with_the_remains_of_this_one(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        load(
            gallery(tmp_path / "g"),
            tmp_path / "c",
            copy=True,
            progress=lambda d, t, doing: doing.startswith("drawing"),
        )
    collection = load(gallery(tmp_path / "other", 3), tmp_path / "c")
    assert collection.n_items == 3
    assert not (tmp_path / "c" / "originals").exists()


def test_discarding_removes_the_remains_only(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        load(
            gallery(tmp_path / "g"), tmp_path / "c", progress=lambda d, t, doing: doing.startswith("drawing")
        )
    assert (tmp_path / ".c.part").exists()
    discard(tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g"]


def test_a_load_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g", 600, width=8, height=8)
    script = (
        "import sys, time; from clustering.collections import load\n"
        "def slow(done, total, doing):\n"
        "    if doing.startswith('looking') and done >= 300: print('now', flush=True); time.sleep(60)\n"
        f"load({str(folder)!r}, {str(tmp_path / 'c')!r}, progress=slow)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=with_library())
    assert process.stdout is not None
    assert process.stdout.readline() == b"now\n"
    with pytest.raises(StudioError, match=r"being loaded by another process"):
        load(folder, tmp_path / "c")
    process.send_signal(signal.SIGKILL)
    process.wait()
    chunk = tmp_path / ".c.part" / "survey" / "00000.npz"
    kept = chunk.stat().st_mtime_ns
    times: list[int] = []
    collection = load(
        folder,
        tmp_path / "c",
        progress=lambda *_: times.append(chunk.stat().st_mtime_ns) if chunk.exists() else None,
    )
    assert set(times) == {kept}
    assert collection.n_items == 600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "g"]


def test_progress_is_told_often_and_never_backwards_within_a_step(tmp_path: Path) -> None:
    heard: dict[str, list[tuple[int, int]]] = {}
    load(
        gallery(tmp_path / "g", 50, width=8, height=8), tmp_path / "c",
        progress=lambda done, total, doing: heard.setdefault(doing, []).append((done, total)) and None,
    )  # fmt: skip
    for steps in heard.values():
        assert steps == sorted(steps)
        assert all(done <= total for done, total in steps)
    assert heard["looking at the pictures"][-1] == heard["drawing thumbnails"][-1] == (50, 50)
