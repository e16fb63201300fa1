"""A group has one colour, on every page and in every file: that of its like in the first run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustering.charts.palette import cluster_colors
from clustering.cli.taking import group_colours
from clustering.workspace import RunArrays
from tests.small_workspace import make


def test_a_file_gives_the_groups_of_a_later_run_the_colours_of_their_like(tmp_path: Path) -> None:
    small = make(tmp_path)
    workspace, first = small.workspace, small.workspace.run(small.run)
    arrays = workspace.run_arrays(first.id)
    turned = RunArrays(
        (np.asarray(arrays.labels) + 1) % 3,
        np.roll(arrays.soft_assignments, 1, axis=1),
        arrays.latents,
        np.roll(arrays.centers, 1, axis=0),
    )
    later = workspace.add_run(
        small.features, turned, method="kmeans", title="k-means", family="baseline", parameters={}, seed=1
    )
    red, green, blue = cluster_colors(3)
    assert group_colours(workspace, first) == [red, green, blue]
    assert group_colours(workspace, later) == [blue, red, green]
