"""The groups of a run as pages show them: names, colours, sizes, and the items that stand for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.charts.palette import ThemeName, cluster_colors, group_name
from clustering.charts.run_colours import numbered_colours
from clustering.workspace.records import RunArrays

Look = Literal["typical", "borderline", "odd"]
BLOCK = 16_384  # rows measured together, so that 500k items need no large matrix


@dataclass(frozen=True)
class Groups:
    """What a run found.

    Parameters
    ----------
    arrays : RunArrays
    given : dict of int to str
        Names a person gave.
    numbers : sequence of int
        Which colour each group has, counted from 0; empty: the one of its own number.
    """

    arrays: RunArrays
    given: dict[int, str]
    numbers: tuple[int, ...] = ()

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Group of each item, -1 for none, shape (n,)."""
        return np.asarray(self.arrays.labels, dtype=np.int64)

    @cached_property
    def count(self) -> int:
        """How many groups there are room for: columns of q, and any higher label."""
        return max(int(self.arrays.soft_assignments.shape[1]), int(self.labels.max(initial=-1)) + 1)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Items in each group, shape (K,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.count)

    @property
    def names(self) -> list[str]:
        """What each group is called."""
        return [self.name(label) for label in range(self.count)]

    def name(self, label: int) -> str:
        """Return what a group is called, “Unassigned” for -1."""
        return self.given.get(label) or group_name(label)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Largest soft assignment of each item, shape (n,)."""
        return np.asarray(self.arrays.soft_assignments).max(axis=1)

    @cached_property
    def margin(self) -> NDArray[np.float32]:
        """Largest less second largest soft assignment, shape (n,); small on a border."""
        q = np.asarray(self.arrays.soft_assignments)
        if q.shape[1] < 2:
            return np.ones(len(q), dtype=np.float32)
        top = np.partition(q, q.shape[1] - 2, axis=1)[:, -2:]
        return np.asarray(top[:, 1] - top[:, 0], dtype=np.float32)

    @cached_property
    def distance(self) -> NDArray[np.float32]:
        """Distance in latent space from each item to the middle of its group, shape (n,)."""
        latents = self.arrays.latents
        middles = np.zeros((self.count, latents.shape[1]), dtype=np.float64)
        for start in range(0, len(latents), BLOCK):
            part = self.labels[start : start + BLOCK]
            np.add.at(middles, part[part >= 0], np.asarray(latents[start : start + BLOCK])[part >= 0])
        middles /= np.maximum(self.sizes, 1)[:, None]
        found = np.full(len(latents), np.nan, dtype=np.float32)
        for start in range(0, len(latents), BLOCK):
            part = self.labels[start : start + BLOCK]
            apart = np.asarray(latents[start : start + BLOCK]) - middles[np.maximum(part, 0)]
            found[start : start + BLOCK] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
        return np.where(self.labels >= 0, found, np.float32(np.nan))

    @cached_property
    def medoids(self) -> list[int]:
        """The item nearest to the middle of each group, -1 for an empty one."""
        order = np.lexsort((self.distance, self.labels))
        firsts = np.searchsorted(self.labels[order], np.arange(self.count))
        return [
            int(order[first]) if size else -1 for first, size in zip(firsts.tolist(), self.sizes, strict=True)
        ]

    def look(self, label: int, kind: Look, most: int = 24) -> NDArray[np.int64]:
        """Return items of a group: its most typical, those nearest to another group, or the furthest out.

        Returns
        -------
        int64 array (at most ``most``,)
            The most telling first.
        """
        members = np.flatnonzero(self.labels == label)
        if kind == "borderline":
            order = np.argsort(self.margin[members], kind="stable")
        elif kind == "odd":
            order = np.argsort(-self.distance[members], kind="stable")
        else:
            order = np.lexsort((self.distance[members], -np.round(self.confidence[members], 3)))
        return members[order[:most]]

    def colours(self, theme: ThemeName, choice: str = "auto") -> list[str]:
        """Return the colour of each group, the same on every page and that of its like in the first run.

        With more than twenty groups hue follows the two main directions of the groups' middles.
        """
        numbers = self.numbers or range(self.count)
        if choice == "okabe-ito":
            return numbered_colours(numbers, theme, min(self.count, 8))
        if choice == "glasbey":
            return numbered_colours(numbers, theme, 20)
        if self.count > 20:
            return cluster_colors(self.count, theme, flattened(np.asarray(self.arrays.centers), self.count))
        return numbered_colours(numbers, theme)


def flattened(centers: NDArray[np.floating[Any]], count: int) -> NDArray[np.float64] | None:
    """Return cluster centres on their two main directions, (K, 2), or None when they do not fit."""
    if centers.ndim != 2 or len(centers) != count or count < 2 or not np.isfinite(centers).all():
        return None
    centred = centers.astype(np.float64) - centers.mean(axis=0)
    if centred.shape[1] == 1:
        return np.hstack([centred, np.zeros_like(centred)])
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    flat = centred @ (directions * signs[:, None])[:2].T
    return flat if flat.shape[1] == 2 else np.hstack([flat, np.zeros_like(flat)])
