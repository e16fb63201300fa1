"""Where UMAP's points may start: the smoothest eigenvectors of the graph of neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.projections.on_device.graph import Graph

DENSE_UP_TO = 1_000  # items; an exact solver is quick there
SPARE = 4  # eigenvectors more than wanted, so that the wanted ones settle
ITERATIONS = 200
NOISE = 1e-3  # of the widest axis; moves points apart that the eigenvectors put on one spot


def spectral_start(graph: Graph, n_components: int, random_state: int) -> Tensor:
    """Return eigenvectors 2 to n_components + 1 of D^−½ W D^−½, largest first, float32 (n, n_components).

    A graph in several pieces has one such vector for each piece.
    """
    n, device = graph.n_items, graph.weights.device
    root = graph.summed(graph.weights[:, None])[:, 0].clamp_min(torch.finfo(torch.float32).tiny).sqrt()
    scaled = graph.weights / (root[graph.heads.long()] * root[graph.tails.long()])
    links = torch.sparse_coo_tensor(
        torch.stack([graph.heads.long(), graph.tails.long()]),
        scaled,
        (n, n),
        is_coalesced=True,
        check_invariants=False,
    )
    random = torch.Generator(device).manual_seed(random_state)
    wanted = min(n_components + 1, n)
    if n <= max(DENSE_UP_TO, 3 * (wanted + SPARE)):
        vectors = torch.linalg.eigh(links.to_dense().double()).eigenvectors.float().flip(1)
    else:
        first = torch.randn((n, wanted + SPARE), generator=random, device=device)
        first[:, 0] = root
        _, vectors = torch.lobpcg(links, X=first, niter=ITERATIONS, largest=True)
    places = torch.randn((n, n_components), generator=random, device=device)
    places *= NOISE / n**0.5
    places[:, : wanted - 1] += vectors[:, 1:wanted]
    return places
