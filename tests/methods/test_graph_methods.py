"""SDCN and DAGC against the worked example, a dense product, and what links are to do."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score

from clustering.arrays import distinct_rows
from clustering.losses.confident_cross_entropy import confident, confident_cross_entropy, largest_reachable
from clustering.losses.kl import kl_divergence
from clustering.losses.log_divergence import log_divergence
from clustering.losses.target_distribution import target_distribution
from clustering.methods import methods
from clustering.methods.dagc import DAGC
from clustering.methods.edges import distinct_nearest_edges
from clustering.methods.graph_clusterer import shares
from clustering.methods.sdcn import SDCN
from clustering.networks.graph_autoencoder import DAGCNetwork, SDCNNetwork, fused
from clustering.networks.graph_convolution import GraphConvolution, MixingWeights
from clustering.networks.propagation import propagated, propagation_of
from clustering.training.data import Data

SMALL = {"hidden_dims": (16,), "latent_dim": 4, "pretrain_epochs": 30, "device": "cpu"}
Z = torch.tensor([[0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
Q = torch.tensor([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
PATH = torch.tensor([[0, 1], [1, 2]])


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# Graph layers --------------------------------------------------------------------------------------------


def test_every_node_takes_the_mean_of_itself_and_its_neighbours():
    mean = propagated(torch.eye(3), propagation_of(PATH, 3))
    torch.testing.assert_close(mean, torch.tensor([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]]))
    alone = propagated(torch.eye(2), propagation_of(torch.empty(0, 2, dtype=torch.int64), 2))
    torch.testing.assert_close(alone, torch.eye(2))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20))
def test_the_sparse_product_and_its_gradient_are_those_of_the_dense_matrix(n, pairs):
    pairs = sorted({(a, b) for a, b in pairs if a < b < n})
    edges = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    matrix = torch.eye(n, dtype=torch.float64)
    for a, b in pairs:
        matrix[a, b] = matrix[b, a] = 1
    matrix /= matrix.sum(dim=1, keepdim=True)
    values = torch.randn(n, 3, dtype=torch.float64, generator=chance()).requires_grad_()
    weights = torch.randn(n, 3, dtype=torch.float64, generator=chance())
    sparse, dense = propagated(values, propagation_of(edges, n)), matrix @ values
    torch.testing.assert_close(sparse, dense)
    found = torch.autograd.grad((sparse * weights).sum(), values)[0]
    torch.testing.assert_close(found, torch.autograd.grad((dense * weights).sum(), values)[0])


def test_twins_take_from_the_links_of_the_first():
    """Node 3 equals node 0, which is linked to node 1."""
    stands_for = torch.tensor([0, 1, 2, 0])
    values = torch.eye(4, dtype=torch.float64).requires_grad_()
    mean = propagated(values, propagation_of(PATH, 4, stands_for))
    torch.testing.assert_close(mean[3], mean[0])
    assert torch.autograd.gradcheck(lambda v: propagated(v, propagation_of(PATH, 4, stands_for)), values)


def test_neighbours_are_sought_among_different_items():
    rows = np.array([[0, 0], [1, 0], [0, 0], [5, 0], [0, 0]], dtype=np.float32)
    assert distinct_nearest_edges(Data(rows, torch.device("cpu")), 1).tolist() == [[0, 1], [1, 3]]
    assert distinct_nearest_edges(Data(rows[[0, 2]], torch.device("cpu")), 3).shape == (0, 2)


def test_the_worked_example_of_heterogeneity_wise_fusion():
    own = torch.tensor([[0.5, 0.5], [1, 0], [0, 2]])
    graph = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
    mixing = MixingWeights((2, 2), chance())
    weight = torch.tensor([[0.1, 0.2], [0.3, -0.1], [0, 0.4], [-0.2, 0.1]])
    mixing.layer.weight.data, mixing.layer.bias.data = weight.T.contiguous(), torch.zeros(2)
    lengths = torch.tensor(
        [[0.6144433813, 0.7889609187], [0.5948833992, 0.8038120062], [0.7415079213, 0.6709441129]]
    )
    torch.testing.assert_close(mixing(own, graph), lengths)
    mixed = fused(mixing, graph, own)
    expected = [[1.0089238406, 0.3944804593], [0.8038120062, 0.5948833992], [0.7415079213, 2.0833961472]]
    torch.testing.assert_close(mixed, torch.tensor(expected))
    layer = GraphConvolution(2, 2, chance())
    layer.weight.data = torch.tensor([[1.0, -1], [0.5, 0.5]])
    out = torch.nn.functional.leaky_relu(layer(mixed, propagation_of(PATH, 3)), 0.2)
    expected = [[1.1537088881, -0.1318053918], [1.3635412570, -0.0678575843], [1.4422298503, -0.0206180154]]
    torch.testing.assert_close(out, torch.tensor(expected))


# Losses --------------------------------------------------------------------------------------------------


def test_the_worked_example_of_the_soft_supervision():
    p = target_distribution(Z)
    expected = [[0.7714285714, 0.2285714286], [0.6, 0.4], [0.0181818182, 0.9818181818]]
    torch.testing.assert_close(p, torch.tensor(expected))
    assert float(kl_divergence(p, Q.log())) == pytest.approx(0.0837881392, rel=1e-5)
    assert float(kl_divergence(p, Z.log())) == pytest.approx(0.0468427986, rel=1e-5)
    assert float(log_divergence(Z.log(), Q.log())) == pytest.approx(0.0265611441, rel=1e-5)


def test_the_worked_example_of_the_hard_supervision_and_a_plain_loop():
    F = ((Z + Q) / 2**0.5).softmax(dim=1)
    assert confident(F, 0.8).nonzero().tolist() == [[0, 0], [2, 1]]
    assert float(confident_cross_entropy(F, 0.8)) == pytest.approx(0.1365538374, rel=1e-5)
    F = torch.randn(7, 3, generator=chance()).softmax(dim=1)
    total = 0.0
    for row in F.tolist():
        length = sum(value**2 for value in row) ** 0.5
        for value in row:
            if value / length >= 0.6:
                total -= np.log(value if value == max(row) else 1 - value)
    assert float(confident_cross_entropy(F, 0.6)) == pytest.approx(total / 21, rel=1e-5)


@pytest.mark.parametrize(("k", "most"), [(2, 0.972), (6, 0.879), (10, 0.808), (12, 0.779), (38, 0.560)])
def test_how_sure_an_assignment_can_be_falls_with_the_number_of_groups(k, most):
    assert largest_reachable(k) == pytest.approx(most, abs=6e-4)
    sure = torch.zeros(1, k)
    sure[0, 0] = 2**0.5
    F = sure.softmax(dim=1)
    assert float(F.max() / F.norm()) == pytest.approx(largest_reachable(k), rel=1e-5)


# Networks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [SDCNNetwork, DAGCNetwork])
def test_a_whole_pass_is_that_of_dense_matrices(network):
    net = network(6, (5, 7), 3, 2, chance())
    net.centers.data.normal_(generator=chance())
    X = torch.randn(3, 6, generator=chance())
    A = torch.tensor([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]])
    seen = net.forward_graph(X, propagation_of(PATH, 3))
    h = list(net.encoder.layerwise(X))
    torch.testing.assert_close(seen.latents, net.encode(X))
    torch.testing.assert_close(seen.reconstructions, net(X))
    if network is SDCNNetwork:
        z = X
        for layer, own in zip(net.graph, h, strict=True):
            z = 0.5 * torch.relu(A @ z @ layer.weight) + 0.5 * own
    else:
        zs, z = [], X
        for number, layer in enumerate(net.graph):
            zs.append(torch.nn.functional.leaky_relu(A @ z @ layer.weight, 0.2))
            if number < 2:
                a = net.of_layers[number](h[number], zs[-1])
                torch.testing.assert_close(a.norm(dim=1), torch.ones(3))
                z = a[:, :1] * zs[-1] + a[:, 1:] * h[number]
        a = net.of_scales(*zs, h[-1])
        z = torch.cat([a[:, i : i + 1] * part for i, part in enumerate([*zs, h[-1]])], dim=1)
    torch.testing.assert_close(seen.log_graph, (A @ z @ net.last.weight).log_softmax(dim=1))
    torch.testing.assert_close(seen.log_kernel.exp().sum(dim=1), torch.ones(3))


# Fits ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def papers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two groups of 60 that overlap in their features, and whose links mostly stay within."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    X = rng.normal(0, 1, (120, 4))
    X[:, :2] += 1.5 * y[:, None]
    pairs = np.argwhere(np.triu(rng.random((120, 120)) < np.where(y[:, None] == y, 0.12, 0.01), 1))
    return X.astype(np.float32), pairs, y


@pytest.mark.parametrize("method", [SDCN, DAGC])
def test_links_tell_apart_what_the_features_leave_together(method, papers):
    X, edges, y = papers
    settings = SMALL | {"epochs": 15, "cluster_learning_rate": 0.005}
    alone = method(2, **settings).fit(X)
    linked = method(2, **settings).fit(X, edges=edges)
    score = adjusted_rand_score(y, linked.labels_)
    assert score > 0.7
    assert score > adjusted_rand_score(y, alone.labels_) + 0.3


def test_pairs_and_a_matrix_give_the_same_and_no_links_are_those_to_neighbours(papers):
    X, edges, _ = papers
    method = DAGC(2, epochs=2, **SMALL)
    ones = csr_array((np.ones(len(edges)), (edges[:, 1], edges[:, 0])), shape=(120, 120))
    one, other = (DAGC(2, epochs=2, **SMALL).fit(X, edges=links) for links in (edges, ones))
    np.testing.assert_array_equal(one.soft_assignments_, other.soft_assignments_)
    near = DAGC(2, epochs=2, graph="knn", **SMALL).fit(X, edges=edges)
    np.testing.assert_array_equal(near.soft_assignments_, method.fit(X).soft_assignments_)
    assert not np.array_equal(near.soft_assignments_, one.soft_assignments_)


def test_items_alike_with_other_links_keep_what_their_own_links_gave_them(papers):
    X, edges, y = papers
    between = np.full((2, 4), [0.75, 0.75, 0, 0], dtype=np.float32)
    own = [[120 + group, int(item)] for group in (0, 1) for item in np.flatnonzero(y == group)]
    model = SDCN(2, epochs=15, cluster_learning_rate=0.005, **SMALL).fit(
        np.concatenate([X, between]), edges=[*edges.tolist(), *own]
    )
    first, second = model.labels_[120:]
    assert first != second
    assert model.predict(between).tolist() == [first, first]


def test_a_new_item_gets_the_group_of_the_node_it_resembles(papers):
    X, edges, _ = papers
    model = DAGC(2, epochs=2, **SMALL).fit(X, edges=edges)
    np.testing.assert_array_equal(model.predict(X + np.float32(1e-5)), model.labels_)
    torch.testing.assert_close(shares(torch.tensor([[0.4, 0.4]])), torch.tensor([[0.5, 0.5]]))


def test_a_threshold_no_assignment_can_reach_is_told(papers):
    X, edges, _ = papers
    heard = []
    settings = SMALL | {"epochs": 1}
    DAGC(11, **settings).fit(X, edges=edges, emit=lambda e: heard.append(e) and None)
    told = [sentence for event in heard for sentence in getattr(event, "alarms", ())]
    assert any("no assignment can reach the threshold 0.8 (at most 0.79)" in sentence for sentence in told)


def test_layers_that_make_all_items_alike_are_told(papers):
    X, _, _ = papers
    everyone = np.ones((120, 120))
    model = SDCN(2, epochs=1, **SMALL | {"hidden_dims": (16, 16)}).fit(X, edges=csr_array(everyone))
    alarms = [sentence for row in model.history_ for sentence in row.get("alarms", ())]
    assert any("oversmoothing" in sentence for sentence in alarms)


def test_equal_items_are_looked_for_once_a_fit(monkeypatch, papers):
    looked = []

    def counted(rows):
        looked.append(len(rows))
        return distinct_rows(rows)

    monkeypatch.setattr("clustering.methods.edges.distinct_rows", counted)
    X, edges, _ = papers
    DAGC(2, epochs=1, graph="knn", n_init=2, **SMALL | {"pretrain_epochs": 1}).fit(X)
    assert looked == [120]
    DAGC(2, epochs=1, **SMALL | {"pretrain_epochs": 1}).fit(X, edges=edges)
    assert looked == [120]  # own links need no search


@pytest.mark.parametrize("method", list(methods().values()), ids=list(methods()))
def test_a_method_whose_fit_takes_links_says_what_they_are(method):
    takes = "edges" in signature(method.fit).parameters
    assert takes == bool({"links", "contexts"} & set(method.info.inputs))
