"""Signs that a fit is going wrong, as sentences a person can act on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from clustering.errors import StudioError
from clustering.losses.soft_assignment import squared_distances

DEAD_SHARE = 1e-3  # of the widest latent dimension's standard deviation
MERGED_SHARE = 0.05  # of the median distance between centres
UNIFORM_FACTOR = 1.15  # mean largest assignment below this multiple of 1/K is no opinion at all
SMALL, LARGE = 1e-4, 1e4  # mean square of the features outside which a unit-scale kernel sees nothing


@dataclass(frozen=True)
class Health:
    """Numbers of the latent space after a refresh, read from the device at once.

    Parameters
    ----------
    sizes : tuple of int
        Items a cluster.
    confidence : float
        Mean over items of the largest soft assignment.
    dead : int
        Latent dimensions that hardly vary.
    n_latents : int
    nearest_centers : tuple of int
        The two closest clusters; empty for one cluster.
    nearest_share : float
        Their distance as a share of the median distance between centres.
    """

    sizes: tuple[int, ...]
    confidence: float
    dead: int
    n_latents: int
    nearest_centers: tuple[int, ...]
    nearest_share: float


def health(latents: Tensor, labels: Tensor, confidences: Tensor, centers: Tensor) -> Health:
    """Measure the latent space: one transfer from the device whatever the number of items."""
    k = len(centers)
    spread = latents.std(dim=0, unbiased=False)  # (m,)
    dead = (spread <= DEAD_SHARE * spread.amax()).sum()
    pairs = torch.triu_indices(k, k, offset=1, device=centers.device)
    distances = squared_distances(centers, centers)[pairs[0], pairs[1]].sqrt()
    numbers = [confidences.mean(), dead]
    if len(distances):
        numbers += [distances.argmin(), distances.amin() / distances.median().clamp_min(1e-12)]
    sizes = (labels[:, None] == torch.arange(k, device=labels.device)).sum(dim=0)
    read = torch.cat([sizes.float(), torch.stack([number.float() for number in numbers])]).tolist()
    pair = pairs[:, int(read[k + 2])].tolist() if len(distances) else []
    return Health(
        sizes=tuple(int(size) for size in read[:k]),
        confidence=read[k],
        dead=int(read[k + 1]),
        n_latents=latents.shape[1],
        nearest_centers=tuple(pair),
        nearest_share=read[k + 3] if len(distances) else 1.0,
    )


def group_numbers(groups: Sequence[int]) -> str:
    """Return the first five of some groups as pages number them, from 1: ``"2, 5"``."""
    return ", ".join(str(group + 1) for group in groups[:5]) + (" …" if len(groups) > 5 else "")


def alarms(state: Health) -> tuple[str, ...]:
    """Return what a person should know about the latent space now; groups count from 1, as on every page."""
    found = []
    n, k = sum(state.sizes), len(state.sizes)
    largest = max(state.sizes)
    giant = k > 1 and largest > giant_share(k) * n
    if giant:
        found.append(
            f"Group {state.sizes.index(largest) + 1} holds {largest / n:.0%} of all items: "
            "the network may have collapsed; try another seed, a smaller learning rate, or a longer "
            "pretraining where the method has one."
        )
    empty = [number for number, size in enumerate(state.sizes) if size == 0]
    if empty:
        which, verb = ("Group", "holds") if len(empty) == 1 else ("Groups", "hold")
        advice = "" if giant else f": fewer groups than {k} may be enough"
        found.append(f"{which} {group_numbers(empty)} {verb} no item{advice}.")
    if k > 1 and state.confidence < UNIFORM_FACTOR / k:
        found.append(
            f"The assignments are nearly uniform (mean confidence {state.confidence:.2f} with {k} groups): "
            "the network has not learned enough, or the latent space is too narrow for the kernel; try more "
            "epochs, another scale, or a longer pretraining where the method has one."
        )
    if state.dead:
        found.append(
            f"{state.dead} of {state.n_latents} latent dimensions do not vary: "
            "the network uses less room than it has; try fewer latent dimensions or more epochs."
        )
    if state.nearest_centers and state.nearest_share < MERGED_SHARE:
        one, two = state.nearest_centers
        found.append(
            f"The centres of groups {one + 1} and {two + 1} are merging: fewer groups may be enough."
        )
    return tuple(found)


def giant_share(n_clusters: int) -> float:
    """Return the share of all items above which one of ``n_clusters`` clusters is called a giant."""
    return min(0.95, 0.5 + 1 / n_clusters)


def check_losses(losses: Mapping[str, float], phase: str, epoch: int) -> None:
    """Raise when a loss is not a finite number.

    Raises
    ------
    StudioError
        Naming the term, the phase and the epoch.
    """
    broken = [name for name, value in losses.items() if not math.isfinite(value)]
    if broken:
        raise StudioError(
            f"The training ran away: the {broken[0]} loss is no longer a finite number "
            f"(phase “{phase}”, epoch {epoch}).",
            "Choose a smaller learning rate, the “fast” profile, or scale=“standardize”.",
        )


def scale_alarms(mean_square: float, constant_columns: Sequence[int]) -> tuple[str, ...]:
    """Return what a person should know about the features before training."""
    found = []
    if mean_square and not SMALL < mean_square < LARGE:
        found.append(
            f"The features are far from unit size (root mean square {mean_square**0.5:.3g}): "
            "choose scale=“unit” or “standardize”."
        )
    if constant_columns:
        found.append(f"{len(constant_columns)} of the features never vary and carry no information.")
    return tuple(found)
