"""What the workspace says about each thing it keeps: frozen rows, safe to cache and to pass around."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.training.events import Generated
from clustering.words import several


@dataclass(frozen=True)
class CollectionRecord:
    """One collection. ``folder`` is where `Collection.open` finds it."""

    id: str
    name: str
    kind: str
    n_items: int
    source: str
    created: str
    content_hash: str
    label_columns: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class FeatureRecord:
    """One feature set: a collection seen by one encoder.

    Parameters
    ----------
    key : str
        Hash of content, encoder and parameters; the same key is never computed twice.
    title, origin : str
        The encoder's name for people, and the sentence that says where its weights come from.
    description : str
        What the encoder does to an item, in sentences.
    n_items, dimensions : int
    seconds : float
        What the computation took.
    """

    id: str
    collection_id: str
    encoder: str
    title: str
    origin: str
    description: str
    parameters: dict[str, Any]
    key: str
    n_items: int
    dimensions: int
    seconds: float
    device: str
    created: str
    folder: Path


@dataclass(frozen=True)
class RunRecord:
    """One finished fit of one method.

    Parameters
    ----------
    name : str
        What the user calls it; starts as the method's title.
    family : {"baseline", "deep", "labels"}
        The last where the groups were learned from labels given by hand.
    n_clusters : int
        Clusters found (noise not counted).
    seed : int
        Start of all chance; where several were tried, the one that was kept.
    reason : str
        Why the fit ended where it did.
    seconds : float
        Wall time of the fit.
    summary : dict of str to float
        Headline figures, by quality name and space: ``{"nmi:style": .31, "silhouette:features": .05}``.
    """

    id: str
    collection_id: str
    feature_id: str
    method: str
    title: str
    name: str
    family: str
    parameters: dict[str, Any]
    profile: str
    seed: int
    n_items: int
    n_clusters: int
    latent_dim: int
    reason: str
    seconds: float
    device: str
    created: str
    job_id: str | None
    summary: dict[str, Any]
    folder: Path

    @property
    def found(self) -> str:
        """What it found, in words: ``"8 groups of 600 items"``."""
        return f"{several(self.n_clusters, 'group')} of {several(self.n_items, 'item')}"


@dataclass(frozen=True)
class RunArrays:
    """The arrays of a run, memory-mapped and read-only."""

    labels: NDArray[np.int64]  # (n,), -1 is noise
    soft_assignments: NDArray[np.float32]  # (n, K)
    latents: NDArray[np.float32]  # (n, m)
    centers: NDArray[np.float32]  # (K, m)
    init_labels: NDArray[np.int64] | None = (
        None  # (n_init, n), what each seed found, where several were tried
    )


@dataclass(frozen=True)
class SeedRecord:
    """One of several seeds that a run tried.

    Parameters
    ----------
    seed : int
    loss : float or None
        Of its last epoch, by which it was chosen or not; None where that was no finite number.
    kept : bool
        True for the one seed whose result the run is.
    """

    seed: int
    loss: float | None
    kept: bool


@dataclass(frozen=True)
class SnapshotFile:
    """A kept snapshot of a fit; `load` reads its arrays. Older versions did not note its seed."""

    number: int
    phase: str
    epoch: int
    path: Path
    seed: int | None = None

    def load(self) -> dict[str, NDArray[Any]]:
        """Return ``rows, labels, confidences`` (s,), ``latents`` (s, m) and ``centers`` (K, m)."""
        with np.load(self.path, allow_pickle=False) as archive:
            return {name: archive[name] for name in ("rows", "latents", "labels", "confidences", "centers")}

    def generated(self) -> Generated | None:
        """Return what generators made at that moment; None of a method without them."""
        with np.load(self.path, allow_pickle=False) as archive:
            if "nearest" not in archive.files:
                return None
            return Generated(archive["generated"].astype(np.float32), archive["nearest"])


@dataclass(frozen=True)
class ProjectionRecord:
    """One map: a run's latents, or a feature set, in two dimensions.

    Parameters
    ----------
    run_id : str or None
        None when features were projected without a run.
    space : {"latent", "features"}
    engine : str
        What computed it: ``"umap-learn 0.5.12 on CPU"``.
    notes : tuple of str
        Sentences about what had to be changed to make the map possible.
    """

    id: str
    collection_id: str
    feature_id: str
    run_id: str | None
    space: str
    projection: str
    title: str
    parameters: dict[str, Any]
    seed: int
    engine: str
    notes: tuple[str, ...]
    n_items: int
    seconds: float
    created: str
    job_id: str | None
    folder: Path


@dataclass(frozen=True)
class Hint:
    """What a person said of a few items of a collection by hand.

    Parameters
    ----------
    together : bool
        True when they belong together, False when every two of them are to be kept apart.
    items : tuple of int
        Positions, ascending.
    """

    id: str
    collection_id: str
    together: bool
    items: tuple[int, ...]
    created: str

    def kept(self, labels: NDArray[np.int64]) -> bool:
        """Say whether groups (n,) do as the hint says; an item without a group (-1) is with nobody."""
        found = labels[list(self.items)]
        if self.together:
            return bool((found == found[0]).all() and found[0] >= 0)
        grouped = found[found >= 0]
        return len(np.unique(grouped)) == len(grouped)


@dataclass(frozen=True)
class Selection:
    """A named set of items of a collection: a tag."""

    id: str
    collection_id: str
    name: str
    n_items: int
    created: str


@dataclass(frozen=True)
class Note:
    """A remark on anything; ``subject`` is a path of ids such as ``"run/dec-3f2a/cluster/4"``."""

    id: int
    subject: str
    text: str
    created: str
