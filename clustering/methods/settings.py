"""The parameters deep methods share: each written once, with its range and its sentence."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt, Interval

from clustering.parameters import Meaning
from clustering.training.device import DeviceName
from clustering.training.step import Precision as PrecisionName

Width = Annotated[int, Interval(ge=1, le=100_000)]
Profile = Annotated[
    Literal["paper", "fast"],
    Meaning("“paper” trains as published; “fast” takes shortcuts that usually cost a little accuracy."),
]
Pretrain = Annotated[
    Literal["end_to_end", "sda"],
    Meaning(
        "How the network learns before clustering: all layers at once, or the original way, layer by layer "
        "on noisy input (“sda”).",
        advanced=True,
    ),
]
Scale = Annotated[
    Literal["none", "unit", "standardize"],
    Meaning(
        "Change the features first: not at all, all by one factor so that their mean square is 1, or column "
        "by column to mean 0 and spread 1.",
        advanced=True,
    ),
]
HiddenDims = Annotated[
    tuple[Width, ...],
    Meaning("Widths of the network's layers between the features and the latent space.", advanced=True),
]
LatentDim = Annotated[
    int,
    Interval(ge=1, le=10_000),
    Meaning("Dimensions of the latent space in which the groups are found.", advanced=True),
]
PretrainEpochs = Annotated[
    int | None,
    Interval(ge=1, le=100_000),
    Meaning("Passes over the data before clustering starts; empty: as the profile has it."),
]
Epochs = Annotated[
    int,
    Interval(ge=1, le=100_000),
    Meaning("Rounds of clustering at most; it ends sooner when the groups hardly change any more."),
]
ClusterEpochs = Annotated[
    int | None,
    Interval(ge=1, le=100_000),
    Meaning(
        "Rounds of clustering at most; it ends sooner when the groups hardly change any more. Empty: 200, or "
        "40 on moved views."
    ),
]
BatchSize = Annotated[
    int | None,
    Interval(ge=1, le=1_000_000),
    Meaning("Items the network sees at a time; empty: as the profile has it.", advanced=True),
]
LearningRate = Annotated[
    float | None,
    Gt(0),
    Meaning("Size of the steps before clustering; empty: as the profile has it.", advanced=True),
]
ClusterLearningRate = Annotated[
    float | None,
    Gt(0),
    Meaning("Size of the steps while clustering; empty: as the profile has it.", advanced=True),
]
UpdateInterval = Annotated[
    int | None,
    Interval(ge=1, le=1_000_000),
    Meaning("Steps between two looks at the whole collection; empty: one pass over it.", advanced=True),
]
Tolerance = Annotated[
    float,
    Interval(ge=0, le=1),
    Meaning(
        "Clustering ends when fewer than this share of the items changed group, twice in a row.",
        advanced=True,
    ),
]
Gamma = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("Weight of the clustering beside the reconstruction: larger pulls the groups together more."),
]
Alpha = Annotated[
    float,
    Gt(0),
    Meaning("Degrees of freedom of the kernel: larger makes far items count less.", advanced=True),
]
Device = Annotated[DeviceName, Meaning("Where to compute; “auto” takes the fastest there is.", advanced=True)]
Precision = Annotated[
    PrecisionName,
    Meaning(
        "Number format while training. “tf32” lets NVIDIA's processors multiply faster with a shorter "
        "fraction and is “float32” everywhere else; “bfloat16” also halves the memory.",
        advanced=True,
    ),
]
NInit = Annotated[
    int,
    Interval(ge=1, le=100),
    Meaning(
        "Seeds to train, side by side where the processor has room. The one with the lowest loss is kept, "
        "and all are compared to see how stable the groups are."
    ),
]
InitialCenters = Annotated[
    Literal["invariant", "kmeans"],
    Meaning(
        "How the first groups are found: k-means as published, or k-means refined by a criterion that does "
        "not depend on how the latent space happens to be stretched (“invariant”).",
        advanced=True,
    ),
]
Views = Annotated[
    Literal["none", "affine"],
    Meaning(
        "For pixels of square pictures: show the network each picture slightly turned, scaled and moved "
        "(“affine”), so that it learns what these do not change.",
    ),
]
