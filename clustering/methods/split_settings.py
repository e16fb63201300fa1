"""The settings of HC-MGAN that are its own, each with its range and its meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt, Interval

from clustering.parameters import Meaning

LEAST_ITEMS, LEAST_SHARE = 50, 0.005

Trunk = Annotated[
    Literal["dense", "convolution"],
    Meaning("Convolutions, for the pixels of square pictures, or dense layers, for everything else."),
]
SplitEpochs = Annotated[
    int | None,
    Interval(ge=1, le=100_000),
    Meaning("Passes over a branch to split it, and again for each refinement; empty: as the profile has it."),
]
Refinements = Annotated[
    int | None,
    Interval(ge=0, le=100),
    Meaning(
        "How often the two halves of a split are learned anew and their items reconsidered; fewer when "
        "hardly any still move. Empty: as the profile has it."
    ),
]
Separation = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("How hard the generators are driven apart (δ); with 0 nothing divides a branch but chance."),
]
Noise = Annotated[
    float | None,
    Interval(ge=0, le=100),
    Meaning(
        "How strongly items are disturbed in the first epoch of each phase; empty: as published with "
        "convolutions, less with dense layers.",
        advanced=True,
    ),
]
Maps = Annotated[
    int | None,
    Interval(ge=1, le=1024),
    Meaning("Maps of the first convolution; empty: 128, or 32 in the “fast” profile.", advanced=True),
]
CodeDim = Annotated[
    int,
    Interval(ge=1, le=10_000),
    Meaning("Random numbers a generator makes an item of.", advanced=True),
]
LeastMass = Annotated[
    float | None,
    Gt(0),
    Meaning(
        "A branch that holds less is not divided; empty: 50 items, or one in 200 of the collection if "
        "that is more.",
        advanced=True,
    ),
]


def lightest(least_mass: float | None, n_items: int) -> float:
    """Return what a branch must hold to be divided, in items: as a person set it, or by their number."""
    return least_mass or max(LEAST_ITEMS, LEAST_SHARE * n_items)
