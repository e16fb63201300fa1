"""What a fit says while it runs: plain rows that a page, a log file or a notebook can follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

PHASES = {
    "pretrain": "pretraining",
    "features": "learning features",
    "learn": "learning",
    "cluster": "clustering",
    "tune": "tuning",
    "self-label": "self-labelling",
}


def phase_in_words(phase: str) -> str:
    """Return what a person reads for the name of a phase."""
    return PHASES.get(phase, phase.replace("_", " "))


@dataclass(frozen=True)
class Told:
    """What every event says.

    Parameters
    ----------
    seed : int or None
        The seed whose fit the event speaks of: several train side by side. None for plain methods, for what
        concerns all seeds, and in what older versions wrote.
    """

    seed: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Started(Told):
    """The fit begins.

    Parameters
    ----------
    method : str
        Registry name.
    phases : tuple of (str, int)
        Names and epoch counts of the phases to come, in order: ``(("pretrain", 200), ("cluster", 100))``.
    n_items, n_features : int
    device, device_reason : str
        Where it runs and why there.
    """

    kind: ClassVar[str] = "started"
    method: str
    phases: tuple[tuple[str, int], ...]
    n_items: int
    n_features: int
    device: str
    device_reason: str


@dataclass(frozen=True)
class Epoch(Told):
    """One epoch is done.

    Parameters
    ----------
    phase : str
    epoch, epochs : int
        Number within the phase, from 1, and how many the phase has at most.
    losses : dict of str to float
        Mean of each named term over the epoch; ``"total"`` is the optimised sum.
    cluster_sizes : tuple of int
        Items a cluster, once there are clusters; else empty.
    changed : float or None
        Share of items whose label changed since the last refresh.
    alarms : tuple of str
        Sentences a person should read now.
    seconds : float
        Wall time since the start of the fit, in seconds.
    remaining : float or None
        Estimated seconds to the end of all phases.
    figures : dict of str to float
        Numbers a method tells beside its losses; nothing minimises them.
    told : tuple of str
        Sentences on how far the method is; they are no alarms.
    """

    kind: ClassVar[str] = "epoch"
    phase: str
    epoch: int
    epochs: int
    losses: dict[str, float]
    cluster_sizes: tuple[int, ...] = ()
    changed: float | None = None
    alarms: tuple[str, ...] = ()
    seconds: float = 0.0
    remaining: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Generated:
    """What generators make at the moment, from the same random numbers at every look.

    Parameters
    ----------
    items : float32 array (g, s, d)
        Some of each, in the numbers of the features as they were given; (g, s, 0) where these are no pixels
        of a picture that a person could look at.
    nearest : int64 array (g, s)
        The real item nearest to each.
    """

    items: NDArray[np.float32]
    nearest: NDArray[np.int64]


@dataclass(frozen=True)
class Snapshot(Told):
    """The latent space of a fixed random subset of the items (at most 20,000 rows).

    Parameters
    ----------
    phase, epoch : str, int
    rows : int array (s,)
        Indices of the items shown, the same in every snapshot of a seed.
    latents : float32 array (s, m)
    labels : int array (s,)
        -1 while there are no clusters.
    confidences : float32 array (s,)
        Largest soft assignment; 0 while there are no clusters.
    centers : float32 array (K, m)
    generated : Generated, optional
        Of a method whose generators make items.
    """

    kind: ClassVar[str] = "snapshot"
    phase: str
    epoch: int
    rows: NDArray[np.integer[Any]]
    latents: NDArray[np.float32]
    labels: NDArray[np.integer[Any]]
    confidences: NDArray[np.float32]
    centers: NDArray[np.float32]
    generated: Generated | None = None


@dataclass(frozen=True)
class Finished(Told):
    """The fit ended well; ``reason`` says why it stopped where it did.

    Of several seeds each tells its own end; the last event of all names the seed that is kept.
    """

    kind: ClassVar[str] = "finished"
    reason: str
    seconds: float


@dataclass(frozen=True)
class Failed(Told):
    """The fit ended badly; ``problem`` and ``mend`` are sentences for a person."""

    kind: ClassVar[str] = "failed"
    problem: str
    mend: str = ""


Event = Started | Epoch | Snapshot | Finished | Failed
Emit = Callable[[Event], bool | None]  # True asks the fit to stop after this epoch


def as_row(event: Event) -> dict[str, Any]:
    """Return an event as a JSON-ready row; a snapshot's arrays are left out (they are kept as arrays)."""
    if isinstance(event, Snapshot):
        return {"kind": event.kind, "seed": event.seed, "phase": event.phase, "epoch": event.epoch}
    return {"kind": event.kind, **asdict(event)}


@dataclass
class History:
    """Keeps the rows of a fit and passes every event on to another listener, with the seed of the fit."""

    emit: Emit | None = None
    seed: int | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, event: Event) -> bool | None:
        """Keep the event as a row and return what the next listener says."""
        self.rows.append(as_row(replace(event, seed=self.seed)))
        return self.tell(event)

    def tell(self, event: Event) -> bool | None:
        """Pass an event on without keeping it; return what the next listener says."""
        return self.emit(replace(event, seed=self.seed)) if self.emit else None
