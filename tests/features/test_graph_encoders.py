"""Features of nodes, smoothed or not, and positions from links alone, against dense matrices."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from clustering.collections import load
from clustering.errors import StudioError
from clustering.features import encode, encoder
from clustering.features.graph_positions import positions
from clustering.newcomers import read_newcomers

EDGES = [[0, 1], [1, 2], [2, 3]]


@pytest.fixture
def chain(tmp_path):
    np.savez(tmp_path / "chain.npz", x=np.arange(8).reshape(4, 2).astype(np.float32), edges=EDGES)
    return load(tmp_path / "chain.npz", tmp_path / "chain")


def test_features_of_nodes_are_those_they_came_with(chain):
    found = encode(chain)
    assert found.about["encoder"] == "nodes"
    np.testing.assert_array_equal(found.values, chain.data())
    lengths = np.linalg.norm(encode(chain, "nodes", scaling="length one").values, axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-6)


def test_smoothing_takes_the_mean_over_a_node_and_its_neighbours(chain):
    mean = np.array([[1 / 2, 1 / 2, 0, 0], [1 / 3] * 3 + [0], [0] + [1 / 3] * 3, [0, 0, 1 / 2, 1 / 2]])
    for times in (1, 3):
        found = encode(chain, "nodes", smoothing=times)
        expected = np.linalg.matrix_power(mean, times) @ chain.data()
        np.testing.assert_allclose(found.values, expected, rtol=1e-5)


def test_the_links_are_part_of_what_features_are_known_by(chain, tmp_path):
    np.savez(tmp_path / "other.npz", x=chain.data(), edges=EDGES[:2])
    other = load(tmp_path / "other.npz", tmp_path / "other")
    assert encode(chain, smoothing=1).about["key"] != encode(other, smoothing=1).about["key"]


def test_positions_are_the_eigenvectors_of_the_dense_matrix():
    graph = nx.barbell_graph(6, 3)
    graph.add_nodes_from([20, 21])  # two without links
    graph = nx.convert_node_labels_to_integers(graph)
    n, edges = len(graph), np.array(sorted(graph.edges), np.int64)
    A = nx.to_numpy_array(graph, nodelist=range(n))
    tau = A.sum() / n
    roots = 1 / np.sqrt(A.sum(axis=1) + tau)
    matrix = roots[:, None] * (A + tau / n) * roots
    vectors = np.linalg.eigh(matrix)[1][:, ::-1][:, 1:4]
    found = positions(edges, n, 3)
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(3)]
    rows = vectors * np.sign(largest)
    rows *= np.sqrt(3) / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(np.square(found).sum(axis=1), 3, rtol=1e-4)
    np.testing.assert_allclose(
        np.abs(found), np.abs(rows), atol=1e-3
    )  # of equal entries either may be largest
    np.testing.assert_array_equal(found, positions(edges, n, 3))
    assert (found[:6, 0] > 0).all() != (found[9:15, 0] > 0).all()  # the two bells lie apart


def test_nodes_without_features_get_positions_and_say_so(tmp_path):
    graph = load(nx.karate_club_graph(), tmp_path / "c")
    found = encode(graph)
    assert (found.about["encoder"], found.shape) == ("graph-positions", (34, 16))
    with pytest.raises(StudioError, match="have no features of their own"):
        encode(graph, "nodes")
    with pytest.raises(StudioError, match=r"the graph has 34 nodes"):
        encode(graph, "graph-positions", dimensions=40)
    with pytest.raises(StudioError, match="told apart by their links alone"):
        read_newcomers(graph, [_saved(tmp_path, np.ones((1, 3)))])


def test_new_nodes_come_by_their_features_alone(chain, tmp_path):
    new = read_newcomers(chain, [_saved(tmp_path, np.array([[1.0, 2], [3, 4]]))])
    assert (new.kind, new.n_items) == ("graph", 2)
    assert "without links" in new.notes[0]
    rows = encoder("nodes")().prepared(chain, 2)(new)
    np.testing.assert_array_equal(rows, [[1, 2], [3, 4]])
    with pytest.raises(StudioError, match="features without smoothing"):
        encoder("nodes")(smoothing=1).prepared(chain, 2)
    with pytest.raises(StudioError, match=r"have 3 numbers; those of “chain” have 2"):
        read_newcomers(chain, [_saved(tmp_path, np.ones((1, 3)))])


def test_new_nodes_in_a_table_are_read_by_the_names_of_columns(tmp_path):
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "nodes.csv").write_text("id,a,b\np,1,5\nq,2,6\nr,4,4\n")
    (folder / "edges.csv").write_text("source,target\np,q\nq,r\n")
    graph = load(folder, tmp_path / "c")
    new = tmp_path / "new.csv"
    new.write_text("b,id,a\n9,mine,7\n")
    found = read_newcomers(graph, [new])
    assert found.names == ("mine",)
    np.testing.assert_array_equal(found.data(), [[7, 9]])
    new.write_text("a\n9\n")
    with pytest.raises(StudioError, match=r"lacks a column of “t”: “b”"):
        read_newcomers(graph, [new])
    new.write_text("a,b\n9,much\n")
    with pytest.raises(StudioError, match=r"Column “b” of “new.csv” holds no number in row 1"):
        read_newcomers(graph, [new])


def _saved(folder, rows):
    np.save(folder / "new.npy", rows)
    return folder / "new.npy"
