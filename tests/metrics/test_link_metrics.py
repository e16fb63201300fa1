"""Modularity, conductance and links within groups against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.metrics.links import group_links, links, modularity


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 25), st.integers(1, 4))
def test_figures_are_those_of_networkx(seed, n, k):
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(np.triu(rng.random((n, n)) < 0.3, 1))
    labels = rng.integers(-1, k, n)
    if not len(pairs):
        assert all(row.value is None for row in links(pairs, labels))
        return
    graph = nx.Graph(map(tuple, pairs.tolist()))
    graph.add_nodes_from(range(n))
    groups = [set(np.flatnonzero(labels == label).tolist()) for label in range(k)]
    alone = [{int(item)} for item in np.flatnonzero(labels == -1)]
    communities = [group for group in groups if group] + alone
    assert modularity(pairs, labels) == pytest.approx(nx.community.modularity(graph, communities), abs=1e-12)
    found = group_links(pairs, labels)
    for label, inside, leaving, cut in zip(*found, strict=True):
        members, rest = groups[label], set(graph) - groups[label]
        assert inside == graph.subgraph(members).number_of_edges()
        assert leaving == (nx.cut_size(graph, members) if rest else 0)
        volumes = nx.volume(graph, members), nx.volume(graph, rest)
        if min(volumes) == 0:
            assert np.isnan(cut)
        else:
            assert cut == pytest.approx(nx.conductance(graph, members))


def test_two_cliques_with_a_bridge():
    graph = nx.barbell_graph(5, 0)
    edges = np.array(sorted(graph.edges))
    figures = {row.name: row for row in links(edges, np.repeat([0, 1], 5))}
    assert figures["links_within"].value == pytest.approx(20 / 21)
    assert figures["modularity"].value == pytest.approx(20 / 21 - 1 / 2)
    assert figures["conductance"].value == pytest.approx(1 / 21)
    assert not figures["conductance"].higher_is_better
    assert "would keep 0.500" in figures["links_within"].note
    together = {row.name: row for row in links(edges, np.zeros(10, int))}
    assert together["modularity"].value == pytest.approx(0)
    assert together["conductance"].value is None


def test_links_beyond_the_labels_are_refused():
    with pytest.raises(StudioError, match="name item 7, but there are 3 labels"):
        links([[0, 7]], [0, 1, 1])
