"""Several views of the same items side by side: each scaled, and all of the same weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder, listed
from clustering.features.batches import written
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent

if TYPE_CHECKING:
    from PIL import Image

NAMED = 12  # views named in a description
NO_PICTURE = (0, 0, 0)  # height, width, channels of a view of numbers


@dataclass(frozen=True)
class Scaling:
    """How one view's columns are scaled.

    Parameters
    ----------
    name : str
    columns : slice
        Where it lies among the features.
    shift, factor : float64 array (d_v,)
    """

    name: str
    columns: slice
    shift: NDArray[np.float64]
    factor: NDArray[np.float64]


class Views(Encoder):
    """All views of an item in one row, float32 (n, d), then one mark a view where any item lacks one."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="views",
        title="Views side by side",
        kinds=("views",),
        dimensions=None,
        origin="No weights of its own: the numbers of the views, scaled; pictures by an encoder for them.",
        summary=(
            "Methods for several views, such as DMSC, are told where each begins; any other sees one row."
        ),
        order=150,
    )

    def __init__(
        self,
        scaling: Annotated[
            Literal["standardised", "each view", "as they are"],
            Meaning(
                "Standardised: every column mean 0 and deviation 1. Each view: shifted to mean 0 and divided "
                "by one number, so that its columns keep their proportions, as grey values should."
            ),
        ] = "standardised",
        equal_weight: Annotated[
            bool,
            Meaning("Let every view count the same in distances, however many columns it has."),
        ] = True,
        pictures: Annotated[
            str, Meaning("Encoder of the view that is pictures, where there is one.", advanced=True)
        ] = "auto",
    ) -> None:
        self.scaling = scaling
        self.equal_weight = equal_weight
        self.pictures = pictures
        self._met = ""

    def describe(self) -> str:
        """Return how the views are scaled and joined, and what was met."""
        scaling = {
            "standardised": "Every column is shifted to mean 0 and scaled to deviation 1",
            "each view": "Every view is shifted to mean 0 and scaled by one number",
            "as they are": "Views are taken as they are",
        }[self.scaling]
        weight = "every view weighs the same" if self.equal_weight else "views weigh by their columns"
        return f"{scaling}; {weight}; a method for one view sees them joined.{self._met}"

    def layout(self, collection: Encodable) -> dict[str, Any]:
        """Return the columns of each view, and the shapes of those that are pictures where there are any."""
        drawn = _pictured(collection)
        size, shape = (0, NO_PICTURE) if drawn is None else self._one_picture(drawn)
        views = collection.about["views"]
        sizes = tuple(size if view.get("pictures") else view["size"] for view in views)
        shapes = [shape if view.get("pictures") else view.get("shape", NO_PICTURE) for view in views]
        told = {"view_shapes": tuple(side for one in shapes for side in one)}
        return {"view_sizes": sizes} | (told if any(told["view_shapes"]) else {})

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the views side by side; see `Encoder.encode`."""
        self._check(collection)
        views = dict(_numbers_of(collection))
        drawn = _pictured(collection)
        if drawn is not None:
            of_pictures = checkpoint / "pictures" if checkpoint else None
            seen = _encoder_of(self.pictures, drawn)
            views[_picture_view(collection)] = seen.encode(drawn, progress=progress, checkpoint=of_pictures)
            self._met = f" Pictures: {seen.info.title}. {seen.describe()}"
        names = [view["name"] for view in collection.about["views"]]
        ordered = [np.asarray(views[name], dtype=np.float64) for name in names]
        found = self._joined(ordered, self._learned(names, ordered))
        lacking = np.stack([np.isnan(view).all(axis=1) for view in ordered], axis=1)
        if lacking.any():
            told = [f"“{name}”: {n:,}" for name, n in zip(names, lacking.sum(axis=0), strict=True) if n]
            self._met += f" Views that are missing hold their mean, and a mark of their own ({listed(told)})."
            found = np.concatenate([found, lacking], axis=1)
        return written(found.astype(np.float32), self.key(collection), checkpoint)

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that scales new items as the collection's; see `Encoder.prepared`."""
        self._check(collection)
        if _pictured(collection) is not None:
            return super().prepared(collection, dimensions)
        names = [view["name"] for view in collection.about["views"]]
        known = [np.asarray(view, dtype=np.float64) for view in _numbers_of(collection).values()]
        learned = self._learned(names, known)
        width = sum(view.shape[1] for view in known)
        marked = any(np.isnan(view).all(axis=1).any() for view in known)
        self._check_width(collection, dimensions, width + marked * len(names))

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            views = [np.asarray(view, dtype=np.float64) for view in _numbers_of(newcomers).values()]
            found = self._joined(views, learned)
            if marked:
                found = np.concatenate(
                    [found, np.stack([np.isnan(v).all(axis=1) for v in views], axis=1)], axis=1
                )
            return found.astype(np.float32)

        return encode_new

    def _learned(self, names: list[str], views: list[NDArray[np.float64]]) -> list[Scaling]:
        """Return what is taken off every column, and by what the rest is multiplied."""
        total = sum(view.shape[1] for view in views)
        learned, start = [], 0
        for name, view in zip(names, views, strict=True):
            width = view.shape[1]
            shift, factor = np.zeros(width), np.ones(width)
            if self.scaling != "as they are":
                shift = np.nanmean(view, axis=0)
                spread = np.nanstd(view, axis=0)
                flat = spread <= 1e-6 * np.abs(shift)
                spread = np.where(flat, 0, spread)
                overall = np.sqrt((spread**2).mean()) if self.scaling == "each view" else spread
                factor = np.where(flat, 0, 1 / np.where(overall > 0, overall, 1))
            if self.equal_weight:
                scaled = np.nanvar((view - shift) * factor, axis=0).sum()
                factor = factor * np.sqrt(total / (len(views) * scaled)) if scaled > 0 else factor
            learned.append(Scaling(name, slice(start, start + width), shift, factor))
            start += width
        return learned

    @staticmethod
    def _joined(views: list[NDArray[np.float64]], learned: list[Scaling]) -> NDArray[np.float64]:
        """Return the scaled views side by side; what is missing lies at the mean."""
        parts = []
        for view, one in zip(views, learned, strict=True):
            parts.append((np.where(np.isnan(view), one.shift, view) - one.shift) * one.factor)
        return np.concatenate(parts, axis=1)

    def _one_picture(self, drawn: _Pictures) -> tuple[int, tuple[int, ...]]:
        """Return how many numbers the encoder of pictures makes of one, and their shape as a picture."""
        made = _encoder_of(self.pictures, drawn)
        shape = made.layout(drawn).get("view_shapes")
        if shape:
            return prod(shape), shape
        return int(made.encode(_Pictures(drawn.collection, 1)).shape[1]), NO_PICTURE


