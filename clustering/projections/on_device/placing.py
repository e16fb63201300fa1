"""New items on a finished map: each moves on its own among the frozen points, by UMAP's or t-SNE's forces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.projections.dre_affinities import conditional_affinities
from clustering.projections.on_device.repulsion import Field, exact_repulsion, nodes_for
from clustering.projections.on_device.tsne_layout import MOMENTUM, Descent
from clustering.projections.on_device.umap_layout import CLIP, TINY, Kernel

UMAP_EPOCHS = 100  # umap-learn's own for up to 10,000 new rows
UMAP_STEP = 0.25  # a quarter of the fit's first step, as in umap-learn
EXACT_UP_TO = {1: 300, 2: 300, 3: 20_000}  # points of the map, by dimensions; above, a grid is quicker
ROOM = 1.1  # side of the grid in sides of the map
STRANGERS = 32  # drawn in each epoch, the same for every new item, so that none depends on its company

# openTSNE's own settings for new points.
TSNE_PERPLEXITY = 5
TSNE_NEIGHBORS = 25  # whose median is the start
TSNE_ITERATIONS, TSNE_RATE, TSNE_EXAGGERATION, TSNE_LONGEST_GRADIENT = 250, 0.1, 1.5, 0.25


def placed_by_umap(
    fitted: NDArray[np.float32],
    indices: NDArray[np.int32],
    strengths: NDArray[np.float64],
    kernel: Kernel,
    negative_sample_rate: int,
    random_state: int,
    device: str,
) -> NDArray[np.float64]:
    """Return the places (m, c) of new items.

    They start at the mean of their neighbours (m, k), weighted by ``strengths``, and feel in every epoch the
    expected pull of all their links, the strongest of each item drawn always, and the push of strangers.

    Parameters
    ----------
    fitted : float32 array (n, c)
        The map, which stays as it is.
    """
    points = torch.from_numpy(fitted).to(device).double()
    near = points[torch.from_numpy(indices).to(device).long()]  # (m, k, c)
    strong = torch.from_numpy(strengths).to(device)
    places = (near * (strong / strong.sum(dim=1, keepdim=True))[:, :, None]).sum(dim=1)
    drawn = strong / strong.amax(dim=1, keepdim=True)  # share of the epochs
    drawn = torch.where(drawn * UMAP_EPOCHS >= 1, drawn, 0.0)  # weaker links would never be drawn
    push = negative_sample_rate / STRANGERS * drawn.sum(dim=1, keepdim=True)  # (m, 1)
    chosen = np.random.default_rng(random_state).integers(len(points), size=(UMAP_EPOCHS, STRANGERS))
    strangers = points[torch.from_numpy(chosen).to(device)]  # (epochs, s, c)
    for epoch in range(UMAP_EPOCHS):
        rate = UMAP_STEP * (1 - epoch / UMAP_EPOCHS)
        pull = _moves(places, near, lambda squared: kernel.attraction(squared.clamp(min=TINY)))
        away = _moves(places, strangers[epoch], kernel.repulsion)
        places = places + rate * ((pull * drawn[:, :, None]).sum(dim=1) + push * away.sum(dim=1))
    return places.cpu().numpy()


def _moves(places: Tensor, others: Tensor, coefficient: Callable[[Tensor], Tensor]) -> Tensor:
    apart = places[:, None] - others  # (m, k, c)
    return (apart * coefficient(apart.square().sum(dim=2, keepdim=True))).clamp_(-CLIP, CLIP)


def placed_by_tsne(
    fitted: NDArray[np.float32],
    indices: NDArray[np.int32],
    distances: NDArray[np.float32],
    dof: float,
    device: str,
) -> NDArray[np.float64]:
    """Return the places (m, c) of new items.

    They start at the median of their neighbours (m, k), nearest first, and descend the gradient of their own
    KL(P_i‖Q_i) against the frozen map (Poličar, Stražar, Zupan 2023). The map's force is exact or read from a
    field made once.

    Parameters
    ----------
    fitted : float32 array (n, c)
        The map, which stays as it is.
    """
    points = torch.from_numpy(fitted).to(device).double()
    listened = min(3 * TSNE_PERPLEXITY, indices.shape[1])
    near = points[torch.from_numpy(indices).to(device).long()]  # (m, k, c)
    squared = torch.from_numpy(distances[:, :listened]).to(device).double().square()
    chances = conditional_affinities(squared, min(TSNE_PERPLEXITY, listened / 3))[:, :, None]
    places = near[:, :TSNE_NEIGHBORS].quantile(0.5, dim=1)
    near = near[:, :listened]
    field = _field(points, dof) if len(points) > EXACT_UP_TO[points.shape[1]] else None
    descent = Descent(TSNE_RATE, MOMENTUM)
    for _ in range(TSNE_ITERATIONS):
        forces, totals = field.at(places) if field else exact_repulsion(places, points, dof)
        apart = places[:, None] - near
        inverse = 1 / (1 + apart.square().sum(dim=2, keepdim=True) / dof)
        gradient = TSNE_EXAGGERATION * (chances * inverse * apart).sum(dim=1) - forces / totals[:, None]
        length = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        places = descent(places, gradient * (TSNE_LONGEST_GRADIENT / length.clamp_min(TSNE_LONGEST_GRADIENT)))
        if field:
            places = field.inside(places)
    return places.cpu().numpy()


def _field(points: Tensor, dof: float) -> Field:
    """Return the force of the map on a grid as fine as that of the fit, with room beside the map."""
    width, c = float((points.amax(dim=0) - points.amin(dim=0)).amax()), points.shape[1]
    n_nodes = nodes_for(ROOM * width, c, dof)
    return Field.of(points, n_nodes, dof, margin=max(2, round(n_nodes * (ROOM - 1) / 2)))
