"""Colours of clusters are distinct, stable, readable and follow LOOK's rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.charts import palette
from clustering.errors import StudioError

HEX = r"^#[0-9A-F]{6}$"


@given(st.integers(0, 120), st.sampled_from(["light", "dark"]))
def test_every_cluster_has_its_own_colour_and_the_same_one_each_time(n_clusters, theme):
    colors = palette.cluster_colors(n_clusters, theme)
    assert len(colors) == len(set(colors)) == n_clusters
    assert colors == palette.cluster_colors(n_clusters, theme)
    assert all(len(color) == 7 and color.startswith("#") for color in colors)


def test_up_to_eight_are_okabe_ito_and_the_eighth_is_ink():
    for theme in ("light", "dark"):
        colors = palette.cluster_colors(8, theme)
        assert colors[:7] == ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"]
        assert colors[7] == palette.THEMES[theme].ink


def test_the_first_seven_keep_their_colour_up_to_twenty_clusters():
    for n_clusters in range(7, 21):
        assert palette.cluster_colors(n_clusters)[:7] == list(palette.OKABE_ITO)


@pytest.mark.parametrize("cone", [None, "deuteranomaly", "protanomaly", "tritanomaly"])
def test_twenty_colours_stay_apart_without_one_kind_of_cone(cone):
    from colorspacious import cspace_convert

    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in palette.cluster_colors(20)])
    if cone:
        seen = {"name": "sRGB1+CVD", "cvd_type": cone, "severity": 100}
        rgb = np.clip(cspace_convert(rgb, seen, "sRGB1"), 0, 1)
    perceived = cspace_convert(rgb, "sRGB1", "CAM02-UCS")
    distances = np.linalg.norm(perceived[:, None] - perceived[None], axis=2) + 99 * np.eye(20)
    assert distances.min() > 4.0  # a just noticeable difference is about 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ninth_colour_is_seen_on_both_backgrounds(theme):
    ninth = palette.cluster_colors(9, theme)[8]
    assert palette.contrast_ratio(ninth, palette.THEMES[theme].paper) >= 3.0
    assert palette.contrast_ratio(ninth, palette.THEMES[theme].surface) >= 2.8


def test_neighbours_on_the_map_look_related_above_twenty():
    angles = np.random.default_rng(0).permutation(40) / 40 * 2 * np.pi
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    colors = palette.cluster_colors(40, "light", centers)
    hues = np.array([_hue(color) for color in colors])
    ring = np.argsort(angles)
    steps = np.abs(np.angle(np.exp(1j * np.diff(hues[ring]))))
    assert steps.max() < np.radians(30)
    assert len(set(colors)) == 40


def test_an_empty_cluster_without_a_centre_still_gets_a_colour():
    centers = np.random.default_rng(0).normal(size=(30, 2))
    centers[4] = np.nan
    assert len(set(palette.cluster_colors(30, "dark", centers))) == 30


def test_centres_of_the_wrong_shape_are_refused_in_a_sentence():
    with pytest.raises(StudioError, match=r"30 clusters got centres of shape \(3, 2\)"):
        palette.cluster_colors(30, "light", np.zeros((3, 2)))


def test_an_unknown_theme_is_refused_in_a_sentence():
    with pytest.raises(StudioError, match="no theme called “sepia”"):
        palette.cluster_colors(3, "sepia")  # type: ignore[arg-type]


def test_colours_by_place_can_be_seen_on_their_background():
    for theme in ("light", "dark"):
        for color in palette.cluster_colors(40, theme):
            assert palette.contrast_ratio(color, palette.THEMES[theme].paper) > 2.0


def test_contrast_has_the_known_extremes():
    assert palette.contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert palette.contrast_ratio("#777777", "#777777") == pytest.approx(1.0)
    assert palette.contrast_ratio("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_text_of_both_themes_reads_well():
    for theme in palette.THEMES.values():
        for background in (theme.paper, theme.surface):
            assert palette.contrast_ratio(theme.ink, background) >= 4.5
            assert palette.contrast_ratio(theme.quiet, background) >= 4.5
            assert palette.contrast_ratio(theme.accent, background) >= 4.5


@given(st.integers(1, 60))
def test_text_on_a_cluster_colour_reads_well(n_clusters):
    for color in palette.cluster_colors(n_clusters):
        assert palette.contrast_ratio(palette.readable_on(color), color) >= 4.5


def test_the_sequential_scale_goes_away_from_the_background():
    for theme in ("light", "dark"):
        contrasts = [
            palette.contrast_ratio(color, palette.THEMES[theme].paper)
            for _, color in palette.sequential_scale(theme)
        ]
        assert contrasts == sorted(contrasts)
        assert contrasts[0] > 1.5
        assert contrasts[-1] > 10


def test_sequential_colours_take_missing_and_equal_values():
    assert palette.sequential_colors([0.0, np.nan, 1.0]) == ["#D3C7B1", "#E4DFD6", "#340D09"]
    assert palette.sequential_colors([5.0, 5.0]) == ["#D3C7B1"] * 2
    assert palette.sequential_colors([np.nan]) == ["#E4DFD6"]
    assert palette.sequential_colors([]) == []


def test_unassigned_and_unknown_labels_are_line_grey():
    assert palette.label_colors([-1, 0, 9], ["#123456"]) == ["#E4DFD6", "#123456", "#E4DFD6"]


def test_groups_are_counted_from_one_and_keep_a_given_name():
    assert palette.group_name(2) == "Group 3"
    assert palette.group_name(-1) == "Unassigned"
    assert palette.group_name(0, ["Landscapes", ""]) == "Landscapes"
    assert palette.group_name(1, ["Landscapes", ""]) == "Group 2"


def test_colour_and_symbol_together_are_unique_up_to_twenty():
    pairs = {(color, palette.cluster_symbol(label)) for label, color in enumerate(palette.cluster_colors(20))}
    assert len(pairs) == 20
    assert palette.cluster_symbol(-1) == "circle-open"
    assert len(palette.GLYPHS) == len(palette.SYMBOLS) == 8


def test_a_translucent_colour_keeps_its_parts():
    assert palette.translucent("#FF8000", 0.5) == "rgba(255,128,0,0.5)"


def _hue(color: str) -> float:
    from colorspacious import cspace_convert

    _, a, b = cspace_convert([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)], "sRGB1", "CAM02-UCS")
    return float(np.arctan2(b, a))
