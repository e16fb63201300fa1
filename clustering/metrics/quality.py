"""One measured figure with what it takes to judge it: where, on how many, how sure, which way is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["with labels", "without labels", "links", "projection", "confidence", "stability"]
Space = Literal["features", "latent", "map", ""]


@dataclass(frozen=True)
class Quality:
    """A figure of merit.

    Parameters
    ----------
    name, title : str
        The key (``"nmi"``) and what people call it.
    value : float or None
        Finite; None where the measure has no meaning here, and ``note`` says why.
    group : {"with labels", "without labels", "links", "projection", "confidence", "stability"}
    space : {"features", "latent", "map", ""}
        Where distances were taken; empty when none were.
    higher_is_better : bool
    n_used : int
        Items the value rests on.
    standard_error : float or None
        Of the sampling; None when every item was used.
    k : int or None
        Neighbours looked at.
    seed : int or None
        Of the sample or the resampling.
    note : str
        What a reader should know beside the number.
    low, high : float or None
        Bounds of the 95 % bootstrap interval.
    """

    name: str
    title: str
    value: float | None
    group: Group
    space: Space
    higher_is_better: bool
    n_used: int
    standard_error: float | None = None
    k: int | None = None
    seed: int | None = None
    note: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def arrow(self) -> str:
        """▲ where more is better, ▼ where less is."""
        return "▲" if self.higher_is_better else "▼"
