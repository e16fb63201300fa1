"""Files appear whole or not at all; logs are read while they are written; snapshots thin evenly."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.files import new_folder, read_json, sweep_parts, write_json
from clustering.jobs.log import EventLog
from clustering.jobs.status import StatusFile
from clustering.training.events import Epoch, Snapshot
from clustering.workspace import without_repeats
from clustering.workspace.events import read_lines
from clustering.workspace.ids import checked_id, new_id, slug
from clustering.workspace.snapshots import FEWEST, KEPT, keep_snapshot, snapshots_in
from tests.conftest import ROOT


def snapshot(phase: str, epoch: int, seed: int | None = None) -> Snapshot:
    rows = np.arange(4)
    return Snapshot(phase, epoch, rows, np.full((4, 2), epoch, np.float32), rows, np.ones(4, np.float32),
                    np.zeros((2, 2), np.float32), seed=seed)  # fmt: skip


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": True})

    class Unwritable:
        def __str__(self):
            raise RuntimeError("cannot be said")

    with pytest.raises(RuntimeError):
        write_json(path, {"new": Unwritable()})
    assert read_json(path) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_json_holds_what_json_cannot_say(tmp_path):
    path = tmp_path / "a.json"
    write_json(
        path,
        {"nan": float("nan"), "inf": [np.float32("inf")], "array": np.arange(2), "path": tmp_path, 3: ()},
    )
    expected = {"nan": None, "inf": [None], "array": [0, 1], "path": str(tmp_path), "3": []}
    assert read_json(path) == expected
    path.write_text("{")
    with pytest.raises(StudioError, match="not readable"):
        read_json(path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "runs" / "a"
    with pytest.raises(RuntimeError), new_folder(target) as part:
        (part / "half").write_text("x")
        assert not target.exists()
        raise RuntimeError
    assert list((tmp_path / "runs").iterdir()) == []
    with new_folder(target) as part:
        (part / "whole").write_text("x")
    assert [entry.name for entry in target.iterdir()] == ["whole"]


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path):
    writing = "import sys; from pathlib import Path; from clustering.files import new_folder\n"
    writing += "with new_folder(Path(sys.argv[1])): print('written', flush=True); input()"
    command = [sys.executable, "-c", writing]
    folder = tmp_path / "runs"
    folder.mkdir()
    killed, living = (
        subprocess.Popen(
            [*command, str(folder / name)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name in ("killed", "living")
    )
    for process in (killed, living):
        process.stdout.readline()
    (folder / ".paintings-1a2b.part").mkdir()  # a load that can go on
    old, young = folder / ".dec.0000abcd-12-abc123.part", folder / ".dec.0000abcd-13-abc124.part"
    for elsewhere in (old, young):
        elsewhere.mkdir()
    for part in folder.iterdir():
        if part not in (young,):
            os.utime(part, (time.time() - 7200,) * 2)
    killed.kill()
    killed.wait()
    assert sweep_parts(tmp_path) == 2
    assert {entry.name.split(".")[1] for entry in folder.iterdir()} == {"living", "dec", "paintings-1a2b"}
    assert young.exists()
    living.communicate(b"\n")
    assert (folder / "living").is_dir()


@given(st.text())
def test_every_name_makes_an_id(name):
    assert checked_id(new_id(name, lambda _: False))
    assert slug(name) == slug(slug(name))


def test_status_is_written_at_most_twice_a_second_and_always_the_last_word(tmp_path, monkeypatch):
    moment, writes = [0.0], []
    monkeypatch.setattr(
        "clustering.jobs.status.write_json", lambda path, content: writes.append(dict(content))
    )
    status = StatusFile(tmp_path / "status.json", clock=lambda: moment[0])
    for step in range(1000):
        moment[0] = step * 0.01
        status.update(done=step)
    assert 19 <= len(writes) <= 20, "ten seconds, two a second"
    status.flush()
    moment[0] += 0.6
    status.flush()
    assert writes[-1] == {"done": 999}
    count = len(writes)
    moment[0] += 9
    status.flush()
    assert len(writes) == count, "nothing new, nothing written"
    status.update(done=1000)
    status.update(done=1001)
    status.flush(now=True)
    assert writes[-1] == {"done": 1001}


def test_events_are_read_from_where_the_last_look_ended_and_never_half(tmp_path):
    log = EventLog(tmp_path)
    path = tmp_path / "events.jsonl"
    assert read_lines(path, 0) == ([], 0)
    log.write(Epoch("pretrain", 1, 2, {"total": 1.0}))
    log.flush()
    rows, offset = read_lines(path, 0)
    assert [row["epoch"] for row in rows] == [1]
    assert read_lines(path, offset) == ([], offset)
    with path.open("ab") as stream:
        stream.write(b'{"kind": "ep')  # killed while writing
    assert read_lines(path, offset) == ([], offset)
    log.close()
    again = EventLog(tmp_path)
    again.write(Epoch("pretrain", 2, 2, {"total": float("nan")}))
    again.close()
    rows, _ = read_lines(path, offset)
    assert [(row["epoch"], row["losses"]) for row in rows] == [(2, {"total": None})]


def test_epochs_seen_again_after_a_kill_are_told_once():
    def row(phase, epoch, loss):
        return {"kind": "epoch", "phase": phase, "epoch": epoch, "loss": loss}

    rows = [row("a", 1, 0), row("a", 2, 0), {"kind": "snapshot", "phase": "a", "epoch": 2}, row("b", 1, 0),
            row("a", 2, 9), row("b", 1, 9)]  # fmt: skip
    assert without_repeats(rows) == [row("a", 1, 0), row("a", 2, 9), row("b", 1, 9)]


def test_epochs_seen_again_are_told_once_seed_by_seed_and_take_nothing_from_another_seed():
    def row(seed, epoch, loss):
        return {"kind": "epoch", "seed": seed, "phase": "a", "epoch": epoch, "loss": loss}

    before = [row(1, 1, 0), row(2, 1, 0), row(1, 2, 0), row(2, 2, 0), row(1, 3, 0), row(2, 3, 0)]
    after = [row(1, 2, 9), row(2, 3, 9), row(1, 3, 9)]
    assert without_repeats(before + after) == [*before[:2], row(2, 2, 0), *after]


def test_a_fit_that_an_older_version_began_is_told_once_too():
    old = [{"kind": "epoch", "phase": "a", "epoch": epoch} for epoch in (1, 2, 3)]
    new = [{"kind": "epoch", "seed": 0, "phase": "a", "epoch": epoch} for epoch in (3, 4)]
    assert without_repeats(old) == old
    assert without_repeats(old + new) == [*old[:2], *new]


@settings(max_examples=15, deadline=None)
@given(counts=st.lists(st.integers(1, 90), min_size=1, max_size=3))
def test_snapshots_stay_few_with_the_newest_whole_and_the_first_kept(tmp_path_factory, counts):
    folder = tmp_path_factory.mktemp("snapshots")
    shown = [(f"phase {number}", epoch) for number, n in enumerate(counts) for epoch in range(1, n + 1)]
    for phase, epoch in shown:
        keep_snapshot(folder, snapshot(phase, epoch))
    kept = snapshots_in(folder)
    assert len(kept) == min(KEPT, len(shown))
    numbers = [one.number for one in kept]
    assert numbers == sorted(numbers)
    assert numbers[0] == 0
    newest = KEPT // 3
    assert numbers[-newest:] == list(range(len(shown)))[-newest:]
    if len(shown) > KEPT:
        gaps = np.diff(numbers[:-newest])
        assert gaps.max() <= 4 * (len(shown) / KEPT) + 2, "thinned evenly"
    assert kept[-1].load()["latents"][0, 0] == shown[-1][1]


def test_a_snapshot_seen_again_replaces_what_the_killed_attempt_saw_from_there_on(tmp_path):
    for epoch in (1, 2, 3, 4):
        keep_snapshot(tmp_path, snapshot("pretrain", epoch))
    keep_snapshot(tmp_path, snapshot("pretrain", 3))
    assert [one.epoch for one in snapshots_in(tmp_path)] == [1, 2, 3]


def test_snapshots_of_each_seed_thin_and_give_way_by_themselves(tmp_path):
    for epoch in range(1, 40):
        for seed in range(4):
            keep_snapshot(tmp_path, snapshot("pretrain", epoch, seed))
    kept = snapshots_in(tmp_path)
    assert [sum(one.seed == seed for one in kept) for seed in range(4)] == [FEWEST] * 4
    keep_snapshot(tmp_path, snapshot("pretrain", 38, seed=2))
    ends = [[one.epoch for one in snapshots_in(tmp_path) if one.seed == seed][-2:] for seed in range(4)]
    assert ends == [[38, 39], [38, 39], [37, 38], [38, 39]]


def test_snapshots_that_an_older_version_kept_are_read(tmp_path):
    kept = keep_snapshot(tmp_path, snapshot("pretrain layer 1", 3))
    assert kept.path.name == "000000-pretrain-layer-1-000003.npz"
    assert snapshots_in(tmp_path) == [kept]
    assert kept.seed is None
    named = keep_snapshot(tmp_path, snapshot("pretrain layer 1", 4, seed=0))
    assert snapshots_in(tmp_path) == [kept, named]
