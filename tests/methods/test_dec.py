"""DEC, IDEC and DELIUS: their steps against their papers, and what they may claim."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score

from clustering.errors import StudioError
from clustering.losses.kl import kl_divergence
from clustering.losses.soft_assignment import log_soft_assignments, soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.ae_kmeans import AutoencoderKMeans
from clustering.methods.dec import DEC
from clustering.methods.delius import DELIUS
from clustering.methods.idec import IDEC
from clustering.training import checkpoint as checkpoint_module
from clustering.training.data import Data
from clustering.training.events import Epoch, Failed, Snapshot
from clustering.training.optimisers import cosine, warm_up
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch
from clustering.views.affine import AffineViews
from clustering.views.pixels import PictureShape

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 4, "pretrain_epochs": 3, "epochs": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    X, _ = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    return (X / 5).astype(np.float32)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def batch_of(features: torch.Tensor, **targets: torch.Tensor) -> Batch:
    return Batch(features, torch.arange(len(features)), targets, torch.Generator())


def test_the_loss_of_dec_is_the_divergence_of_the_batch_from_its_rows_of_the_whole_sets_target(blobs):
    method = DEC(3, **SMALL)
    network = method.setup(5, torch.Generator().manual_seed(0))
    network.centers.data.normal_(generator=torch.Generator().manual_seed(1))
    features = torch.from_numpy(blobs)
    seen = method.look(network, Data(blobs, CPU))
    q = soft_assignments(network.encode(features), network.centers)
    torch.testing.assert_close(seen.targets["p"], target_distribution(q.detach()))
    rows = torch.tensor([3, 50, 7])
    (loss,) = method.loss(network, batch_of(features[rows], p=seen.targets["p"][rows])).values()
    expected = kl_divergence(
        seen.targets["p"][rows], log_soft_assignments(network.encode(features[rows]), network.centers)
    )
    torch.testing.assert_close(loss, expected)


def test_idec_adds_gamma_times_the_divergence_and_moves_the_decoder_too(blobs):
    method = IDEC(3, gamma=0.25, **SMALL)
    network = method.setup(5, torch.Generator().manual_seed(0))
    features = torch.from_numpy(blobs)
    p = torch.full((90, 3), 1 / 3)
    p[:, 0], p[:, 1] = 0.5, 1 / 6
    terms = method.loss(network, batch_of(features, p=p))
    dec = DEC.loss(method, network, batch_of(features, p=p))["clustering"]
    torch.testing.assert_close(terms["clustering"], 0.25 * dec)
    torch.testing.assert_close(terms["reconstruction"], (network(features) - features).square().mean())
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in method.moved(network))
    assert {id(w) for w in method.moved(network)} == {id(w) for w in network.parameters()}


def test_dec_leaves_the_decoder_alone_while_clustering(blobs):
    network = DEC(3, **SMALL).setup(5, torch.Generator())
    moved = {id(weight) for weight in DEC(3).moved(network)}
    assert moved.isdisjoint(id(weight) for weight in network.decoder.parameters())
    assert id(network.centers) in moved


def test_dec_starts_where_autoencoder_and_k_means_ends(blobs):
    starts = []

    def emit(event):
        if isinstance(event, Snapshot) and event.phase == "cluster" and event.epoch == 0:
            starts.append(event)

    DEC(3, **SMALL, initial_centers="kmeans").fit(blobs, emit=emit)
    settings = {name: value for name, value in SMALL.items() if name != "epochs"}
    plain = AutoencoderKMeans(3, **settings).fit(blobs)
    np.testing.assert_array_equal(starts[0].labels, plain.labels_)
    np.testing.assert_allclose(starts[0].latents, plain.embedding_, atol=1e-6)
    np.testing.assert_allclose(starts[0].centers, plain.cluster_centers_, atol=1e-6)


def test_layer_by_layer_pretraining_trains_each_pair_then_all_with_half_the_epochs_a_pair(blobs):
    settings = SMALL | {"hidden_dims": (16, 12), "pretrain_epochs": 6, "pretrain": "sda"}
    model = DEC(3, **settings).fit(blobs)
    epochs = [(row["phase"], row["epochs"]) for row in model.history_ if row["kind"] == "epoch"]
    assert list(dict.fromkeys(epochs)) == [
        ("pretrain layer 1", 3),
        ("pretrain layer 2", 3),
        ("pretrain layer 3", 3),
        ("pretrain", 6),
        ("cluster", 3),
    ]


def test_a_layer_pair_moves_only_itself_and_only_hidden_units_of_the_first_pair_are_dropped(blobs):
    method = DEC(3, **SMALL | {"hidden_dims": (400,), "pretrain": "sda"})
    network = method.setup(5, torch.Generator().manual_seed(0))
    first, last, *_ = method.phases(network, Data(blobs, CPU))
    features = torch.from_numpy(blobs)
    decoder = network.decoder.layers

    def loss(phase, seed):
        batch = Batch(features, torch.arange(90), {}, torch.Generator().manual_seed(seed))
        return phase.loss(batch)["reconstruction"]

    # First pair: x → relu → dropout → linear output, no dropout on x.
    generator = torch.Generator().manual_seed(4)
    hidden = network.encoder.layers[0](features).relu()
    kept = torch.rand(hidden.shape, generator=generator) >= 0.2
    expected = 0.5 * (decoder[1](hidden * kept / 0.8) - features).square().mean()  # Caffe's Euclidean loss
    torch.testing.assert_close(loss(first, 4), expected)
    # Last pair: dropout on its input, a linear code without dropout, relu on its output.
    generator = torch.Generator().manual_seed(4)
    kept = torch.rand(hidden.shape, generator=generator) >= 0.2
    code = network.encoder.layers[1](hidden * kept / 0.8)
    expected = 0.5 * (decoder[0](code).relu() - hidden).square().mean()
    torch.testing.assert_close(loss(last, 4), expected)
    loss(last, 4).backward()
    assert network.encoder.layers[0].weight.grad is None
    assert network.encoder.layers[1].weight.grad is not None
    assert {phase.optimiser.burn_in for phase in (first, last)} == {1_000}
    assert {id(w) for w in last.parameters} == {
        id(w) for layer in (network.encoder.layers[1], decoder[0]) for w in layer.parameters()
    }


@pytest.mark.parametrize(
    ("settings", "kind", "epochs"),
    [({}, "sgd", 200), ({"views": "affine"}, "adam", 40), ({"views": "affine", "epochs": 7}, "adam", 7)],
)
def test_views_are_clustered_with_a_falling_rate_in_forty_epochs_unless_asked_otherwise(
    settings, kind, epochs
):
    method = DEC(3, **{name: value for name, value in SMALL.items() if name != "epochs"} | settings)
    pictures = np.random.default_rng(0).random((40, 64), dtype=np.float32)
    network = method.setup(64, torch.Generator().manual_seed(0))
    last = method.phases(network, Data(pictures, CPU))[-1]
    assert (last.name, last.epochs, last.optimiser.kind) == ("cluster", epochs, kind)
    assert (last.optimiser.schedule(0.99) < 0.01) == (kind == "adam")


def test_the_fast_profile_warms_up_on_a_large_collection_and_cools_down_on_a_small_one():
    schedules = [DEC(profile="fast").pretraining(n_items)[0].schedule for n_items in (19_999, 20_000)]
    assert schedules == [cosine, warm_up]


def test_original_weights_are_normal_and_the_usual_ones_uniform():
    generator = torch.Generator().manual_seed(0)
    assert DEC(pretrain="sda").setup(64, generator).encoder.layers[1].weight.std() < 0.011
    usual = DEC().setup(64, generator).encoder.layers[1].weight
    assert usual.abs().max() <= 500**-0.5
    assert usual.std() > 0.02


def test_a_huge_learning_rate_ends_in_a_sentence_and_an_event(blobs):
    events = []
    with pytest.raises(StudioError, match="ran away") as refusal:
        DEC(3, **SMALL | {"learning_rate": 1e6}).fit(blobs, emit=events.append)
    assert isinstance(events[-1], Failed)
    assert events[-1].mend == refusal.value.mend


def test_features_far_from_unit_size_are_mentioned_and_scaling_mends_it(blobs):
    def first_alarms(**settings):
        model = DEC(3, **SMALL, **settings).fit(blobs * 1e4)
        return next(row["alarms"] for row in model.history_ if row["kind"] == "epoch")

    assert any("far from unit size" in alarm for alarm in first_alarms())
    assert not any("far from unit size" in alarm for alarm in first_alarms(scale="unit"))


def test_scaled_features_are_scaled_for_new_items_too(blobs):
    plain = DEC(3, **SMALL, scale="unit").fit(blobs)
    larger = DEC(3, **SMALL, scale="unit").fit(blobs * 8)
    np.testing.assert_array_equal(plain.labels_, larger.labels_)
    np.testing.assert_array_equal(larger.predict(blobs * 8), larger.labels_)


def test_half_precision_trains_and_finds_the_blobs(blobs):
    model = DEC(3, **SMALL | {"pretrain_epochs": 20}, precision="bfloat16").fit(blobs)
    assert sorted(np.bincount(model.labels_)) == [30, 30, 30]


def test_rounds_of_delius_take_140_steps(blobs):
    model = DELIUS(3, **SMALL | {"epochs": 2, "update_interval": 140, "batch_size": 30, "tolerance": 0.0})
    epochs = []
    model.fit(blobs, emit=lambda event: epochs.append(event) if isinstance(event, Epoch) else None)
    assert DELIUS().update_interval == 140
    assert DELIUS().epochs * 140 <= 8000 < (DELIUS().epochs + 1) * 140
    assert [event.phase for event in epochs] == ["pretrain"] * 3 + ["cluster"] * 2


def test_data_without_any_groups_get_a_fine_silhouette_in_latent_space_and_none_in_the_features():
    """The structureless control: the loss of DEC raises the measure by construction."""
    rng = np.random.default_rng(0)
    noise = np.maximum(rng.normal(size=(400, 12)) @ rng.normal(size=(12, 128)) / 12**0.5, 0)
    features = np.maximum(noise @ rng.normal(size=(128, 256)) / 128**0.5, 0).astype(np.float32)
    settings = {"hidden_dims": (64, 64), "pretrain_epochs": 40, "device": "cpu", "batch_size": 100}
    model = DELIUS(8, **settings, epochs=40, update_interval=20).fit(features)
    assert silhouette_score(model.embedding_, model.labels_) > 0.6
    assert silhouette_score(features, model.labels_) < 0.05


def test_clustering_adds_agreement_to_autoencoder_and_k_means_on_digits(digits):
    X, y = digits
    gains = []
    for seed in range(3):
        starts = []

        def emit(event, starts=starts):
            if isinstance(event, Snapshot) and event.phase == "cluster" and not starts:
                starts.append(normalized_mutual_info_score(y, event.labels))

        settings = {"hidden_dims": (64, 64), "pretrain_epochs": 40, "epochs": 60, "batch_size": 64}
        model = DEC(10, **settings, initial_centers="kmeans", device="cpu", random_state=seed)
        model.fit(X, emit=emit)
        sizes = np.bincount(model.labels_, minlength=10)
        assert sizes.min() > 0
        gains.append(normalized_mutual_info_score(y, model.labels_) - starts[0])
    assert np.mean(gains) >= 0.02
    assert min(gains) > 0


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_several_seeds_are_each_what_they_are_alone_and_the_lowest_loss_is_kept(method, blobs):
    together = method(3, **SMALL, n_init=3, random_state=4).fit(blobs)
    assert together.init_seeds_.tolist() == [4, 5, 6]
    for seed, loss, labels in zip(
        together.init_seeds_, together.init_losses_, together.init_labels_, strict=True
    ):
        alone = method(3, **SMALL, random_state=int(seed)).fit(blobs)
        np.testing.assert_array_equal(alone.labels_, labels)
        assert alone.init_losses_.tolist() == [loss]
    best = int(together.init_losses_.argmin())
    np.testing.assert_array_equal(together.labels_, together.init_labels_[best])
    np.testing.assert_array_equal(together.predict(blobs), together.labels_)
    assert f"Of 3 seeds, {4 + best} is kept" in together.history_[-1]["reason"]
    assert together.history_[0]["kind"] == "started"
    alike = [
        sum(adjusted_rand_score(one, other) for other in together.init_labels_)
        for one in together.init_labels_
    ]
    assert together.medoid_seed_ == 4 + np.argmax(alike)


def test_of_several_seeds_each_names_itself_and_tells_what_it_would_tell_alone(blobs):
    def told(random_state: int, n_init: int) -> list[tuple]:
        heard = []
        settings = {**SMALL, "n_init": n_init, "random_state": random_state}
        DEC(3, **settings).fit(blobs, emit=lambda event: heard.append(event) and None)
        assert heard[-1].kind == "finished"
        return [  # how many snapshots there are hangs on the time they take
            (event.seed, event.kind, *(getattr(event, name, None) for name in ("epoch", "losses", "reason")))
            for event in heard
            if event.kind != "snapshot"
        ]

    *together, last = told(4, 3)
    for seed in (4, 5, 6):
        assert [event for event in together if event[0] == seed] == told(seed, 1)
    assert last[0] in (4, 5, 6)
    assert f"Of 3 seeds, {last[0]} is kept" in last[-1]


def test_a_wish_to_stop_ends_all_seeds(blobs):
    model = DEC(3, **SMALL, n_init=3).fit(blobs, emit=lambda event: isinstance(event, Epoch))
    assert "Stopped as asked" in model.history_[-1]["reason"]
    assert len(model.init_labels_) == 3


def test_several_seeds_broken_off_end_as_unbroken_ones(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    unbroken = DEC(3, **SMALL, n_init=2).fit(blobs)

    def emit(event):
        if isinstance(event, Epoch) and (event.phase, event.epoch) == ("cluster", 1):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        DEC(3, **SMALL, n_init=2).fit(blobs, emit=emit, checkpoint=tmp_path)
    resumed = DEC(3, **SMALL, n_init=2).fit(blobs, checkpoint=tmp_path)
    np.testing.assert_array_equal(unbroken.init_labels_, resumed.init_labels_)
    np.testing.assert_array_equal(unbroken.init_losses_, resumed.init_losses_)


def test_affine_views_need_pictures_and_say_so(blobs):
    with pytest.raises(StudioError, match="5 features are no pixels") as error:
        DEC(3, **SMALL, views="affine").fit(blobs)
    assert "pixels" in error.value.mend


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_targets_on_views_are_those_of_what_a_picture_and_its_views_agree_on(method, digits):
    model, data = method(10, **SMALL, views="affine"), Data(digits[0], CPU)
    network = model.setup(64, torch.Generator().manual_seed(0))
    network.centers.data.normal_(generator=torch.Generator().manual_seed(2))
    first, second = model.look(network, data), model.look(network, data)
    plain = method(10, **SMALL).look(network, data)
    torch.testing.assert_close(first.targets["p"], second.targets["p"])
    torch.testing.assert_close(first.confidences, plain.confidences)  # labels are those of the pictures

    generator = torch_generator(0, "targets")
    pictures = torch.from_numpy(digits[0])
    views = [AffineViews(PictureShape(1, 8, 8))(pictures, generator) for _ in range(4)]
    with torch.no_grad():
        agreed = torch.stack([model.assign(network, network.encode(seen)) for seen in (pictures, *views)])
    torch.testing.assert_close(first.targets["p"], target_distribution(agreed.mean(0)))
    assert not torch.allclose(first.targets["p"], plain.targets["p"])


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_affine_views_train_on_moved_pictures_towards_their_targets(method, digits):
    features = torch.from_numpy(digits[0][:50])
    model = method(10, **SMALL, views="affine")
    network = model.setup(64, torch.Generator().manual_seed(0))
    network.centers.data.normal_(generator=torch.Generator().manual_seed(2))
    targets = {"p": torch.eye(10).repeat(5, 1)}

    def batch(seed: int) -> Batch:
        return Batch(features, torch.arange(50), targets, torch.Generator().manual_seed(seed))

    moved = AffineViews(PictureShape(1, 8, 8))(features, torch.Generator().manual_seed(1))
    plain = method(10, **SMALL).loss(network, Batch(moved, torch.arange(50), targets, torch.Generator()))
    torch.testing.assert_close(model.loss(network, batch(1)), plain)
    assert model.loss(network, batch(2))["clustering"] != plain["clustering"]
    assert all(phase.noisy for phase in model.phases(network, Data(digits[0], CPU)))
