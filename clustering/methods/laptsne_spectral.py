"""LaptSNE spectral clustering: draw a map that falls into K parts, and cut the map's own graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.arrays import distinct_rows
from clustering.kinds import ANY_FEATURES
from clustering.losses.laplacian_penalty import Surrogate
from clustering.methods.cutting import STARTS, cut
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState, check_different
from clustering.methods.nearest import Found, NearestItemClusterer
from clustering.methods.plain import Phases, Telling
from clustering.neighbors import nearest_neighbors
from clustering.parameters import Meaning
from clustering.projections.axes import Axes
from clustering.projections.laptsne import (
    Iterations,
    Perplexity,
    Strength,
    Where,
    resolved_device,
    spectral_places,
)
from clustering.projections.laptsne_groups import graph_spectrum, suggested_groups
from clustering.projections.laptsne_layout import Layout, enough_threads, kl_divergence
from clustering.projections.neighbor_map import MOST_DIMENSIONS
from clustering.projections.on_device.tsne_layout import affinity_graph
from clustering.training.device import Device, choose_device

_REPORTS = 10  # while the points move
_FEWEST = 4  # below, no neighbourhood is smaller than the whole
_STEPS = 200  # of the eigensolver at the end


class LaptsneSpectral(NearestItemClusterer):
    r"""The first K eigenvectors of a LaptSNE map's graph, rows scaled to length 1, then k-means.

    The soft assignments are Student-t in the distance to the k-means centres among the eigenvectors: how
    clearly the item lies on one side of the cuts, not a probability. A new item takes the place of the
    nearest fitted item.

    Parameters
    ----------
    n_clusters : int, default=10
        Also the number of parts that the map is pushed to fall into.
    perplexity : float, default=30
        Lowered to a third of the number of different items.
    strength : float, default=0.03
        Of the penalty on the map's eigenvalues; 0 cuts the graph of a plain t-SNE map.
    latent_dim : int, default=2
        Dimensions of the map.
    n_iter : int, default=400
    max_items : int, default=5000
        Above this number the map is drawn of a random sample, and every other item takes the place of the
        sampled item nearest to it: every pair of items counts in every iteration.
    device : {"auto", "cpu", "cuda"}, default="auto"
    random_state : int, default=0

    Attributes
    ----------
    map_ : float32 array (u, latent_dim)
        Places of the distinct items.
    eigenvalues_ : float64 array (K,)
        Of the map's graph; near 0, it has fallen into K parts.
    graph_eigenvalues_ : float64 array (≤ 31,)
        Of the data's graph.
    suggested_clusters_ : int
        Where the relative gap of ``graph_eigenvalues_`` is widest.
    """

    info = MethodInfo(
        name="laptsne_spectral",
        title="LaptSNE spectral",
        paper="Laplacian-based Cluster-Contractive t-SNE for High-Dimensional Data Visualization (Sun, Han, "
        "Fan)",
        year=2022,
        source="arXiv 2207.12214; ACM TKDD 18(1)",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Draws a map that is pushed to fall into K parts and cuts it where it has come apart.",
        when_to_use="When spectral clustering is the right idea but its seams are blurred: t-SNE follows "
        "curved groups, the push opens the gaps between them, and the map shows the same groups.",
        how_it_fails="It makes K parts of structureless data as readily as of groups, so its certainty is "
        "exaggerated. With a wrong K it splits a group or joins two, and a handful of outliers can become a "
        "part of their own. Where groups are faint it gains nothing over spectral clustering and takes far "
        "longer, and another seed may cut elsewhere. The eigenvalues' widest gap is no safe guide to K.",
        formula=r"\min_Y \mathrm{KL}(P \Vert Q) + \beta \sum_{i=2}^{K} \log \lambda_i\big(L(Y)\big), \qquad "
        r"L = I - D^{-1/2} W D^{-1/2}",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"n_clusters": 3, "perplexity": 10.0, "n_iter": 60, "device": "cpu"},
        reconstructed="The paper's text on clustering could not be read. From its abstract and code: the "
        "loss and the rule that suggests K. Ours: that the cut is made in the eigenvectors of the map's "
        "graph, with rows of length 1, and by k-means.",
        order=16,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        perplexity: Perplexity = 30.0,
        strength: Strength = 0.03,
        latent_dim: Annotated[
            int, Interval(ge=1, le=10), Meaning("Dimensions of the map that is cut.", advanced=True)
        ] = 2,
        n_iter: Iterations = 400,
        max_items: Annotated[
            int,
            Interval(ge=100, le=100_000),
            Meaning("Draw the map of at most this many items; the others join the nearest.", advanced=True),
        ] = 5_000,
        device: Where = "auto",
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.perplexity = perplexity
        self.strength = strength
        self.latent_dim = latent_dim
        self.n_iter = n_iter
        self.max_items = max_items
        self.device = device
        self.random_state = random_state

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        super()._check(items, settings)
        check_different(self.info.title, _FEWEST, len(items), len(distinct_rows(items)[0]))

    def _where(self, items: NDArray[np.float32], settings: dict[str, Any]) -> Device:
        if resolved_device(settings["device"], len(items)) == "cuda":
            return choose_device("cuda")
        return Device(torch.device("cpu"), "Runs on the processor (CPU).")

    def _phases(self, _settings: dict[str, Any]) -> Phases:
        return (("map", _REPORTS), ("starts", STARTS))

    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        with enough_threads(len(distinct)):
            eigenvectors = self._map_cut(distinct, settings, telling, alarms)
        self.eigenvalues_ = eigenvectors.values.double().cpu().numpy()
        rows = eigenvectors.vectors.double().cpu().numpy()
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        latents = (rows / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
        found = cut(latents, counts, settings["n_clusters"], settings["random_state"], telling)
        suggested = f"the data's own graph suggests {self.suggested_clusters_} clusters"
        return replace(found, reason=f"{found.reason}; {suggested}")

    def _map_cut(
        self,
        distinct: NDArray[np.float32],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Surrogate:
        """Draw the map and return the first eigenvectors of its graph; a stop leaves the map as it is."""
        seed, n_clusters, device = settings["random_state"], settings["n_clusters"], telling.where.device.type
        rows = distinct
        if rows.shape[1] > MOST_DIMENSIONS:
            rows = Axes.fitted(rows, MOST_DIMENSIONS, seed)(rows)
        perplexity = min(settings["perplexity"], (len(rows) - 1) / 3)
        found = nearest_neighbors(rows, min(len(rows) - 1, int(3 * perplexity)), random_state=seed)
        affinities = affinity_graph(found, perplexity, device)
        vectors, self.graph_eigenvalues_ = graph_spectrum(affinities, seed)
        self.suggested_clusters_ = suggested_groups(self.graph_eigenvalues_)
        begin = torch.as_tensor(spectral_places(vectors, settings["latent_dim"], seed), dtype=torch.float32)
        layout = Layout(
            affinities, begin.to(device), settings["n_iter"], settings["strength"], n_clusters, seed
        )
        for report in range(1, _REPORTS + 1):
            layout.advance(settings["n_iter"] * report // _REPORTS - layout.done)
            penalty = 0.0 if layout.surrogate is None else layout.surrogate.penalty
            loss = kl_divergence(affinities, layout.graph()) + settings["strength"] * penalty
            if telling.epoch("map", report, _REPORTS, {"total": loss}, alarms=alarms if report == 1 else ()):
                break
        self.map_ = layout.places.cpu().numpy()
        return layout.eigenvectors(layout.graph(), n_clusters, _STEPS)
