"""Graphs from arrays, tables, GraphML and objects: the same from all, and what the check says of links."""

from __future__ import annotations

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import clustering as dc
from clustering.bonds import bonds
from clustering.collections import load
from clustering.collections.found_graph import FoundGraph
from clustering.collections.links import cleaned_links, neighbours
from clustering.errors import StudioError

X = np.array([[0.0, 1], [2, 3], [4, 5], [6, 8]], np.float32)
EDGES = [[0, 1], [1, 2], [2, 3]]
NODES = "id,a,b,class\np,0,1,u\nq,2,3,u\nr,4,5,v\ns,6,8,v\n"
LINKS = "source,target\np,q\nq,r\nr,s\n"


def sentences(collection):
    return " ".join(finding.sentence for finding in collection.findings)


def pair(folder, nodes=NODES, links=LINKS, name="edges.csv"):
    folder.mkdir(exist_ok=True)
    (folder / "nodes.csv").write_text(nodes, encoding="utf-8")
    (folder / name).write_text(links, encoding="utf-8")
    return folder


def refused(folder, links, nodes=NODES, **options) -> str:
    with pytest.raises(StudioError) as told:
        load(pair(folder, nodes, links), folder / "c", options=options or None)
    return f"{told.value.problem} {told.value.mend}"


def as_graphml(folder):
    graph = nx.Graph()
    for name, row, group in zip("pqrs", X.tolist(), "uuvv", strict=True):
        graph.add_node(name, a=row[0], b=row[1], **{"class": group})
    graph.add_edges_from(["pq", "qr", "rs"])
    nx.write_graphml(graph, folder / "g.graphml")
    return folder / "g.graphml"


# The same graph from everything -------------------------------------------------------------------------


def test_the_same_graph_comes_from_every_source(tmp_path):
    y = np.array([0, 0, 1, 1])
    np.savez(tmp_path / "pairs.npz", x=X, edges=EDGES, y=y)
    np.savez(tmp_path / "index.npz", x=X, edge_index=np.transpose(EDGES), y=y)
    matrix = np.zeros((4, 4), np.int8)
    for one, other in EDGES:
        matrix[one, other] = matrix[other, one] = 1
    np.savez(tmp_path / "matrix.npz", features=X, adj=matrix, labels=y)
    in_memory = nx.Graph(EDGES)
    for node, row in enumerate(X):
        in_memory.nodes[node]["x"] = row
    both_ways = np.concatenate([EDGES, np.flip(EDGES, 1)]).T
    tensors = SimpleNamespace(
        x=torch.tensor(X), edge_index=torch.tensor(both_ways), y=torch.tensor(y), num_nodes=4
    )
    sources = [
        *(tmp_path / f"{name}.npz" for name in ("pairs", "index", "matrix")),
        pair(tmp_path / "tables"), as_graphml(tmp_path), in_memory, tensors,
    ]  # fmt: skip
    for number, source in enumerate(sources):
        found = load(source, tmp_path / f"c{number}")
        assert (found.kind, found.n_items) == ("graph", 4), source
        np.testing.assert_array_equal(found.data(), X)
        np.testing.assert_array_equal(found.edges(), EDGES)
        assert found.edges().dtype == np.int64
        assert found.items["links"].tolist() == [1, 2, 2, 1]
        assert "3 links between 4 nodes: 1.5 neighbours a node on average" in sentences(found)


def test_the_sparse_form_of_the_field_is_read(tmp_path):
    dense = (X > 3).astype(np.float32)
    rows, columns = dense.nonzero()
    counts = np.bincount(rows, minlength=4)
    parts = {
        "data": dense[rows, columns],
        "indices": columns,
        "indptr": np.r_[0, counts.cumsum()],
        "shape": (4, 2),
    }
    links = {"data": np.ones(3), "indices": [1, 2, 3], "indptr": [0, 1, 2, 3, 3], "shape": (4, 4)}
    for name, prefix in (("bare", ""), ("prefixed", "attr_")):
        arrays = {f"{prefix}{part}": values for part, values in parts.items()}
        arrays |= {f"adj_{part}": values for part, values in links.items()}
        np.savez(tmp_path / f"{name}.npz", labels=[1, 0, -1, 1], **arrays)
        found = load(tmp_path / f"{name}.npz", tmp_path / name)
        np.testing.assert_array_equal(found.data(), dense)
        np.testing.assert_array_equal(found.edges(), EDGES)
        assert found.items["class"].isna().tolist() == [False, False, True, False]
        assert found.items["class"].dropna().tolist() == [1, 0, 1]


