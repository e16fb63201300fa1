"""How well clusters agree with labels a person gave; every measure is read off one table of counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.metrics.matching import NOISE, Contingency, best_match, contingency
from clustering.metrics.quality import Quality

Norm = Literal["arithmetic", "geometric", "min", "max"]
_PURITY_NOTE = (
    "Rises with the number of clusters; never read it alone. The commonest class alone gives {:.3f}."
)
_NOISE_NOTE = "Noise items belong to no cluster and count as wrong."
_NOISE_AS_GROUP_NOTE = "Noise items count as one more cluster."


def external(labels_true: ArrayLike, labels: ArrayLike, seed: int = 0, resamples: int = 200) -> list[Quality]:
    """Return every measure of agreement with reference labels.

    Parameters
    ----------
    labels_true : array-like (n,)
        Reference labels of any type; items without one (None, NaN) are left out.
    labels : int array-like (n,)
        Clusters; -1 is noise.
    seed : int
        Of the bootstrap.
    resamples : int
        Multinomial resamples of the table for the 95 % interval; 0 leaves it out.

    Returns
    -------
    list of Quality
        accuracy, purity, nmi, ami, ari, homogeneity, completeness, v_measure, f1_macro.
    """
    counted = contingency(labels_true, labels)
    noise = NOISE in counted.clusters
    norms = ", ".join(f"{norm} {nmi_of(counted, norm):.3f}" for norm in ("geometric", "min", "max"))
    wrong, group = (_NOISE_NOTE, _NOISE_AS_GROUP_NOTE) if noise else ("", "")
    common = counted.table.sum(axis=1).max() / counted.n
    rows: list[tuple[str, str, Callable[[Contingency], float], str]] = [
        ("accuracy", "Accuracy after matching (ACC)", accuracy_of, wrong),
        ("purity", "Purity (many-to-one accuracy)", purity_of, f"{_PURITY_NOTE.format(common)} {wrong}"),
        ("nmi", "NMI (arithmetic)", nmi_of, f"With the other normalisations: {norms}. {group}"),
        ("ami", "AMI (arithmetic)", ami_of, f"NMI less what chance alone would give. {group}"),
        ("ari", "ARI", ari_of, f"Pairs of items, less chance; can be negative. {group}"),
        ("homogeneity", "Homogeneity", homogeneity_of, f"Does a cluster hold one class? {group}"),
        ("completeness", "Completeness", completeness_of, f"Is a class in one cluster? {group}"),
        ("v_measure", "V-measure", v_measure_of, f"The same number as the arithmetic NMI. {group}"),
        ("f1_macro", "Macro F1 after matching", f1_macro_of, f"Every class counts alike. {wrong}"),
    ]
    samples = _resampled(counted, seed, resamples)
    qualities = []
    for name, title, measure, note in rows:
        value = measure(counted)
        # the expected mutual information of 200 tables would cost more than all the rest
        low, high = _interval(value, measure, samples) if name != "ami" else (None, None)
        qualities.append(
            Quality(
                name,
                title,
                value,
                "with labels",
                "",
                True,
                counted.n,
                seed=seed if low is not None else None,
                note=note.strip(),
                low=low,
                high=high,
            )
        )
    return qualities


def accuracy(labels_true: ArrayLike, labels: ArrayLike) -> float:
    """Share of items in the cluster matched to their class by the best one-to-one matching (Hungarian)."""
    return accuracy_of(contingency(labels_true, labels))


def purity(labels_true: ArrayLike, labels: ArrayLike) -> float:
    """Share of items that belong to the most frequent class of their cluster."""
    return purity_of(contingency(labels_true, labels))


def nmi(labels_true: ArrayLike, labels: ArrayLike, norm: Norm = "arithmetic") -> float:
    """Mutual information over a mean of the two entropies: arithmetic, geometric, the smaller or larger."""
    return nmi_of(contingency(labels_true, labels), norm)


def ami(labels_true: ArrayLike, labels: ArrayLike) -> float:
    """Mutual information adjusted for chance, arithmetic mean."""
    return ami_of(contingency(labels_true, labels))


def ari(labels_true: ArrayLike, labels: ArrayLike) -> float:
    """Rand index of pairs adjusted for chance."""
    return ari_of(contingency(labels_true, labels))


def f1_macro(labels_true: ArrayLike, labels: ArrayLike) -> float:
    """Mean over classes of the F1 score of the matched cluster; a class without a cluster scores 0."""
    return f1_macro_of(contingency(labels_true, labels))


def accuracy_of(counted: Contingency) -> float:
    """`accuracy` from a counted table."""
    return float(counted.grouped[best_match(counted.grouped)].sum() / counted.n)


def purity_of(counted: Contingency) -> float:
    """`purity` from a counted table."""
    return float(counted.grouped.max(axis=0).sum() / counted.n)


def nmi_of(counted: Contingency, norm: Norm = "arithmetic") -> float:
    """`nmi` from a counted table; 1 where neither side is split at all."""
    of_classes, of_clusters = _entropies(counted)
    if of_classes == of_clusters == 0:
        return 1.0
    means: dict[Norm, float] = {
        "arithmetic": (of_classes + of_clusters) / 2,
        "geometric": float(np.sqrt(of_classes * of_clusters)),
        "min": min(of_classes, of_clusters),
        "max": max(of_classes, of_clusters),
    }
    return _share(mutual_information_of(counted), means[norm])


def ami_of(counted: Contingency) -> float:
    """`ami` from a counted table."""
    from sklearn.metrics import adjusted_mutual_info_score

    classes, clusters = np.divmod(np.arange(counted.table.size), counted.table.shape[1])
    counts = counted.table.ravel()
    return float(adjusted_mutual_info_score(np.repeat(classes, counts), np.repeat(clusters, counts)))


def ari_of(counted: Contingency) -> float:
    """`ari` from a counted table."""

    def pairs(counts: NDArray[np.int64]) -> float:
        wide = counts.astype(np.float64)
        return float((wide * (wide - 1) / 2).sum())

    together = pairs(counted.table)
    in_classes, in_clusters = pairs(counted.table.sum(axis=1)), pairs(counted.table.sum(axis=0))
    every = counted.n * (counted.n - 1) / 2
    expected = in_classes * in_clusters / every if every else 0.0
    most = (in_classes + in_clusters) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def homogeneity_of(counted: Contingency) -> float:
    """1 − H(class | cluster) / H(class)."""
    return _share(mutual_information_of(counted), _entropies(counted)[0], otherwise=1.0)


def completeness_of(counted: Contingency) -> float:
    """1 − H(cluster | class) / H(cluster)."""
    return _share(mutual_information_of(counted), _entropies(counted)[1], otherwise=1.0)


def v_measure_of(counted: Contingency) -> float:
    """Harmonic mean of homogeneity and completeness."""
    h, c = homogeneity_of(counted), completeness_of(counted)
    return 2 * h * c / (h + c) if h + c else 0.0


def f1_macro_of(counted: Contingency) -> float:
    """`f1_macro` from a counted table."""
    table = counted.grouped
    in_classes, in_clusters = counted.table.sum(axis=1), table.sum(axis=0)
    each = 2 * table / np.maximum(in_classes[:, None] + in_clusters, 1)  # (C, K) F1 of every pair
    # of equally good matchings the one of best F1
    rows, columns = best_match(table + each / (2 * len(table) + 1))
    scores = np.zeros(len(in_classes))
    scores[rows] = each[rows, columns]
    return float(scores[in_classes > 0].mean())


def mutual_information_of(counted: Contingency) -> float:
    """Mutual information of classes and clusters, in nats."""
    joint = counted.table / counted.n
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    seen = joint > 0
    return max(float((joint[seen] * np.log(joint[seen] / apart[seen])).sum()), 0.0)


def _entropies(counted: Contingency) -> tuple[float, float]:
    def entropy(counts: NDArray[np.int64]) -> float:
        p = counts[counts > 0] / counted.n
        return float(-(p * np.log(p)).sum()) if len(p) > 1 else 0.0

    return entropy(counted.table.sum(axis=1)), entropy(counted.table.sum(axis=0))


def _share(part: float, whole: float, otherwise: float = 0.0) -> float:
    return min(part / whole, 1.0) if whole > 0 else otherwise


def _resampled(counted: Contingency, seed: int, resamples: int) -> list[Contingency]:
    rng = np.random.default_rng(seed)
    shares = counted.table.ravel() / counted.n
    tables = rng.multinomial(counted.n, shares, size=resamples).reshape(-1, *counted.table.shape)
    return [Contingency(table, counted.classes, counted.clusters) for table in tables]


def _interval(
    value: float, measure: Callable[[Contingency], float], samples: list[Contingency]
) -> tuple[float | None, float | None]:
    """Return the 95 % percentile interval, moved so that the resamples' mean lies on the value.

    Resampling a thin table makes classes and clusters look more dependent than they are; unmoved, the
    interval of such a table may lie above the value itself.
    """
    if not samples:
        return None, None
    scores = np.array([measure(sample) for sample in samples])
    low, high = np.percentile(scores, [2.5, 97.5]) + (value - scores.mean())
    return float(np.clip(low, -1, value)), float(np.clip(high, value, 1))