@dataclass(frozen=True)
class _Pictures:
    """The pictures of a collection of views, as an encoder of pictures takes them."""

    collection: Any
    n_items: int
    kind: str = "images"

    @property
    def name(self) -> str:
        return str(self.collection.name)

    @property
    def content_hash(self) -> str:
        return str(self.collection.content_hash)

    @property
    def about(self) -> Mapping[str, Any]:
        return {}

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        found: Image.Image = self.collection.picture(index, size)
        return found

    def original(self, index: int) -> Path:
        return Path(self.collection.original(index))

    def data(self) -> NDArray[np.float32]:
        raise StudioError(f"“{self.name}” holds pictures here.", "Ask for them one by one.")


def _pictured(collection: Encodable) -> _Pictures | None:
    """Return the pictures, where one of the views is pictures."""
    there = any(view.get("pictures") for view in collection.about["views"])
    return _Pictures(collection, collection.n_items) if there else None


def _picture_view(collection: Encodable) -> str:
    return next(str(view["name"]) for view in collection.about["views"] if view.get("pictures"))


def _encoder_of(name: str, pictures: _Pictures) -> Encoder:
    from clustering.features.catalogue import made_encoder

    return made_encoder(pictures, name, {})


def _numbers_of(collection: Encodable) -> dict[str, NDArray[np.float32]]:
    """Return the views that are numbers by name, float32 (n, d_v); a row of NaN where an item lacks one."""
    values = collection.data()
    assert isinstance(values, np.ndarray)
    found, start = {}, 0
    for view in collection.about["views"]:
        if not view.get("pictures"):
            found[str(view["name"])] = values[:, start : start + view["size"]]
            start += view["size"]
    return found
