"""Read a data set for a benchmark: features for the methods, reference labels for the judge."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

References = dict[str, np.ndarray]
Encoded = tuple[np.ndarray, dict[str, Any], References]  # features, their layout, labels


@dataclass(frozen=True)
class DataSet:
    """A data set and how it is read.

    Parameters
    ----------
    name : str
        As rows and tables call it.
    source : str
        ``"digits"`` (scikit-learn's), a ``.csv`` (numbers in all columns but the references, standardised), a
        ``.npz`` (features in ``x``, where ``uint8`` images are divided by 255 and flattened, or as a sparse
        matrix in ``indptr, indices, data, shape``) or a folder of MNIST's IDX files.
    references : tuple of str
        Columns or arrays that hold reference labels. None of them reaches a method.
    n_clusters : int
    long_tail : float
        Above 1: keep so many items that the largest class is this many times the smallest.
    largest : int
        Items of the largest class then.
    links : bool
        Whether the ``edges`` of a ``.npz`` are given to the methods that take any.
    kind : str
        What the studio reads it as, where that is more than vectors: ``"views"``, ``"series"``, ``"tokens"``,
        ``"images"``.
        The features are then those the studio would give the method.
    kept : Path, optional
        A folder where these features are kept, and found again: by later fits, and by a machine that lacks
        what reading a collection needs.
    pixels : int
        Side of the squares, in colour, to which pictures are brought whose pixels are the features; 0 for the
        studio's encoder.
    """

    name: str
    source: str
    references: tuple[str, ...] = ("y",)
    n_clusters: int = 10
    long_tail: float = 1.0
    largest: int = 1000
    links: bool = False
    kind: str = "vectors"
    kept: Path | None = None
    pixels: int = 0

    def there(self) -> bool:
        """Return whether it can be read here."""
        return self.source == "digits" or Path(self.source).exists()

    def read(self, asked: tuple[str, ...] = ()) -> tuple[np.ndarray, References]:
        """Return features float32 (n, d) and the reference labels by name.

        ``asked`` is what the method wants to know of how the numbers of an item lie (`MethodInfo.layout`).
        """
        if self.kind != "vectors":
            features, _, references = self._encoded(asked)
            return features, references
        x, references = read(self.source, list(self.references))
        return (
            long_tailed(x, references, self.long_tail, self.largest)
            if self.long_tail > 1
            else (x, references)
        )

    def layout(self, asked: tuple[str, ...]) -> dict[str, Any]:
        """Return of what a method asks how the numbers of an item lie, as far as that is known."""
        if self.kind == "vectors":
            return {}
        _, told, _ = self._encoded(asked)
        return {name: told[name] for name in asked if name in told}

    def _encoded(self, asked: tuple[str, ...]) -> Encoded:
        file = self.kept and self.kept / f"{'-'.join((self.name, *asked))}.features.npz"
        if file and file.exists():
            arrays = np.load(file)
            return (
                arrays["x"],
                json.loads(str(arrays["layout"])),
                {name: arrays[name] for name in self.references},
            )
        features, layout, references = encoded(self.source, self.kind, asked, self.references, self.pixels)
        if file:
            whole = file.with_name(f"{os.getpid()}-{file.name}")  # several fits may come here at once
            np.savez_compressed(whole, x=features, layout=json.dumps(layout), **references)
            whole.replace(file)
        return features, layout, references

    def edges(self) -> np.ndarray | None:
        """Return the links between items, row numbers (e, 2), where there are any to give."""
        return np.load(self.source)["edges"] if self.links else None


def read(source: str, references: list[str]) -> tuple[np.ndarray, References]:
    """Return features and reference labels of what `DataSet` calls a source."""
    if source == "digits":
        digits = load_digits()
        return (digits.data / 16).astype(np.float32), {"digit": digits.target}
    if source.endswith(".csv"):
        frame = pd.read_csv(source)
        numbers = frame.drop(columns=references).to_numpy(np.float64)
        spread = numbers.std(axis=0)
        x = (numbers - numbers.mean(axis=0)) / np.where(spread > 0, spread, 1)
        return x.astype(np.float32), {name: frame[name].to_numpy() for name in references}
    arrays = _idx(Path(source)) if Path(source).is_dir() else np.load(source)
    if "indptr" in arrays:
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        x = csr_array(parts, shape=tuple(arrays["shape"])).toarray().astype(np.float32)
        return x, {name: known(arrays[name]) for name in references}
    x = arrays["x"]
    x = x.reshape(len(x), -1).astype(np.float32) / (255 if x.dtype == np.uint8 else 1)
    return x, {name: arrays[name] for name in references}


@cache
def encoded(
    source: str, kind: str, asked: tuple[str, ...], columns: tuple[str, ...], pixels: int = 0
) -> Encoded:
    """Return features of a collection as the studio makes them for a method, their layout, its columns."""
    from tempfile import TemporaryDirectory

    import clustering as dc
    from clustering.features import default_encoder

    with TemporaryDirectory() as workspace:
        collection = dc.load(source, workspace=workspace, kind=kind)
        if pixels:
            features = dc.encode(collection, "pixels", size=pixels, colour="colour")
        else:
            features = dc.encode(collection, default_encoder(kind, collection, asked))
        labels = {name: collection.items[name].to_numpy() for name in columns}
        plain = {
            name: known.astype(str) if known.dtype == object else known for name, known in labels.items()
        }
        return np.asarray(features), features.layout, plain


def known(labels: np.ndarray) -> np.ndarray:
    """Return numbers of classes with NaN where they are negative: nobody knows the class of these items."""
    return np.where(labels < 0, np.nan, labels) if labels.dtype.kind == "i" and labels.min() < 0 else labels


def _idx(folder: Path) -> References:
    """Return the pictures ``x`` and labels ``y`` of MNIST's four IDX files, training part first."""

    def joined(what: str, header: int) -> np.ndarray:
        parts = [
            gzip.decompress((folder / f"{part}-{what}-ubyte.gz").read_bytes()) for part in ("train", "t10k")
        ]
        return np.concatenate([np.frombuffer(part, np.uint8, offset=header) for part in parts])

    return {"x": joined("images-idx3", 16).reshape(-1, 28, 28), "y": joined("labels-idx1", 8)}


def long_tailed(
    x: np.ndarray, references: References, ratio: float, largest: int
) -> tuple[np.ndarray, References]:
    """Return some items: class sizes fall from ``largest`` to a ``ratio``-th of it, by one factor each."""
    labels = next(iter(references.values()))
    classes = np.unique(labels)
    rng = np.random.default_rng(0)
    rows = []
    for place, value in enumerate(classes):
        size = round(largest * ratio ** (-place / max(1, len(classes) - 1)))
        rows.append(rng.permutation(np.flatnonzero(labels == value))[:size])
    chosen = np.concatenate(rows)
    return x[chosen], {name: values[chosen] for name, values in references.items()}


def encoded_artworks(folder: Path, file: Path) -> None:
    """Write EfficientNet-Lite0 features of a folder of artworks, their styles and artists to ``file``."""
    from tempfile import TemporaryDirectory

    import clustering as dc

    with TemporaryDirectory() as workspace:
        paintings = dc.load(folder, workspace=workspace)
        features = dc.encode(paintings)
        labels = {name: paintings.items[name].to_numpy(str) for name in ("style", "artist")}
        np.savez(file, x=np.asarray(features, np.float32), **labels)
