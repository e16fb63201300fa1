"""How well groups fit the links of a graph: how far links stay within them, and beyond what chance gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError
from clustering.metrics.matching import NOISE
from clustering.metrics.quality import Quality

_SEEN = (
    "A method that is shown the links makes this good by construction; compare it with methods that are not."
)


class GroupLinks(NamedTuple):
    """Links of every group.

    Attributes
    ----------
    clusters : int64 array (K,)
        Those there are, ascending, without noise.
    inside : int64 array (K,)
        Links with both ends in the group.
    leaving : int64 array (K,)
        Links with one end in it.
    conductance : float64 array (K,)
        Leaving links over the ends of links in the group or outside it, whichever are fewer; NaN where either
        has none.
    """

    clusters: NDArray[np.int64]
    inside: NDArray[np.int64]
    leaving: NDArray[np.int64]
    conductance: NDArray[np.float64]


def links(edges: ArrayLike, labels: ArrayLike) -> list[Quality]:
    """Return the share of links within groups, modularity and mean conductance.

    Parameters
    ----------
    edges : int array-like (e, 2)
        Every link once.
    labels : int array-like (n,)
        Clusters; every noise item (-1) is a group of its own.

    Returns
    -------
    list of Quality
        links_within, modularity, conductance; a value is None where there is no link, or one group.
    """
    pairs, groups = _checked(edges, labels)
    if not len(pairs):
        empty = ("links_within", "modularity", "conductance")
        titles = ("Links within groups", "Modularity", "Mean conductance")
        return [
            Quality(name, title, None, "links", "", name != "conductance", 0, note="There is no link.")
            for name, title in zip(empty, titles, strict=True)
        ]
    within = float((groups[pairs[:, 0]] == groups[pairs[:, 1]]).mean())
    by_chance = _by_chance(pairs, groups)
    cut = group_links(pairs, labels).conductance
    known = cut[np.isfinite(cut)]
    rows: list[tuple[str, str, float | None, bool, str]] = [
        (
            "links_within", "Links within groups", within, True,
            f"Groups drawn without a look at the links would keep {by_chance:.3f}. {_SEEN}",
        ),
        (
            "modularity", "Modularity", within - by_chance, True,
            f"Links within groups less what chance would keep: 0 for one group or random ones. {_SEEN}",
        ),
        (
            "conductance", "Mean conductance", float(known.mean()) if len(known) else None, False,
            f"Of a group's ends of links, the share that leads out of it; mean over groups. {_SEEN}"
            if len(known)
            else "Needs two groups with links.",
        ),
    ]  # fmt: skip
    return [
        Quality(name, title, value, "links", "", up, len(groups), note=note)
        for name, title, value, up, note in rows
    ]


def modularity(edges: ArrayLike, labels: ArrayLike) -> float:
    """Return Σ_c [L_c / m − (k_c / 2m)²], L_c links in c, k_c ends of links in c, m links (Newman 2004)."""
    pairs, groups = _checked(edges, labels)
    if not len(pairs):
        raise StudioError("There is no link.", "Modularity needs at least one.")
    return float((groups[pairs[:, 0]] == groups[pairs[:, 1]]).mean()) - _by_chance(pairs, groups)


def group_links(edges: ArrayLike, labels: ArrayLike) -> GroupLinks:
    """Return links in and out of every group, and its conductance cut(S) / min(vol S, vol rest)."""
    pairs, groups = _checked(edges, labels)
    clusters = np.unique(np.asarray(labels)[np.asarray(labels) != NOISE]).astype(np.int64)
    one, other = groups[pairs].T if len(pairs) else (np.empty(0, np.int64),) * 2
    size = int(groups.max(initial=-1)) + 1
    inside = np.bincount(one[one == other], minlength=size)[clusters]
    ends = np.bincount(np.concatenate([one, other]), minlength=size)[clusters]
    leaving = ends - 2 * inside
    fewer = np.minimum(ends, 2 * len(pairs) - ends)
    conductance = np.divide(leaving, fewer, out=np.full(len(clusters), np.nan), where=fewer > 0)
    return GroupLinks(clusters, inside.astype(np.int64), leaving.astype(np.int64), conductance)


def _by_chance(pairs: NDArray[np.int64], groups: NDArray[np.int64]) -> float:
    """Return the share of links within groups if ends were tied at random: Σ (k_c / 2m)²."""
    share = np.bincount(groups[pairs].ravel()) / (2 * len(pairs))
    return float(np.square(share).sum())


def _checked(edges: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return links (e, 2) and groups (n,) in which every noise item has a number of its own."""
    groups = np.array(labels, dtype=np.int64)
    pairs = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    if len(pairs) and not 0 <= pairs.min() <= pairs.max() < len(groups):
        raise StudioError(
            f"Links name item {pairs.max()}, but there are {len(groups)} labels.", "Give one label an item."
        )
    noise = groups == NOISE
    groups[noise] = groups.max(initial=-1) + 1 + np.arange(noise.sum())
    return pairs, groups
