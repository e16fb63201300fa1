"""How sure a method is of each item, and how typical an item is of its cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError
from clustering.metrics.matching import NOISE
from clustering.metrics.quality import Quality

_NOT_CALIBRATED = "A relative certainty, not a probability of being right."
_BORDER = 0.1


def confidence(q: ArrayLike) -> list[Quality]:
    """Return how sure the soft assignments are on the whole.

    Parameters
    ----------
    q : array-like (n, K)
        Rows sum to 1.

    Returns
    -------
    list of Quality
        mean_confidence, mean_margin, mean_entropy, border_share.

    Raises
    ------
    StudioError
        When a row does not sum to 1.
    """
    soft = _checked(q)
    n, K = soft.shape
    certainty, gap, doubt = max_confidence(soft), margin(soft), normalised_entropy(soft)
    flat = K > 1 and float(certainty.mean()) < 1.5 / K
    note = f"{_NOT_CALIBRATED} Here nearly every row is flat." if flat else _NOT_CALIBRATED

    def row(name: str, title: str, value: float, up: bool, note: str) -> Quality:
        return Quality(name, title, value, "confidence", "", up, n, note=note)

    border = f"Items whose first two clusters are less than {_BORDER} apart."
    return [
        row("mean_confidence", "Largest share, mean", float(certainty.mean()), True, note),
        row("mean_margin", "First less second, mean", float(gap.mean()), True, note),
        row("mean_entropy", "Undecidedness, mean", float(doubt.mean()), False, note),
        row("border_share", "Share of border items", float((gap < _BORDER).mean()), False, border),
    ]


def max_confidence(q: ArrayLike) -> NDArray[np.float64]:
    """Return the largest soft assignment of each item, (n,)."""
    return _checked(q).max(axis=1)


def margin(q: ArrayLike) -> NDArray[np.float64]:
    """Return the largest less the second largest soft assignment, (n,); 1 where there is one cluster."""
    soft = _checked(q)
    if soft.shape[1] == 1:
        return np.ones(len(soft))
    two = np.partition(soft, -2, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def normalised_entropy(q: ArrayLike) -> NDArray[np.float64]:
    """Return −Σ q log q / log K of each item, (n,): 0 is decided, 1 is wholly undecided."""
    soft = _checked(q)
    if soft.shape[1] == 1:
        return np.zeros(len(soft))
    logs = np.log(soft, out=np.zeros_like(soft), where=soft > 0)
    return np.clip(-(soft * logs).sum(axis=1) / np.log(soft.shape[1]), 0, 1)


def top_two(q: ArrayLike) -> NDArray[np.int64]:
    """Return the most and the second most likely cluster of each item, int64 (n, 2): its border pair.

    With one cluster both are that cluster.
    """
    soft = _checked(q)
    order = np.argsort(-soft, axis=1, kind="stable")
    return order[:, [0, min(1, soft.shape[1] - 1)]].astype(np.int64)


def typicality(Z: ArrayLike, labels: ArrayLike, centers: ArrayLike) -> NDArray[np.float64]:
    """Return how near each item is to its centre among the items of its cluster, (n,).

    Parameters
    ----------
    Z : array-like (n, m)
        Latents.
    labels : int array-like (n,)
        Noise (-1) gets 0.
    centers : array-like (K, m)

    Returns
    -------
    float64 array (n,)
        Share of the cluster's other items that lie farther out, equals counting half: 1 the most typical.
    """
    from scipy.stats import rankdata

    latents, groups, middles = np.asarray(Z), np.asarray(labels), np.asarray(centers)
    scores = np.zeros(len(groups))
    for cluster in np.unique(groups[groups != NOISE]):
        own = np.flatnonzero(groups == cluster)
        gaps = np.square(latents[own].astype(np.float64) - middles[cluster]).sum(axis=1)
        scores[own] = (len(own) - rankdata(gaps)) / (len(own) - 1) if len(own) > 1 else 1.0
    return scores


def _checked(q: ArrayLike) -> NDArray[np.float64]:
    soft = np.asarray(q, dtype=np.float64)
    if soft.ndim != 2 or not soft.size:
        raise StudioError(
            f"Soft assignments must be a table of items × clusters; these have shape {soft.shape}.",
            "Give the “soft_assignments_” of a method.",
        )
    sums = soft.sum(axis=1)
    off = np.abs(np.nan_to_num(sums, nan=np.inf) - 1)
    if off.max() > 1e-3:
        worst = int(off.argmax())
        raise StudioError(
            f"Soft assignments must sum to 1 for every item; row {worst + 1} sums to {sums[worst]:.3g}.",
            "Divide each row by its sum.",
        )
    return soft
