"""On a CUDA device: a replayed step equals an eager one, streamed data equal resident ones, fits repeat."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from clustering.methods.dec import DEC
from clustering.methods.idec import IDEC
from clustering.training import checkpoint as checkpoint_module
from clustering.training import data as data_module
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.kmeans import kmeans
from clustering.training.lanes import side_by_side
from clustering.training.optimisers import Optimiser, cosine
from clustering.training.step import Batch, Step, at_once

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
SETTINGS = {"hidden_dims": (64, 64), "latent_dim": 5, "pretrain_epochs": 20, "epochs": 10, "device": "cuda"}


@pytest.fixture(scope="module")
def items() -> np.ndarray:
    return (make_blobs(1000, centers=6, n_features=20, cluster_std=3, random_state=0)[0] / 10).astype(
        np.float32
    )


@pytest.mark.parametrize(("kind", "burn_in"), [("sgd", 0), ("sgd", 8), ("adam", 0)])
def test_a_replayed_step_does_what_an_eager_one_does_also_when_the_rate_changes(kind, burn_in):
    device = torch.device("cuda")

    def trained(capture: bool) -> tuple[torch.Tensor, dict[str, float]]:
        generator = torch.Generator().manual_seed(0)
        weight = torch.nn.Parameter(torch.randn(8, 8, generator=generator).to(device))
        data = Data(torch.randn(192, 8, generator=generator).numpy(), device)
        targets = {"t": torch.randn(192, 8, generator=generator).to(device)}
        noise = torch.Generator(device).manual_seed(1)
        optimiser = Optimiser(kind, 0.05, schedule=cosine, burn_in=burn_in)
        built = optimiser.build([weight], device)

        def loss(batch: Batch) -> dict[str, torch.Tensor]:
            noisy = batch.features + torch.rand(
                batch.features.shape, generator=batch.generator, device=device
            )
            return {"square": (noisy @ weight - batch.targets["t"]).square().mean()}

        step = Step(at_once(loss), built, targets, data, noise, "float32", capture)

        def turns():
            for number, rows in enumerate(torch.arange(192, device=device).view(12, 1, 16)):
                optimiser.set_rate(built, number / 12)
                if number == 6:
                    targets["t"].mul_(0.5)  # in place, as a refresh does it
                step.run(rows)
                yield

        side_by_side([turns()], device)
        return weight.detach(), step.means(12)

    eager, replayed = trained(False), trained(True)
    torch.testing.assert_close(eager[0], replayed[0])
    assert eager[1] == pytest.approx(replayed[1], rel=1e-5)


def test_data_that_do_not_fit_are_streamed_with_the_same_rows(monkeypatch):
    features = np.random.default_rng(0).normal(size=(1000, 7)).astype(np.float32)
    resident = Data(features, torch.device("cuda"))
    monkeypatch.setattr(data_module, "RESIDENT_SHARE", 0.0)
    monkeypatch.setattr(data_module, "CHUNK_BYTES", 5000)
    streamed = Data(features, torch.device("cuda"))
    assert resident.resident
    assert not streamed.resident
    table = resident.order(torch.Generator("cuda").manual_seed(0)).view(20, 50)
    for (rows, one), (same, two) in zip(resident.batches(table), streamed.batches(table), strict=True):
        assert torch.equal(rows, same)
        assert torch.equal(one, two)


def test_k_means_reaches_the_inertia_of_scikit_learn():
    digits = load_digits(return_X_y=True)[0][:, 10:20].astype(np.float32)
    _, inertia = kmeans(torch.from_numpy(digits).cuda(), 10, seed=0)
    assert inertia == pytest.approx(KMeans(10, n_init=20, random_state=0).fit(digits).inertia_, rel=0.005)


@pytest.mark.parametrize("method", [DEC, IDEC])
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_the_same_seed_gives_the_same_labels_and_the_model_predicts_alike_on_the_cpu(
    method, precision, items, tmp_path
):
    model = method(6, **SETTINGS, precision=precision).fit(items)
    again = method(6, **SETTINGS, precision=precision).fit(items)
    np.testing.assert_array_equal(model.labels_, again.labels_)
    np.testing.assert_array_equal(model.predict(items[100:200]), model.labels_[100:200])
    model.save(tmp_path)
    moved = method.load(tmp_path).set_params(device="cpu")
    np.testing.assert_array_equal(moved.predict(items), model.labels_)


@pytest.mark.parametrize(
    "settings", [{}, {"profile": "fast"}, {"pretrain": "sda"}, {"views": "affine", "n_init": 2}]
)
def test_a_broken_fit_ends_with_the_labels_of_an_unbroken_one(settings, items, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    if "views" in settings:
        items = np.tile(items, 5)[:, :64]  # as if they were pictures of 8 × 8
    settings = SETTINGS | settings
    unbroken = DEC(6, **settings).fit(items)
    for phase, number in (("pretrain", 7), ("cluster", 2)):

        def emit(event, at=(phase, number)):
            if isinstance(event, Epoch) and (event.phase, event.epoch) == at:
                raise RuntimeError("killed")

        with pytest.raises(RuntimeError, match="killed"):
            DEC(6, **settings).fit(items, emit=emit, checkpoint=tmp_path)
    resumed = DEC(6, **settings).fit(items, checkpoint=tmp_path)
    np.testing.assert_array_equal(unbroken.labels_, resumed.labels_)


def test_a_second_fit_leaves_no_more_device_memory_behind_than_the_first(items):
    held = []
    for _ in range(3):
        DEC(6, **SETTINGS).fit(items)
        held.append(torch.cuda.memory_allocated())
    assert held[2] == held[0]


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_seeds_trained_side_by_side_find_what_each_finds_alone(method, items):
    together = method(6, **SETTINGS, n_init=4, random_state=5).fit(items)
    assert together.init_seeds_.tolist() == [5, 6, 7, 8]
    for seed, labels, loss in zip(
        together.init_seeds_, together.init_labels_, together.init_losses_, strict=True
    ):
        alone = method(6, **SETTINGS, random_state=int(seed)).fit(items)
        np.testing.assert_array_equal(alone.labels_, labels)
        assert alone.init_losses_[0] == loss


def test_views_are_drawn_alike_by_a_replayed_step_and_again_after_a_break(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    digits = (load_digits(return_X_y=True)[0] / 16).astype(np.float32)
    model = IDEC(10, **SETTINGS, views="affine")
    unbroken = model.fit(digits).labels_

    def emit(event):
        if isinstance(event, Epoch) and (event.phase, event.epoch) == ("pretrain", 7):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        model.fit(digits, emit=emit, checkpoint=tmp_path)
    np.testing.assert_array_equal(unbroken, model.fit(digits, checkpoint=tmp_path).labels_)
