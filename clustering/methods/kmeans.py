"""k-means: every item belongs to the nearest of K centres, and every centre is the mean of its items."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge, Interval
from numpy.typing import NDArray
from sklearn import cluster
from sklearn.exceptions import ConvergenceWarning

from clustering.arrays import distinct_rows
from clustering.kinds import ANY_FEATURES
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState, check_group_count
from clustering.methods.plain import (
    Phases,
    PlainClusterer,
    Telling,
    squared_distances,
    student_t,
)
from clustering.parameters import Meaning
from clustering.training.data import as_tensor
from clustering.training.device import Device, choose_device
from clustering.training.kmeans import batched_kmeans

ROOM = 4  # times the size of the features that a fit takes on a graphics processor, at most

ReducedDim = Annotated[
    int | None,
    Ge(1),
    Meaning("Keep only this many principal components of the features; empty keeps them all.", advanced=True),
]

Where = Annotated[
    Literal["auto", "cpu", "cuda"],
    Meaning("Where to compute; “auto” takes the graphics processor where there is one.", advanced=True),
]


class KMeans(PlainClusterer):
    r"""k-means with k-means++ starts; the best of several.

    Lowers :math:`\sum_i \min_j \lVert x_i-\mu_j\rVert^2`. The soft assignments are Student-t in the distance
    to the centres (DEC, eq. 1, distances in units of the mean distance within clusters): honest about the
    order of the centres, not a probability. A new item goes to the nearest centre.

    Parameters
    ----------
    n_clusters : int, default=10
        Groups to look for; at most the number of different items.
    starts : int, default=10
        Random starts; the one with the lowest sum of squared distances is kept. More starts, less luck.
    latent_dim : int or None, default=None
        Reduce to this many principal components first. None uses the features themselves.
    device : {"auto", "cpu", "cuda"}, default="auto"
        On a graphics processor all starts run side by side, which is faster and finds other, equally good
        centres than the processor does for the same random_state.
    random_state : int, default=0
    """

    info = MethodInfo(
        name="kmeans",
        title="k-means",
        paper="Least squares quantization in PCM (Lloyd); k-means++: The Advantages of Careful Seeding "
        "(Arthur, Vassilvitskii)",
        year=1982,
        source="doi:10.1109/TIT.1982.1056489; SODA 2007",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Puts every item with the nearest of K averages.",
        when_to_use="Always, as the first look and the measure for everything else: it takes seconds and is "
        "easy to explain. It suits groups that are compact, round and of similar size.",
        how_it_fails="It cuts long or uneven groups into pieces of equal width and lets one large group "
        "swallow a small neighbour. It always returns K groups, even where there are none.",
        formula=r"\min_{\mu_1,\dots,\mu_K} \sum_{i=1}^{n} \min_{j} \lVert x_i - \mu_j \rVert^2",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"n_clusters": 3, "starts": 3, "device": "cpu"},
        order=10,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        starts: Annotated[
            int, Interval(ge=1, le=1000), Meaning("Random starts; the best one is kept.", advanced=True)
        ] = 10,
        latent_dim: ReducedDim = None,
        device: Where = "auto",
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.starts = starts
        self.latent_dim = latent_dim
        self.device = device
        self.random_state = random_state

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        check_group_count(settings["n_clusters"], len(items), len(distinct_rows(items)[0]))

    def _where(self, items: NDArray[np.float32], settings: dict[str, Any]) -> Device:
        here = Device(torch.device("cpu"), "Runs on the processor (CPU).")
        if settings["device"] == "cpu" or (settings["device"] == "auto" and not torch.cuda.is_available()):
            return here
        there = choose_device("cuda")
        free, _ = torch.cuda.mem_get_info()
        if ROOM * items.nbytes > free:
            return replace(here, reason=f"{here.reason} The graphics processor has too little memory free.")
        return there

    def _phases(self, settings: dict[str, Any]) -> Phases:
        return (("starts", settings["starts"]),)

    def _find(self, items: NDArray[np.float32], settings: dict[str, Any], telling: Telling) -> str:
        latents = self._reduce(items, settings["latent_dim"], settings["random_state"])
        if telling.where.device.type == "cuda":
            centers, starts = self._side_by_side(latents, settings, telling)
        else:
            centers, starts = self._one_by_one(latents, settings, telling)
        self.cluster_centers_ = centers.astype(np.float32)
        self.spread_ = float(squared_distances(latents, self.cluster_centers_).min(axis=1).mean())
        self.embedding_ = latents
        self.soft_assignments_ = self._assign(latents)
        self.labels_ = self.soft_assignments_.argmax(axis=1).astype(np.int64)
        return f"the best of {starts} starts"

    def _one_by_one(
        self, latents: NDArray[np.float32], settings: dict[str, Any], telling: Telling
    ) -> tuple[NDArray[Any], int]:
        """Return the best centres (K, m) and how many starts were made before a listener had enough."""
        rng = np.random.default_rng(settings["random_state"])
        best = None
        for start in range(1, settings["starts"] + 1):
            run = k_means(latents, settings["n_clusters"], int(rng.integers(2**31)))
            if best is None or run.inertia_ < best.inertia_:
                best = run
            loss = {"total": float(run.inertia_) / len(latents)}
            if telling.epoch("starts", start, settings["starts"], loss, run.labels_):
                break
        assert best is not None  # there is at least one start
        return best.cluster_centers_, start

    def _side_by_side(
        self, latents: NDArray[np.float32], settings: dict[str, Any], telling: Telling
    ) -> tuple[NDArray[Any], int]:
        """Return what `_one_by_one` does, all starts at once on the graphics processor."""
        starts, seed = settings["starts"], settings["random_state"]
        centers, inertia = batched_kmeans(as_tensor(latents).cuda(), settings["n_clusters"], seed, starts)
        telling.epoch("starts", starts, starts, {"total": inertia / len(latents)})
        return centers.cpu().numpy(), starts

    def _assign(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        return student_t(latents, self.cluster_centers_, self.spread_)


def k_means(latents: NDArray[np.float32], n_clusters: int, seed: int) -> cluster.KMeans:
    """Run k-means once from one k-means++ start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than K after PCA
        return cluster.KMeans(n_clusters, n_init=1, random_state=seed).fit(latents)
