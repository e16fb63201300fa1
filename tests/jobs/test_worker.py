"""What a worker hears and does: pause, resume, stop, cancel, chains, locks, full disks."""

from __future__ import annotations

import errno
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from house import ROOT, ended, features_in, until

from clustering.errors import Stopped, StudioError
from clustering.jobs import queue, supervisor
from clustering.jobs.executors import Inline, LocalProcess
from clustering.jobs.tasks import TASKS
from clustering.jobs.worker import work
from clustering.progress import tell
from clustering.training.events import Epoch
from clustering.workspace import Workspace
from clustering.workspace.liveness import Watch

DEC = {
    "method": "dec",
    "parameters": {
        "n_clusters": 3,
        "hidden_dims": [8],
        "latent_dim": 2,
        "pretrain_epochs": 4000,
        "epochs": 5,
        "batch_size": 64,
        "profile": "fast",
    },
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def steps(monkeypatch) -> list[int]:
    """A task that takes 400 short steps and writes down each."""
    taken: list[int] = []

    def count(workspace, parameters, context):
        for step in range(parameters.get("steps", 400)):
            taken.append(step)
            tell(context.progress, step, 400, "Counting")
            time.sleep(0.005)
        return {"counted": len(taken)}

    monkeypatch.setitem(TASKS, "sample", count)
    return taken


@pytest.fixture
def beside(workspace):
    """Start workers in threads; each ends when the queue is empty."""
    threads: list[threading.Thread] = []

    def start() -> threading.Thread:
        thread = threading.Thread(target=work, args=(workspace,), kwargs={"until_empty": True, "warm": False})
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        thread.join(timeout=30)


def test_a_paused_job_stands_still_while_its_worker_lives_and_goes_on_where_it_was(workspace, steps, beside):
    job = workspace.submit("sample", {})
    beside()
    until(lambda: len(steps) > 5)
    workspace.request(job.id, "pause")
    until(lambda: workspace.job(job.id).state == "paused")
    reached = len(steps)
    time.sleep(2.2)  # longer than a heartbeat
    assert len(steps) == reached
    assert workspace.status(job.id).state == "paused"
    beats = {worker.heartbeat for worker in workspace.workers()}
    time.sleep(2.2)
    assert beats != {worker.heartbeat for worker in workspace.workers()}
    workspace.request(job.id, "resume")
    assert ended(workspace, job.id) == "finished"
    assert steps == list(range(400))
    assert workspace.status(job.id).seconds < 400 * 0.05, "pauses are no working time"


def test_cancel_keeps_nothing_and_a_finished_job_cannot_be_cancelled(workspace, steps, beside):
    job = workspace.submit("sample", {})
    beside()
    until(lambda: len(steps) > 5)
    (workspace.job(job.id).folder / "checkpoint").mkdir()
    workspace.request(job.id, "cancel")
    assert ended(workspace, job.id) == "cancelled"
    assert len(steps) < 400
    assert not (workspace.job(job.id).folder / "checkpoint").exists()
    for wanted in ("pause", "resume", "stop", "cancel"):
        with pytest.raises(StudioError, match="is cancelled"):
            workspace.request(job.id, wanted)


def test_what_nobody_asked_for_gives_way_to_what_somebody_did_and_goes_on_afterwards(
    workspace, steps, monkeypatch, beside
):
    seen = []
    monkeypatch.setitem(TASKS, "load", lambda *_: seen.append(len(steps)) or {})
    samples = [workspace.submit("sample", {"unasked": True}).id for _ in range(2)]
    beside()
    until(lambda: len(steps) > 5)
    asked = workspace.submit("load", {})
    assert ended(workspace, asked.id) == "finished"
    assert seen[0] < 400, "it did not wait for a sample to end"
    assert [ended(workspace, job) for job in samples] == ["finished", "finished"]
    assert workspace.job(samples[0]).problem == ""


def test_a_paused_job_can_be_cancelled(workspace, steps, beside):
    job = workspace.submit("sample", {})
    beside()
    until(lambda: len(steps) > 5)
    workspace.request(job.id, "pause")
    until(lambda: workspace.job(job.id).state == "paused")
    workspace.request(job.id, "cancel")
    assert ended(workspace, job.id) == "cancelled"


def test_stop_keeps_what_a_fit_has_reached(workspace, beside):
    features = features_in(workspace)
    job = workspace.submit("train", {"features": features.id, **DEC})
    beside()
    until(lambda: len(workspace.events(job.id)[0]) > 10)
    workspace.request(job.id, "stop")
    assert ended(workspace, job.id) == "finished"
    run = workspace.run(workspace.job(job.id).result["run"])
    assert "stopped" in run.reason.lower()
    assert workspace.run_arrays(run.id).labels.shape == (features.n_items,)


def test_work_that_has_nothing_to_keep_when_stopped_is_cancelled_and_says_so(workspace, steps, beside):
    job = workspace.submit("sample", {})
    beside()
    until(lambda: len(steps) > 5)
    workspace.request(job.id, "stop")
    assert ended(workspace, job.id) == "cancelled"
    assert "nothing" in workspace.status(job.id).message or "anything" in workspace.status(job.id).message


def test_two_workers_on_one_queue_do_every_job_once(workspace, monkeypatch):
    done: Counter[str] = Counter()
    monkeypatch.setitem(
        TASKS, "sample", lambda workspace, parameters, context: done.update([context.job_id]) or {}
    )
    jobs = [workspace.submit("sample", {}) for _ in range(40)]
    taken: list[int] = []

    def one_worker() -> None:
        taken.append(work(Workspace.open(workspace.root), until_empty=True, warm=False))

    threads = [threading.Thread(target=one_worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert done == Counter(job.id for job in jobs)
    assert sum(taken) == 40
    assert {job.state for job in workspace.jobs()} == {"finished"}


def test_a_chained_job_finds_what_the_one_before_it_made(workspace, monkeypatch, beside):
    seen: dict[str, object] = {}
    monkeypatch.setitem(TASKS, "sample", lambda *_: {"collection": "c-1", "features": "f-1"})
    monkeypatch.setitem(
        TASKS, "quality", lambda workspace, parameters, context: seen.update(parameters) or {}
    )
    second = workspace.submit("quality", {"features": "mine"}, after=workspace.submit("sample", {}).id)
    assert "Waits for" in workspace.status(second.id).message
    beside()
    assert ended(workspace, second.id) == "finished"
    assert seen == {"collection": "c-1", "features": "mine"}


def test_what_waits_for_a_failed_job_fails_with_a_sentence_and_comes_back_when_that_is_resumed(
    workspace, monkeypatch, beside
):
    def broken(*_):
        raise StudioError("The picture is broken.", "Mend it.")

    monkeypatch.setitem(TASKS, "sample", broken)
    monkeypatch.setitem(TASKS, "quality", lambda *_: {"run": "r"})
    first = workspace.submit("sample", {}, title="Paint")
    second = workspace.submit("quality", {}, after=first.id)
    third = workspace.submit("quality", {}, after=second.id)
    beside().join()
    assert [workspace.job(job.id).state for job in (first, second, third)] == ["failed"] * 3
    assert workspace.status(first.id).message == "The picture is broken."
    assert workspace.status(first.id).mend == "Mend it."
    assert "needs what “Paint” makes" in workspace.job(second.id).problem
    monkeypatch.setitem(TASKS, "sample", lambda *_: {})
    workspace.request(first.id, "resume")
    beside().join()
    assert [workspace.job(job.id).state for job in (first, second, third)] == ["finished"] * 3


def test_an_unforeseen_error_is_one_sentence_and_its_report_is_in_the_log(workspace, monkeypatch, beside):
    monkeypatch.setitem(TASKS, "sample", lambda *_: 1 / 0)
    job = workspace.submit("sample", {})
    beside().join()
    assert "ZeroDivisionError" in workspace.status(job.id).message
    assert "Traceback" not in workspace.status(job.id).message
    assert "Traceback" in (job.folder / "log.txt").read_text()


def test_a_worker_elsewhere_whose_heart_stopped_is_dead_and_its_job_interrupted(workspace, steps, beside):
    job = workspace.submit("sample", {})
    worker = queue.register(workspace, queue.new_worker_id())
    assert queue.claim(workspace, worker.id).id == job.id
    assert workspace.status(job.id).state == "running"
    moment = [0.0]
    workspace.watch = Watch(lambda: moment[0])
    with sqlite3.connect(workspace.root / "studio.db") as connection:
        connection.execute("UPDATE workers SET host = 'elsewhere'")
    assert workspace.status(job.id).state == "running"
    moment[0] = 25.0
    assert workspace.status(job.id).state == "running", "some seconds of silence are no death"
    queue.beat(workspace, worker.id)
    moment[0] = 50.0
    assert workspace.status(job.id).state == "running", "it has just been heard"
    moment[0] = 90.0
    assert workspace.status(job.id).state == "interrupted"
    assert "Resume" in workspace.status(job.id).mend
    assert not queue.mark(workspace, job.id, worker.id, "finished"), "who lost a job has no say in it"
    workspace.request(job.id, "resume")
    beside()
    assert ended(workspace, job.id) == "finished"


@pytest.mark.parametrize("beats", [False, True])
def test_one_command_finds_out_whether_a_worker_elsewhere_lives(workspace, steps, monkeypatch, beats):
    monkeypatch.setattr("clustering.workspace.liveness.SILENCE", 1.0)
    job = workspace.submit("sample", {"steps": 3})
    worker = queue.register(workspace, queue.new_worker_id())
    queue.claim(workspace, worker.id)
    with sqlite3.connect(workspace.root / "studio.db") as connection:
        connection.execute("UPDATE workers SET host = 'elsewhere'")
    with Inline(workspace) as here:
        if beats:
            threading.Timer(0.3, queue.beat, (workspace, worker.id)).start()
            with pytest.raises(StudioError, match="in the hands of a worker"):
                here.resume(job.id)
        else:
            assert here.resume(job.id).state == "finished"


def test_a_worker_that_lost_its_job_stops_and_changes_nothing(workspace, steps, beside):
    job = workspace.submit("sample", {})
    thread = beside()
    until(lambda: len(steps) > 5)
    another = queue.register(workspace, queue.new_worker_id())
    with sqlite3.connect(workspace.root / "studio.db") as connection:
        connection.execute("UPDATE jobs SET worker_id = ?", (another.id,))
    thread.join(timeout=20)
    assert len(steps) < 400
    held = workspace.job(job.id)
    assert (held.state, held.worker_id, held.result) == ("running", another.id, {})


def test_a_database_locked_for_a_moment_is_waited_for(workspace, steps, beside):
    job = workspace.submit("sample", {})
    lock = sqlite3.connect(workspace.root / "studio.db", isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    threading.Timer(1.0, lambda: lock.execute("COMMIT")).start()
    began = time.monotonic()
    workspace.add_note("job", "waits")
    assert time.monotonic() - began > 0.5
    beside()
    until(lambda: len(steps) > 5)
    lock.execute("BEGIN IMMEDIATE")
    time.sleep(1.0)
    assert workspace.status(job.id).state == "running", "reading needs no lock"
    lock.execute("COMMIT")
    assert ended(workspace, job.id) == "finished"


def test_a_database_locked_for_good_is_a_sentence(workspace, monkeypatch):
    monkeypatch.setattr("clustering.workspace.database.PATIENCE_MS", 200)
    impatient = Workspace.open(workspace.root)
    with sqlite3.connect(workspace.root / "studio.db", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(StudioError, match="busy"):
            impatient.submit("sample", {})
        lock.execute("ROLLBACK")
    assert impatient.jobs() == []


def test_a_full_disk_fails_the_job_with_a_mend_and_leaves_no_half_run(workspace, monkeypatch, beside):
    features = features_in(workspace)
    real = np.save

    def full(stream, array, **options):
        if np.ndim(array) == 2:
            stream.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(stream, array, **options)

    monkeypatch.setattr(np, "save", full)
    job = workspace.submit(
        "train", {"features": features.id, "method": "kmeans", "parameters": {"n_clusters": 3}}
    )
    beside().join()
    status = workspace.status(job.id)
    assert status.state == "failed"
    assert "disk is full" in status.message
    assert "Free some space" in status.mend
    assert workspace.runs() == []
    assert list((workspace.root / "runs").iterdir()) == []
    monkeypatch.setattr(np, "save", real)
    workspace.request(job.id, "resume")
    beside().join()
    assert workspace.job(job.id).state == "finished"


def test_a_heart_that_meets_the_unforeseen_beats_on(workspace, monkeypatch, steps, beside):
    from clustering.jobs import heart

    wish, asked = heart.wish, []

    def odd(*given):
        asked.append(given)
        if len(asked) == 1:
            raise RuntimeError("the moon is full")
        return wish(*given)

    monkeypatch.setattr(heart, "wish", odd)
    job = workspace.submit("sample", {})
    beside()
    until(lambda: len(asked) > 0)
    workspace.request(job.id, "cancel")
    assert ended(workspace, job.id) == "cancelled"


def test_another_process_reads_the_status_at_any_moment(workspace, steps, beside):
    job = workspace.submit("sample", {"steps": 100_000})
    beside()
    until(lambda: len(steps) > 20)
    asked = f"""
from clustering.workspace import Workspace
from clustering.workspace.liveness import Watch
status = Workspace.open({str(workspace.root)!r}).status({job.id!r})
import sys
print(status.state, status.doing, "torch" in sys.modules, "sklearn" in sys.modules, "pandas" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["running", "Counting", "False", "False", "False"]
    workspace.request(job.id, "cancel")
    assert ended(workspace, job.id) == "cancelled"


def test_the_status_file_is_whole_at_every_look_and_ends_with_the_last_word(workspace, steps, beside):
    job = workspace.submit("sample", {})
    beside()
    path = until(lambda: (job.folder / "status.json").exists() and job.folder / "status.json")
    contents = set()
    while workspace.job(job.id).state in ("queued", "running"):
        contents.add(path.read_text())
        time.sleep(0.01)
    assert all(json.loads(text) for text in contents)
    assert json.loads(path.read_text())["done"] == 399


def test_a_stopped_step_says_so_to_the_task(workspace, monkeypatch, beside):
    heard: list[str] = []

    def obedient(workspace, parameters, context):
        try:
            for step in range(1000):
                tell(context.progress, step, 1000, "Looking")
                time.sleep(0.005)
        except Stopped:
            heard.append("stopped")
            return {"kept": "what there is"}

    monkeypatch.setitem(TASKS, "sample", obedient)
    job = workspace.submit("sample", {})
    beside()
    until(lambda: workspace.status(job.id).done > 3)
    workspace.request(job.id, "stop")
    assert ended(workspace, job.id) == "finished"
    assert heard == ["stopped"]


def test_a_deep_run_queues_the_plain_methods_that_are_not_there_yet(workspace):
    features = features_in(workspace)
    quick = {**DEC, "parameters": {**DEC["parameters"], "pretrain_epochs": 2, "epochs": 1}}
    with Inline(workspace) as here:
        here.submit("train", {"features": features.id, "method": "kmeans", "parameters": {"n_clusters": 3}})
        for _ in range(2):
            job = here.submit("train", {"features": features.id, **quick, "baselines": ["kmeans", "ward"]})
    assert job.state == "finished", job.problem
    waiting = [job for job in workspace.jobs(open_only=True) if job.kind == "train"]
    assert [job.parameters["method"] for job in waiting] == ["ward"]
    assert waiting[0].parameters["parameters"]["n_clusters"] == 3
    assert {job.kind for job in workspace.jobs(open_only=True)} == {"train", "quality"}


def test_one_worker_is_started_when_none_lives_and_it_takes_the_job(workspace):
    features = features_in(workspace)
    here = LocalProcess(workspace)
    job = here.submit("train", {"features": features.id, "method": "kmeans", "parameters": {"n_clusters": 3}})
    assert (
        supervisor.ensure_worker(workspace) is None or workspace.workers()
    )  # a second call starts no second one
    try:
        assert ended(workspace, job.id) == "finished"
        assert len(workspace.workers()) == 1
        assert supervisor.ensure_worker(workspace).id == workspace.workers()[0].id
    finally:
        assert supervisor.stop_workers(workspace) == 1
        until(lambda: workspace.workers() == [])


def test_progress_estimates_the_time_left_and_an_epoch_brings_its_own(workspace):
    from clustering.jobs.context import JobContext

    context = JobContext("a-job", workspace.root / "jobs" / "a-job")
    context.progress(0, 100, "Looking")
    time.sleep(0.1)
    context.progress(50, 100, "Looking")
    assert context.status.content["remaining"] == pytest.approx(0.1, rel=0.8)
    context.emit(Epoch("pretrain", 3, 10, {"total": 1.0}, remaining=7.0))
    context.close()
    told = json.loads((context.folder / "status.json").read_text())
    assert (told["phase"], told["done"], told["total"], told["remaining"]) == ("pretrain", 3, 10, 7.0)
