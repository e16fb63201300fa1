"""The settings of IcicleGCN that are its own, each with its range and its meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Interval

from clustering.methods.settings import Width
from clustering.parameters import Meaning

Variant = Annotated[
    Literal["paper", "repository"],
    Meaning("As the paper describes it, or as the authors’ program runs it: they differ much."),
]
PretextOrJoint = Annotated[
    Literal["features", "contrast", "momentum", "joint"],
    Meaning(
        "On what the graphs are built: features as they are, or for pixels of small pictures "
        "learned first from the views (“contrast”, or “momentum” with a queue), or together with the "
        "groups (“joint”)."
    ),
]
NearNeighbors = Annotated[
    int,
    Interval(ge=1, le=200),
    Meaning("Nearest items every item is linked to in the sparse graph.", advanced=True),
]
FarNeighbors = Annotated[
    int | None,
    Interval(ge=1, le=500),
    Meaning(
        "Nearest items every item is linked to in the denser graph; empty: 10, or 15 as in the repository."
    ),
]
NearWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How much the sparse graph's assignments are drawn to the sharpened ones.", advanced=True),
]
FarWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How much the denser graph's assignments are drawn to the sharpened ones.", advanced=True),
]
RebuildingWeight = Annotated[
    float | None,
    Interval(ge=0, le=1e6),
    Meaning(
        "How much rebuilding the features counts on the graphs; empty: one over their number, as the "
        "authors’ program has it. 1, as the paper prints it, drowns the groups.",
        advanced=True,
    ),
]
CodeDims = Annotated[
    tuple[Width, ...],
    Meaning(
        "Widths of the layers between features and code, and of the graphs’. Without a graphics "
        "processor smaller ones, such as 128, 128, 256, take a twentieth of the time.",
        advanced=True,
    ),
]
CodeEpochs = Annotated[
    int | None,
    Interval(ge=1, le=100_000),
    Meaning(
        "Passes that give the code its first groups; empty: 20, or after CC 15 or more.",
        advanced=True,
    ),
]