@pytest.mark.parametrize("name", ["label", "colour"])
def test_gml_is_read_with_names_of_nodes_or_without(tmp_path, name):
    nodes = "".join(f'node [ id {at} {name} "v{at}" size {at * at} ]\n' for at in range(3))
    text = f"graph [ directed 1\n{nodes}edge [ source 0 target 1 value 2 ]\nedge [ source 2 target 1 ] ]"
    (tmp_path / "g.gml").write_text(text)
    found = load(tmp_path / "g.gml", tmp_path / "c")
    assert found.items["id"].tolist() == (["v0", "v1", "v2"] if name == "label" else ["0", "1", "2"])
    np.testing.assert_array_equal(found.data()[:, 0], [0, 1, 4])
    np.testing.assert_array_equal(found.edges(), [[0, 1], [1, 2]])
    assert "Links have a direction (0 of 2 go both ways)" in sentences(found)


def test_a_graph_in_memory_is_loaded_by_the_library_and_found_again(tmp_path):
    graph = nx.karate_club_graph()
    one = dc.load(graph, name="Club", workspace=tmp_path)
    assert (one.name, one.n_items, one.edges().shape) == ("Club", 34, (78, 2))
    assert one.label_columns == ("club",)
    assert "Links come with weights; they were dropped" in sentences(one)
    assert dc.load(nx.karate_club_graph(), name="Club", workspace=tmp_path).id == one.id
    graph.remove_edge(0, 1)
    other = dc.load(graph, name="Club", workspace=tmp_path)
    assert other.id != one.id
    assert other.content_hash != one.content_hash  # links belong to the content


def test_words_in_columns_are_metadata_and_gaps_take_the_median(tmp_path):
    nodes = "node,a,colour,class\np,1,red,u\nq,,blue,u\nr,3,red,v\ns,7,blue,v\n"
    found = load(pair(tmp_path / "t", nodes), tmp_path / "c")
    np.testing.assert_array_equal(found.data()[:, 0], [1, 3, 3, 7])
    assert found.about["columns"] == ["a"]
    assert {"colour", "class"} <= set(found.items.columns)
    assert found.label_columns[0] == "class"
    assert "1 feature with missing values (a (1)); they take the median" in sentences(found)


