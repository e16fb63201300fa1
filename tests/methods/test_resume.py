"""A fit that was killed or paused goes on from its checkpoint and ends as an unbroken one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from clustering.errors import Stopped
from clustering.methods import method
from clustering.training import checkpoint as checkpoint_module
from clustering.training.events import Epoch, Started

SETTINGS = {"n_clusters": 3, "hidden_dims": (16,), "latent_dim": 3, "pretrain_epochs": 6, "device": "cpu"}
CLUSTERING = {"epochs": 6, "tolerance": 0.0, "batch_size": 32}
LEARNING = {"n_clusters": 3, "hidden_dims": (16,), "latent_dim": 8, "epochs": 9, "device": "cpu"}
ICICLE = LEARNING | {
    "pretrain_epochs": 3,
    "code_dims": (16,),
    "code_epochs": 3,
    "epochs": 4,
    "update_interval": 2,
    "batch_size": 50,
}
CASES = {
    "dec": SETTINGS | CLUSTERING,
    "dec, layer by layer": SETTINGS | CLUSTERING | {"pretrain": "sda", "learning_rate": 0.05},
    "dec, refresh amid a pass": SETTINGS | CLUSTERING | {"update_interval": 3},
    "idec": SETTINGS | CLUSTERING,
    "delius": SETTINGS | CLUSTERING | {"update_interval": 5},
    "gceals": SETTINGS | {"epochs": 6, "update_interval": 2},
    "deepcluster": LEARNING,
    "deepcluster_v2": LEARNING,
    "self_transform": LEARNING | {"n_prototypes": 12},
    "cc": LEARNING | {"batch_size": 50},
    "pica": LEARNING | {"batch_size": 50, "epochs": 7},
    "scan": LEARNING
    | {"pretext": "contrast", "pretrain_epochs": 4, "epochs": 4, "tuning_epochs": 1}
    | {"self_label_epochs": 3, "threshold": 0.4},
    "spice": LEARNING
    | {"pretext": "contrast", "pretrain_epochs": 2, "epochs": 3, "semi_steps": 200, "semi_batch_size": 4},
    "scan, with a queue": LEARNING
    | {"pretext": "momentum", "pretrain_epochs": 4, "epochs": 3, "tuning_epochs": 4, "self_label_epochs": 0}
    | {"batch_size": 50},
    "usl_t": LEARNING | {"pretext": "contrast", "pretrain_epochs": 3, "epochs": 4, "batch_size": 50},
    "disc": {name: value for name, value in SETTINGS.items() if name != "hidden_dims"}
    | CLUSTERING
    | {"hidden_dim": 8, "channels": 2},
    "hcmgan": {"n_clusters": 3, "epochs": 3, "refinements": 1, "hidden_dims": (8, 8), "device": "cpu"}
    | {"batch_size": 32, "least_mass": 5.0},
    "jdrl": SETTINGS | CLUSTERING,
    "udda": SETTINGS | CLUSTERING | {"graph": "knn", "update_interval": 3},
    "sdcn": SETTINGS | {"epochs": 6, "batch_size": 32, "update_interval": 2},
    "dagc": SETTINGS | {"epochs": 6, "batch_size": 32, "update_interval": 2},
    "iciclegcn": ICICLE | {"pretext": "contrast"},
    "iciclegcn, on what CC learns": ICICLE | {"pretext": "joint", "variant": "repository"},
    "ae_kmeans": SETTINGS | {"batch_size": 32},
    "contrast_kmeans": SETTINGS | {"batch_size": 50},
}


@pytest.fixture(scope="module")
def items() -> np.ndarray:
    return (
        make_blobs(150, centers=5, n_features=6, cluster_std=2.0, random_state=0)[0].astype(np.float32) / 10
    )


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)


def built(case: str):
    return method(case.partition(",")[0])(**CASES[case])


class Breaks:
    """Raises at the n-th epoch it hears."""

    def __init__(self, at: int, error: Exception):
        self.left, self.error, self.epochs = at, error, []

    def __call__(self, event):
        if isinstance(event, Epoch):
            self.epochs.append((event.phase, event.epoch))
            self.left -= 1
            if self.left == 0:
                raise self.error


def assert_same(one, two):
    np.testing.assert_array_equal(one.labels_, two.labels_)
    np.testing.assert_array_equal(one.soft_assignments_, two.soft_assignments_)
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    for name, weights in one.weights_.items():
        np.testing.assert_array_equal(weights, two.weights_[name], err_msg=name)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("at", [1, 4, 6, 7, 10])
def test_a_fit_broken_at_any_epoch_ends_as_an_unbroken_one(case, at, items, tmp_path):
    unbroken = built(case).fit(items)
    total = sum(row["kind"] == "epoch" for row in unbroken.history_)
    breaks = Breaks(min(at, total), RuntimeError("killed"))
    with pytest.raises(RuntimeError, match="killed"):
        built(case).fit(items, emit=breaks, checkpoint=tmp_path)
    heard = Breaks(-1, RuntimeError())
    resumed = built(case).fit(items, emit=heard, checkpoint=tmp_path)
    assert_same(unbroken, resumed)
    # The state before the epoch that broke was kept, so that epoch runs again and none before it.
    assert heard.epochs[:1] in ([breaks.epochs[-1]], [])
    strip = [(row["phase"], row["epoch"]) for row in resumed.history_ if row["kind"] == "epoch"]
    assert strip == [(row["phase"], row["epoch"]) for row in unbroken.history_ if row["kind"] == "epoch"]


def test_a_fit_broken_three_times_ends_as_an_unbroken_one(items, tmp_path):
    unbroken = built("idec").fit(items)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            built("idec").fit(items, emit=Breaks(3, RuntimeError()), checkpoint=tmp_path)
    assert_same(unbroken, built("idec").fit(items, checkpoint=tmp_path))


def test_a_pause_keeps_the_very_last_epoch_even_between_two_writes(items, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 1e9)
    unbroken = built("dec").fit(items)
    breaks = Breaks(4, Stopped("pause"))
    with pytest.raises(Stopped):
        built("dec").fit(items, emit=breaks, checkpoint=tmp_path)
    heard = Breaks(-1, RuntimeError())
    resumed = built("dec").fit(items, emit=heard, checkpoint=tmp_path)
    assert heard.epochs[0] == ("pretrain", 5)
    assert_same(unbroken, resumed)


def test_a_resumed_fit_is_announced_again_but_its_history_holds_one_beginning(items, tmp_path):
    with pytest.raises(RuntimeError):
        built("dec").fit(items, emit=Breaks(3, RuntimeError()), checkpoint=tmp_path)
    events = []
    resumed = built("dec").fit(items, emit=events.append, checkpoint=tmp_path)
    assert isinstance(events[0], Started)
    assert [row["kind"] for row in resumed.history_].count("started") == 1
    json.dumps(resumed.history_)


def test_a_finished_fit_called_again_gives_the_same_without_training(items, tmp_path):
    first = built("dec").fit(items, checkpoint=tmp_path)
    heard = Breaks(-1, RuntimeError())
    again = built("dec").fit(items, emit=heard, checkpoint=tmp_path)
    assert_same(first, again)
    assert heard.epochs == []
    assert again.history_[-1]["reason"] == first.history_[-1]["reason"]


def test_the_state_of_another_fit_is_not_taken_up(items, tmp_path):
    built("dec").fit(items, checkpoint=tmp_path)
    other = built("dec").set_params(random_state=1)
    assert_same(other.fit(items), other.fit(items, checkpoint=tmp_path))
    moved = items.copy()
    moved[0, 0] += 1
    assert_same(built("dec").fit(moved), built("dec").fit(moved, checkpoint=tmp_path))


def test_a_fit_that_began_again_with_smaller_steps_resumes_with_them(items, tmp_path):
    large = items * 60
    unbroken = built("dec").fit(large)
    assert any("began again" in alarm for row in unbroken.history_ for alarm in row.get("alarms", ()))
    with pytest.raises(RuntimeError):
        built("dec").fit(large, emit=Breaks(3, RuntimeError()), checkpoint=tmp_path)
    assert_same(unbroken, built("dec").fit(large, checkpoint=tmp_path))


SCRIPT = """
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    from clustering.methods.dec import DEC
    from clustering.training import checkpoint
    from clustering.training.events import Epoch

    checkpoint.SECONDS_BETWEEN = 0.0
    folder, settings = Path(sys.argv[1]), eval(sys.argv[2])
    items = np.load(folder / "items.npy")

    def killed_at(count):
        def emit(event):
            nonlocal count
            count -= isinstance(event, Epoch)
            if count == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return emit

    for at in (2, 5, 4):  # within pretraining, at its end, within clustering
        child = os.fork()
        if child == 0:
            DEC(**settings).fit(items, emit=killed_at(at), checkpoint=folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    np.save(folder / "labels.npy", DEC(**settings).fit(items, checkpoint=folder).labels_)
"""


def test_a_process_killed_outright_at_several_moments_ends_with_the_labels_of_an_unbroken_one(
    items, tmp_path
):
    np.save(tmp_path / "items.npy", items)
    (tmp_path / "fit.py").write_text(textwrap.dedent(SCRIPT))
    root = Path(__file__).resolve().parents[2]
    # One thread: a process that has started others must not fork. The labels do not hang on it.
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, tmp_path / "fit.py", tmp_path, repr(CASES["dec"])], env=environment, check=True
    )
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), built("dec").fit(items).labels_)
