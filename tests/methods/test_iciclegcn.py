"""IcicleGCN: its worked example, dense matrices, and what the paper and the repository do differently."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_blobs

from clustering.losses.contrast import group_contrast, pair_contrast
from clustering.losses.kl import kl_divergence
from clustering.losses.soft_assignment import log_soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.cc import CC
from clustering.methods.iciclegcn import IcicleGCN
from clustering.methods.scan import SCAN
from clustering.methods.two_graphs import TwoGraphs, Weights, doubts, squared_error
from clustering.methods.viewing import Viewing
from clustering.networks.multi_scale_graph import AS_RUN, PUBLISHED, Seen, mixed
from clustering.networks.propagation import propagated, propagation_of
from clustering.training.data import Data
from clustering.training.events import Epoch, Snapshot
from clustering.training.kept_weights import weights_kept_in
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {
    "code_dims": (12, 9),
    "code_epochs": 3,
    "hidden_dims": (16,),
    "latent_dim": 8,
    "pretrain_epochs": 2,
    "epochs": 2,
    "update_interval": 2,
    "device": "cpu",
}
CODES = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], dtype=torch.float64)
CENTERS = torch.tensor([[0.8, 0.2], [0.3, 0.7]], dtype=torch.float64)
PATH = torch.tensor([[0, 1], [1, 2]])
W = torch.tensor([[1.0, -1], [0.5, 2]], dtype=torch.float64)
variants = pytest.mark.parametrize("variant", ["paper", "repository"])


def dense(edges: torch.Tensor, n: int, symmetric: bool) -> torch.Tensor:
    matrix = torch.eye(n, dtype=torch.float64)
    matrix[edges[:, 0], edges[:, 1]] = matrix[edges[:, 1], edges[:, 0]] = 1
    degree = matrix.sum(dim=1)
    if symmetric:
        return matrix / degree.sqrt() / degree[:, None].sqrt()
    return matrix / degree[:, None]


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(120, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


def prepared(items: np.ndarray, **settings):
    """A network whose graphs are about to take their first step, with its phases."""
    method = IcicleGCN(4, **SMALL | settings)
    network = method.setup(items.shape[1], torch.Generator().manual_seed(0))
    phases = method.phases(network, Data(items, CPU))
    phases[-2].begin()
    phases[-1].begin()
    return network, phases


def epochs_of(method, items: np.ndarray) -> tuple[list[Epoch], object]:
    events = []
    model = method.fit(items, emit=events.append)
    return [event for event in events if isinstance(event, Epoch)], model


# The worked example --------------------------------------------------------------------------------------


def test_the_kernel_its_target_and_their_divergence_are_those_of_the_specification():
    log_q = log_soft_assignments(CODES, CENTERS)
    q = [[0.6277372263, 0.3722627737], [0.3722627737, 0.6277372263], [0.5221238938, 0.4778761062]]
    p = [[0.7341034553, 0.2658965447], [0.2545399035, 0.7454600965], [0.5368346787, 0.4631653213]]
    target = target_distribution(log_q.exp())
    np.testing.assert_allclose(log_q.exp(), q, atol=1e-9)
    np.testing.assert_allclose(target, p, atol=1e-9)
    assert float(kl_divergence(target, log_q)) == pytest.approx(0.019079362620, abs=1e-11)


def test_a_layer_on_a_path_of_three_is_that_of_the_specification_in_both_normalisations():
    symmetric = propagated(CODES @ W, propagation_of(PATH, 3, symmetric=True)).relu()
    expected = [[0.7199489743, 0.2215476066], [0.9144345083, 0.2625425214], [0.6449489743, 0.6715476066]]
    np.testing.assert_allclose(symmetric, expected, atol=1e-9)
    rows = propagated(CODES @ W, propagation_of(PATH, 3)).relu()
    np.testing.assert_allclose(rows, [[0.775, 0.35], [0.7833333333, 0.3], [0.7, 0.8]], atol=1e-9)
    target = target_distribution(log_soft_assignments(CODES, CENTERS).exp())
    divergence = kl_divergence(target, rows.log_softmax(dim=1))
    assert float(divergence) == pytest.approx(0.106005852524, abs=1e-11)


def test_the_squared_error_is_a_sum_over_an_item_in_the_paper_and_a_mean_in_the_repository():
    residual = torch.tensor([[0.1, 0], [0, -0.1], [0.1, 0.1]], dtype=torch.float64)
    assert float(squared_error(residual, 0 * residual, element=False)) == pytest.approx(0.0133333333)
    assert float(squared_error(residual, 0 * residual, element=True)) == pytest.approx(0.0066666667)


def test_what_goes_into_the_next_layer_is_that_of_the_specification():
    one, two, three = (torch.tensor(float(number)) for number in (1, 2, 3))
    assert float(mixed(one, two, three, PUBLISHED)) == pytest.approx(2.0)
    assert float(mixed(one, two, three, AS_RUN)) == pytest.approx(2.4)


def test_the_loss_of_the_second_stage_is_that_of_the_specification(blobs, monkeypatch):
    network, _ = prepared(blobs)
    residual = torch.tensor([[0.1, 0], [0, -0.1], [0.1, 0.1]], dtype=torch.float64)
    rows = propagated(CODES @ W, propagation_of(PATH, 3)).relu().log_softmax(dim=1)
    seen = Seen(CODES, 0 * residual, log_soft_assignments(CODES, CENTERS), rows, rows)
    graphs = TwoGraphs(network, None, 1, 15, False, Weights(0.1, 0.05, 0.01, None), 10, "float32", 0)
    monkeypatch.setattr(graphs, "_seen", lambda: seen)
    network.known_features = residual
    assert float(sum(graphs.loss(None).values()).detach()) == pytest.approx(0.014934954080, abs=1e-11)


# Graph layers --------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20))
def test_the_symmetric_product_and_its_gradient_are_those_of_the_dense_matrix(n, pairs):
    edges = torch.tensor([(a, b) for a, b in pairs if a < b < n], dtype=torch.int64).reshape(-1, 2)
    chance = torch.Generator().manual_seed(0)
    values = torch.randn(n, 3, dtype=torch.float64, generator=chance).requires_grad_()
    weights = torch.randn(n, 3, dtype=torch.float64, generator=chance)
    sparse = propagated(values, propagation_of(edges, n, symmetric=True))
    whole = dense(edges, n, symmetric=True) @ values
    torch.testing.assert_close(sparse, whole)
    found, expected = (torch.autograd.grad((one * weights).sum(), values)[0] for one in (sparse, whole))
    torch.testing.assert_close(found, expected)


@variants
def test_a_whole_pass_is_that_of_dense_matrices_layer_by_layer(variant, blobs):
    # The paper prints a sum of the error, the repository has a mean; that is the default of both.
    weight = 1.0 if variant == "paper" else None
    network, phases = prepared(blobs, variant=variant, reconstruction_weight=weight)
    batch = Batch(torch.zeros(1, 6), torch.zeros(1, dtype=torch.int64), {}, torch.Generator())
    terms = phases[-1].loss(batch)
    network.double().requires_grad_(False)
    z, paper = network.known_features, variant == "paper"
    near, far = (dense(links, len(z), paper) for links in (network.near_links, network.far_links))
    h = [z]
    for layer in network.encoder.layers:
        h.append(torch.relu(h[-1] @ layer.weight.T + layer.bias))
    h[-1] = torch.softmax(h[-2] @ network.encoder.layers[-1].weight.T + network.encoder.layers[-1].bias, 1)
    a = b = z
    own, other, encoder = (0.4, 0.2, 0.4) if paper else (0.5, 0.2, 0.5)
    streams = network.streams[0], network.streams[1 if paper else 0]
    for number, (of_a, of_b) in enumerate(zip(*streams, strict=True)):
        if number:
            a, b = (
                own * a + other * b + encoder * h[number],
                own * b + other * a + encoder * h[number],
            )
        a, b = near @ a @ of_a.weight, far @ b @ of_b.weight
        if number < len(streams[0]) - 1:
            a, b = a.relu(), b.relu()
    log_q = log_soft_assignments(h[-1], network.centers)
    p = target_distribution(log_q.exp())
    rebuilt = network.decoder(h[-1])
    norm = len(z) if paper else z.numel()
    assert float(terms["reconstruction"].detach()) == pytest.approx(
        float(((z - rebuilt) ** 2).sum() / norm), rel=1e-4
    )
    for name, weight, log_g in (("kernel", 0.1, log_q), ("near graph", 0.05, a), ("far graph", 0.01, b)):
        expected = weight * float(kl_divergence(p, log_g.log_softmax(dim=1)))
        assert float(terms[name].detach()) == pytest.approx(expected, rel=1e-3, abs=1e-7)


@variants
def test_links_go_to_the_nearest_by_distance_one_and_ten_or_fifteen(variant, blobs):
    twice = np.concatenate([blobs, blobs[:7]])  # of equal items the first is linked for both
    network, _ = prepared(twice, variant=variant)
    z = network.known_features[: len(blobs)]
    apart = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    for links, k in ((network.near_links, 1), (network.far_links, 10 if variant == "paper" else 15)):
        expected = {
            tuple(sorted((i, int(j)))) for i, row in enumerate(apart.topk(k, largest=False)[1]) for j in row
        }
        assert {tuple(pair) for pair in links.tolist()} == expected


def test_features_that_stand_still_are_brought_to_squares_that_sum_to_one(blobs):
    network, _ = prepared(blobs * 50 + 3)
    z = network.known_features
    assert float(z.square().sum(dim=1).mean()) == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(network.encode(torch.from_numpy(blobs * 50 + 3)), z)


# The first stage -----------------------------------------------------------------------------------------


@variants
def test_the_joint_loss_contrasts_views_by_their_codes_the_repository_one_view_with_itself(variant, blobs):
    method = IcicleGCN(4, **SMALL | {"pretext": "joint", "variant": variant})
    network = method.setup(6, torch.Generator().manual_seed(0))
    *_, code, _ = method.phases(network, Data(blobs, CPU))
    code.begin()
    rows = torch.arange(0, 80, 2)

    def batch() -> Batch:
        return Batch(torch.from_numpy(blobs)[rows], rows, {}, torch.Generator().manual_seed(7))

    views = Viewing(Data(blobs, CPU), "neighbours", 1.0).pair(batch(), network.neighbours)
    first, second = (network.learn(view) for view in views)
    codes = [torch.softmax(network.encoder(items), dim=1) for items in (first, second)]
    lost = [(items - network.decoder(w)).square() for items, w in zip((first, second), codes, strict=True)]
    terms = code.loss(batch())
    compare = network.features.items
    torch.testing.assert_close(terms["items"], pair_contrast(compare(first), compare(second), 0.5))
    if variant == "paper":
        torch.testing.assert_close(terms["groups"], group_contrast(*codes, 1.0))
        expected = (lost[0].sum() + lost[1].sum()) / (2 * len(rows))
    else:
        torch.testing.assert_close(terms["groups"], group_contrast(codes[0], codes[0], 1.0))
        expected = lost[0].mean()
    torch.testing.assert_close(terms["reconstruction"], expected)
    terms["reconstruction"].backward()
    assert float(network.features.last.weight.grad.abs().max()) > 0  # it reaches the features


def test_the_repositorys_features_begin_as_those_of_cc_and_are_taken_from_it_where_it_was_there(
    blobs, tmp_path
):
    shared = {"hidden_dims": (16,), "latent_dim": 8, "batch_size": 40, "device": "cpu"}
    method = IcicleGCN(4, **SMALL | shared | {"pretext": "joint", "variant": "repository", "code_epochs": 1})
    alone, without = epochs_of(method, blobs)
    with weights_kept_in(tmp_path):
        cc = CC(4, epochs=2, **shared).fit(blobs)
        assert len(list(tmp_path.iterdir())) == 1
        after, with_it = epochs_of(method, blobs)
    assert [epoch.phase for epoch in alone[:2]] == ["learn", "learn"]
    assert [epoch.phase for epoch in after] == [epoch.phase for epoch in alone[2:]]
    np.testing.assert_array_equal(without.soft_assignments_, with_it.soft_assignments_)
    np.testing.assert_array_equal(without.embedding_, with_it.embedding_)
    # The head that CC grouped by is left as CC had it; 15 more passes move the rest.
    name = "groups.layers.0.weight"
    np.testing.assert_array_equal(with_it.weights_[f"features.{name}"], cc.weights_[name])


def test_a_code_that_views_teach_begins_with_an_opinion_and_learns_long_enough(blobs):
    def spread(pretext: str) -> float:
        method = IcicleGCN(4, pretext=pretext, latent_dim=64, hidden_dims=(16,))
        network = method.setup(6, torch.Generator().manual_seed(0))
        z = torch.randn(
            200, network.encoder.layers[0].in_features, generator=torch.Generator().manual_seed(0)
        )
        return float(network.logits(z).detach().std())

    assert spread("joint") > 10 * spread("contrast")
    repository = IcicleGCN(4, pretext="joint", variant="repository", batch_size=100)
    assert [repository.coding_passes(n) for n in (200, 60_000)] == [150, 15]  # 300 steps at least
    assert repository.set_params(code_epochs=7).coding_passes(200) == 7


def test_features_learned_by_contrast_are_those_that_scan_learned(blobs, tmp_path):
    shared = {"pretext": "contrast", "hidden_dims": (16,), "latent_dim": 8, "pretrain_epochs": 2}
    with weights_kept_in(tmp_path):
        SCAN(4, **shared, epochs=1, self_label_epochs=0, device="cpu").fit(blobs)
        epochs, model = epochs_of(IcicleGCN(4, **SMALL | shared), blobs)
    assert [epoch.phase for epoch in epochs] == ["code"] * 3 + ["cluster"] * 2
    assert model.embedding_.shape == (120, 4)


def test_a_code_that_has_not_learned_its_first_groups_is_told_at_the_end(blobs):
    epochs, _ = epochs_of(IcicleGCN(4, **SMALL | {"learning_rate": 1e-6}), blobs)
    told = ["groups of k-means it was taught" in " ".join(epoch.alarms) for epoch in epochs]
    assert told == [False, False, True, False, False]
    enough = {"learning_rate": 0.01, "code_epochs": 20, "batch_size": 20, "code_dims": (32,)}
    epochs, _ = epochs_of(IcicleGCN(4, **SMALL | enough), blobs)
    assert not any("it was taught" in " ".join(epoch.alarms) for epoch in epochs)


# Fits ----------------------------------------------------------------------------------------------------


def test_its_loss_falls_while_all_groups_live_and_a_new_item_gets_the_group_of_the_nearest():
    X = (load_digits().data[:300] / 16).astype(np.float32)
    events = []
    method = IcicleGCN(
        10,
        code_dims=(64, 32),
        code_epochs=30,
        batch_size=50,
        learning_rate=5e-3,
        epochs=5,
        update_interval=10,
        cluster_learning_rate=3e-3,
        device="cpu",
    )
    model = method.fit(X, emit=events.append)
    cluster = [event for event in events if isinstance(event, Epoch) and event.phase == "cluster"]
    assert cluster[-1].losses["total"] < cluster[0].losses["total"]
    assert np.bincount(model.labels_, minlength=10).min() > 0
    shown = [event for event in events if isinstance(event, Snapshot) and event.phase == "cluster"]
    np.testing.assert_allclose(shown[-1].latents, model.embedding_, atol=1e-4)
    np.testing.assert_array_equal(shown[-1].labels, model.labels_)
    np.testing.assert_allclose(model.embedding_.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.predict(X + np.float32(1e-5)), model.labels_)
    assert model.weights_["taught"].size == model.weights_["near_links"].size == 0


def test_before_any_step_on_the_graphs_the_kernel_tells_the_groups(blobs):
    network, phases = prepared(blobs)
    seen = phases[-1].refresh()
    assert torch.equal(seen.labels, network.start)
    assert seen.figures["as at the start"] == seen.figures["kernel agrees"] == 1


def test_a_stream_answers_once_it_knows_as_many_groups_as_the_kernel(blobs, monkeypatch):
    network, _ = prepared(blobs)
    graphs = TwoGraphs(network, None, 1, 10, True, Weights(0.1, 0.05, 0.01, None), 10, "float32", 0)
    all_four, three, two = (torch.eye(4)[torch.arange(8) % k].mul(3).log_softmax(dim=1) for k in (4, 3, 2))
    for near, far, kernel, answer in (
        (all_four, three, all_four, "sparse"),
        (three, all_four, all_four, "denser"),
        (three, two, all_four, "kernel"),
        (three, all_four, three, "sparse"),  # nobody asks for more than the kernel knows
    ):
        seen = Seen(kernel.exp(), torch.zeros(8, 6), kernel, near, far)
        monkeypatch.setattr(graphs, "_seen", lambda seen=seen: seen)
        network.steps.fill_(0)
        torch.testing.assert_close(graphs.assignments(), kernel.exp())
        network.steps.fill_(5)
        found = {"sparse": near, "denser": far, "kernel": kernel}[answer]
        torch.testing.assert_close(graphs.assignments(), found.exp())


def test_every_collapse_of_the_second_stage_has_its_sentence_and_a_mend():
    well = {
        "as at the start": 0.95,
        "kernel confidence": 0.25,
        "groups in the near graph": 10.0,
        "groups in the far graph": 10.0,
        "links within groups": 0.9,
    }
    assert doubts(well, 10, 15, settled=True) == []
    for change, words, mend in (
        ({"as at the start": 0.5}, "Only 50% of the items are still in the group", "compare with k-means"),
        ({"kernel confidence": 0.12}, "0.12; 0.25 where codes are sure, 0.10 by chance", "code_epochs"),
        ({"groups in the near graph": 9.0}, "on the sparse graph knows only 9 of 10", "more “epochs”"),
        ({"groups in the far graph": 4.0}, "graph of 15 neighbours knows only 4 of 10", "another seed"),
        ({"links within groups": 0.3}, "Only 30% of the links to the 15 nearest", "other features"),
    ):
        (told,) = doubts(well | change, 10, 15, settled=True)
        assert words in told
        assert mend in told
    assert doubts(well | {"as at the start": 0.5, "groups in the far graph": 1}, 10, 15, settled=False) == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@variants
@pytest.mark.parametrize("pretext", ["features", "contrast", "joint"])
def test_recorded_steps_on_the_graphs_end_twice_alike_and_are_found_again_on_the_cpu(variant, pretext, blobs):
    chosen = SMALL | {"device": "cuda", "epochs": 4, "update_interval": 10, "code_epochs": 10}
    one, other = (IcicleGCN(4, variant=variant, pretext=pretext, **chosen).fit(blobs) for _ in range(2))
    np.testing.assert_array_equal(one.soft_assignments_, other.soft_assignments_)
    one.device = "cpu"
    np.testing.assert_array_equal(one.predict(blobs), one.labels_)