def test_links_alone_are_a_graph_whose_nodes_are_those_they_name(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("from;to\n7;8\n8;9\n", encoding="utf-8")
    found = load(path, tmp_path / "c", kind="graph")
    assert found.items["id"].tolist() == ["7", "8", "9"]
    assert found.data().shape == (3, 0)
    assert "Nodes come without features" in sentences(found)


def test_real_papers_with_shared_authors(tmp_path, shared_data):
    found = load(shared_data / "graph_acm.npz", tmp_path / "c")
    assert (found.kind, found.data().shape, len(found.edges())) == ("graph", (3025, 1870), 13128)
    told = sentences(found)
    assert "561 nodes have no link (13, 19, 64 and 558 more)" in told
    assert "The graph falls into 717 parts" in told


# What is odd about links --------------------------------------------------------------------------------


def test_dangling_links_are_refused_or_left_out(tmp_path):
    odd = "source,target\np,q\nq,zebra\nr,s\n"
    assert (
        "Of the 3 links of edges.csv, 1 names a node that does not exist (first: link 2, “zebra”)"
        in refused(tmp_path / "t", odd)
    )
    found = load(
        pair(tmp_path / "u", links=odd), tmp_path / "c", kind="graph", options={"dangling": "leave out"}
    )
    np.testing.assert_array_equal(found.edges(), [[0, 1], [2, 3]])
    assert "1 link to nodes that do not exist left out (zebra)" in sentences(found)


def test_row_numbers_beyond_the_nodes_dangle_too(tmp_path):
    np.savez(tmp_path / "g.npz", x=X, edges=[[0, 1], [1, 4], [-1, 2]])
    with pytest.raises(
        StudioError, match=r"Of the 3 links of g\.npz, 2 name nodes that do not exist.*“4”, “-1”"
    ):
        load(tmp_path / "g.npz", tmp_path / "c")


def test_ids_written_otherwise_are_told_beside_those_of_the_nodes(tmp_path):
    told = refused(tmp_path / "t", "source,target\n1,2\n2,3\n")
    assert "links say “1”, “2”, “3”, the nodes are called “p”, “q”, “r” …" in told
    assert "id_column" in told


def test_numbers_written_in_another_way_are_the_same_ids(tmp_path):
    nodes = "id,a\n1,5\n2,7\n3,1\n"
    found = load(pair(tmp_path / "t", nodes, "source,target\n 1,2\n2,3\n"), tmp_path / "c")
    np.testing.assert_array_equal(found.edges(), [[0, 1], [1, 2]])


def test_loops_doubles_directions_and_lonely_nodes_are_said(tmp_path):
    links = "source,target,weight\np,q,1\nq,p,2\np,q,1\nq,q,5\nq,r,1\n"
    found = load(pair(tmp_path / "t", links=links), tmp_path / "c")
    np.testing.assert_array_equal(found.edges(), [[0, 1], [1, 2]])
    told = sentences(found)
    assert "1 link of a node with itself left out (q)" in told
    assert "1 link written more than once" in told
    assert "Links have a direction (1 of 2 go both ways); it was dropped" in told
    assert "1 node has no link (s)" in told
    assert "falls into 2 parts" in told
    assert "weights; they were dropped" in told


def test_links_written_both_ways_have_no_direction(tmp_path):
    np.savez(tmp_path / "g.npz", x=X, edges=[*EDGES, *np.flip(EDGES, 1)])
    told = sentences(load(tmp_path / "g.npz", tmp_path / "c"))
    assert "Every link was written in both directions; it counts once" in told
    assert "direction (" not in told


def test_two_nodes_of_one_id_and_a_node_without_are_refused(tmp_path):
    assert "1 id of nodes.csv stands for several nodes (p)" in refused(
        tmp_path / "t", LINKS, NODES.replace("q,", "p,")
    )
    assert "1 node of nodes.csv has no id (first: row 2)" in refused(
        tmp_path / "u", LINKS, NODES.replace("q,", ",")
    )


def test_nothing_but_loops_is_no_graph(tmp_path):
    assert "no link between two different nodes" in refused(tmp_path / "t", "source,target\np,p\n")


def test_a_file_without_its_other_half_says_what_to_do(tmp_path):
    (tmp_path / "nodes.csv").write_text(NODES, encoding="utf-8")
    with pytest.raises(StudioError, match="no file with their links lies beside it"):
        load(tmp_path / "nodes.csv", tmp_path / "c", kind="graph")
    np.savez(tmp_path / "alone.npz", x=X)
    with pytest.raises(StudioError, match=r"alone\.npz holds no links \(x\)"):
        load(tmp_path / "alone.npz", tmp_path / "d", kind="graph")
    (tmp_path / "broken.graphml").write_text("<graphml><node", encoding="utf-8")
    with pytest.raises(StudioError, match=r"broken\.graphml cannot be read"):
        load(tmp_path / "broken.graphml", tmp_path / "e")
    with pytest.raises(StudioError, match="type DataFrame cannot be loaded"):
        load(pd.DataFrame(X), tmp_path / "f")


def test_the_file_of_the_links_can_have_any_name(tmp_path):
    folder = pair(tmp_path / "t", name="cites.csv")
    options = {"links": "cites.csv"}
    for number, source in enumerate((folder, folder / "nodes.csv")):
        found = load(source, tmp_path / f"c{number}", kind="graph", options=options)
        np.testing.assert_array_equal(found.edges(), EDGES)
    assert load(folder, tmp_path / "d").kind == "graph"  # its columns say what it holds


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=25))
def test_links_and_components_are_those_of_networkx(n, pairs):
    pairs = [(a % n, b % n) for a, b in pairs]
    graph = nx.Graph(pair for pair in pairs if pair[0] != pair[1])
    graph.add_nodes_from(range(n))
    found = FoundGraph("g", np.zeros((n, 1)), np.array(pairs, np.int64))
    ids = [str(node) for node in range(n)]
    if not graph.number_of_edges():
        with pytest.raises(StudioError):
            cleaned_links(found, ids, "refuse")
        return
    edges, _ = cleaned_links(found, ids, "refuse")
    assert sorted(map(tuple, edges.tolist())) == sorted(tuple(sorted(edge)) for edge in graph.edges)
    assert len(set(bonds(edges, n).tolist())) == nx.number_connected_components(graph)
    for node in range(n):
        assert neighbours(edges, node).tolist() == sorted(graph[node])
