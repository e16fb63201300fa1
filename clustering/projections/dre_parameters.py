"""DRE's parameters as forms, command line and docs show them."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Interval

from clustering.networks.recursive import Trunk
from clustering.parameters import Meaning

Precision = Literal["float32", "tf32", "bfloat16"]

Network = Annotated[
    Trunk | None,
    Meaning(
        "The network: “fc” reads any features, “fc-light” is quick without a graphics processor, "
        "“conv” kinds read pixels; empty chooses by the processor."
    ),
]
Recursion = Annotated[
    bool,
    Meaning("Learn again from each of three hidden layers; off spends the same time on the input."),
]
Stage2 = Annotated[
    Literal["kl", "ce", "none"],
    Meaning("The last step: “kl” as released, “ce” UMAP's own loss, or none."),
]
NNeighbors = Annotated[
    int,
    Interval(ge=2, le=200),
    Meaning("Neighbours each item tries to keep in the last step.", advanced=True),
]
MinDist = Annotated[
    float,
    Interval(ge=0.0, le=1.0),
    Meaning("How close items may lie after the last step.", advanced=True),
]
Affinity = Annotated[
    Literal["auto", "batch", "global"],
    Meaning(
        "Where neighbours are looked for: in each batch, as published, or in the whole set.",
        advanced=True,
    ),
]
Select = Annotated[
    Literal["best", "last"],
    Meaning("Keep the step that keeps neighbours best, or the last one as published.", advanced=True),
]
HeldOut = Annotated[
    Annotated[int, Interval(ge=0, le=100_000)] | None,
    Meaning("Items set aside to see how well new ones are placed; empty chooses.", advanced=True),
]
InputEpochs = Annotated[
    int, Interval(ge=1, le=10_000), Meaning("Rounds of learning from the input.", advanced=True)
]
RecursionEpochs = Annotated[
    int,
    Interval(ge=1, le=10_000),
    Meaning("Rounds of learning from each hidden layer.", advanced=True),
]
Stage2Epochs = Annotated[int, Interval(ge=1, le=10_000), Meaning("Rounds of the last step.", advanced=True)]
BatchSize = Annotated[
    Annotated[int, Interval(ge=10, le=20_000)] | None,
    Meaning("Items compared with one another at a time; empty chooses by their number.", advanced=True),
]
RedrawEvery = Annotated[
    int,
    Interval(ge=1, le=10_000),
    Meaning("Rounds after which the batches are drawn anew.", advanced=True),
]
LearningRate = Annotated[
    float,
    Interval(gt=0, le=1),
    Meaning("How far each step of learning goes; a tenth of it in the last step.", advanced=True),
]
PictureShape = Annotated[
    tuple[int, ...] | None,
    Meaning("Height, width and channels of the pixels; empty means square pictures.", advanced=True),
]
Numbers = Annotated[
    Precision,
    Meaning(
        "Number format of the network while it learns: “tf32” lets NVIDIA's processors multiply faster, "
        "“bfloat16” halves the digits; distances are always in float32.",
        advanced=True,
    ),
]
