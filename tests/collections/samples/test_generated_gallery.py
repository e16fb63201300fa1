"""The generated gallery: its metadata are true, its series evolve, its manners can be told apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from clustering.collections.samples import gallery
from clustering.collections.samples.gallery.colours import (
    NAMED,
    PALETTES,
    main_colours,
    oklab,
    striking_colours,
)
from clustering.collections.samples.gallery.manner import Series
from clustering.collections.samples.gallery.titles import clock, roman, titled

PLANS = gallery.plans()
MANNERS = {manner.name: manner for manner in gallery.MANNERS}


def of_series(name: str, step: int = 6):
    """Paint every few pictures of a series."""
    chosen = [plan for plan in PLANS if plan.series.name == name]
    return [gallery.painted(plan) for plan in chosen[::step]]


def test_there_are_600_pictures_75_of_each_of_eight_manners():
    assert len(PLANS) == 600
    assert Counter(plan.manner.name for plan in PLANS) == dict.fromkeys(MANNERS, 75)
    assert len({plan.file for plan in PLANS}) == len({plan.seed for plan in PLANS}) == 600


def test_series_are_unique_and_every_palette_and_format_occurs():
    names = [series.name for manner in gallery.MANNERS for series in manner.series]
    assert len(names) == len(set(names)) == 48
    assert {plan.series.palette for plan in PLANS} == set(PALETTES)
    shapes = {np.sign(plan.series.size[0] - plan.series.size[1]) for plan in PLANS}
    assert shapes == {-1, 0, 1}
    shared = [
        {series.palette for series in one.series} & {series.palette for series in other.series}
        for one in gallery.MANNERS
        for other in gallery.MANNERS
        if one is not other
    ]
    # colour alone does not give a manner away
    assert sum(bool(palettes) for palettes in shared) > len(shared) / 2


@pytest.mark.parametrize("name", list(MANNERS))
def test_a_picture_follows_from_its_seed_alone_and_its_metadata_are_true(name):
    plan = next(plan for plan in PLANS if plan.manner.name == name and plan.place == 5)
    state = np.random.get_state()[1].copy()
    pixels, told = gallery.painted(plan)
    again, _ = gallery.painted(plan)
    np.testing.assert_array_equal(pixels, again)
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    height, width, channels = pixels.shape
    assert (width, height, channels) == (*plan.series.size, 3) and pixels.dtype == np.uint8
    assert max(width, height) <= 360
    assert told["format"] == ("square" if width == height else "landscape" if width > height else "portrait")
    assert (told["dominant_colour"], told["dominant_hex"]) == main_colours(pixels)[0][:2]
    assert told["shapes"] >= 1 and told["seed"] == plan.seed and told["manner"] == name
    assert told["title"] and "{" not in told["title"]


def test_cells_between_heavy_lines_are_counted_right():
    from scipy.ndimage import label

    manner = MANNERS["rectangles"]
    for cells in (4, 9, 16):
        series = Series(
            "t", "primary", (300, 300), "abstract", "", "", {"cells": cells, "line": 9.0, "coloured": 0.3}
        )
        painting = manner.painting(np.random.default_rng(cells), series, PALETTES["primary"], 0.0)
        _, found = label(painting.pixels.max(axis=2) > 95)
        assert painting.shapes == found == cells


def test_straight_stripes_are_counted_right():
    manner = MANNERS["stripes"]
    settings = {"stripes": 20, "bend": 0.0, "swell": 0.0, "colours": "dg"}
    series = Series("t", "ink", (300, 300), "abstract", "", "", settings)
    painting = manner.painting(np.random.default_rng(0), series, PALETTES["ink"], 0.0)
    row = painting.pixels[150].mean(axis=1) > 128
    assert painting.shapes == 1 + np.count_nonzero(np.diff(row.astype(int)))


def test_layers_of_a_landscape_are_counted_with_sun_lake_and_firs():
    manner = MANNERS["landscapes"]
    series = Series("t", "sea", (200, 150), "landscape", "", "", {"layers": 4, "water": 1, "trees": 7})
    painting = manner.painting(np.random.default_rng(0), series, PALETTES["sea"], 0.0)
    assert painting.shapes == 4 + 1 + 1 + 7


def test_series_change_by_the_quality_they_name():
    embers = [pixels.mean() for pixels, _ in of_series("Embers")]
    assert embers == sorted(embers, reverse=True) and embers[0] > 1.5 * embers[-1]
    for name, growing in (
        ("Tide", True),
        ("Thicket", True),
        ("Poplars", False),
        ("Rings", False),
        ("Targets", True),
    ):
        shapes = [told["shapes"] for _, told in of_series(name)]
        assert shapes == sorted(shapes, reverse=not growing) and shapes[0] != shapes[-1]
    lava = [pixels.mean() for pixels, _ in of_series("Lava")]
    assert lava == sorted(lava, reverse=True)


def test_settings_run_from_the_first_to_the_last_of_a_series():
    series = Series("t", "ink", (10, 10), "", "", "", {"a": (0.0, 2.0), "b": 3})
    assert [series.settings_at(share) for share in (0.0, 0.5, 1.0)] == [
        {"a": 0.0, "b": 3},
        {"a": 1.0, "b": 3},
        {"a": 2.0, "b": 3},
    ]


def test_colours_have_the_names_people_give_them():
    for hexed, name in (("c4311f", "red"), ("ffffff", "white"), ("101014", "black"), ("20468c", "blue")):
        value = tuple(int(hexed[i : i + 2], 16) for i in (0, 2, 4))
        assert main_colours(np.full((20, 20, 3), value, dtype=np.uint8))[0][0] == name
    assert len(NAMED) == len(set(NAMED.values()))


def test_oklab_keeps_its_published_reference_values():
    # white is L = 1 without colour; the published pair for sRGB red
    np.testing.assert_allclose(oklab(np.ones(3)), [1, 0, 0], atol=1e-3)
    np.testing.assert_allclose(oklab(np.array([1.0, 0, 0])), [0.62796, 0.22486, 0.12585], atol=1e-4)


def test_titles_name_striking_colours_before_the_ground():
    canvas = np.full((100, 100, 3), (0xED, 0xE3, 0xCC), dtype=np.uint8)
    canvas[:40, :50], canvas[60:, 60:] = (0xC4, 0x31, 0x1F), (0x17, 0x16, 0x1A)
    assert main_colours(canvas)[0][0] == "cream"
    assert striking_colours(main_colours(canvas))[0] == "red"
    series = Series("t", "ink", (10, 10), "", "", "Composition {number}, {colours}", {})
    assert titled(series, 12, 1, 0.0, main_colours(canvas), 5) == "Composition 12, red and black"


def test_roman_numerals_and_hours_read_right():
    assert [roman(n) for n in (1, 4, 9, 13, 14)] == ["I", "IV", "IX", "XIII", "XIV"]
    assert [clock(h) for h in (0, 7 / 18, 0.5, 1)] == [
        "5 in the morning",
        "noon",
        "2 in the afternoon",
        "11 at night",
    ]


def test_manners_are_told_apart_by_a_trained_network_but_not_by_pixels():
    from clustering.features.efficientnet_lite0 import EfficientNetLite0
    from clustering.features.pixels import Pixels

    chosen = PLANS[2::9]
    pictures = [gallery.painted(plan)[0] for plan in chosen]
    manners = np.array([plan.manner.name for plan in chosen])

    class Wall:
        name, kind, n_items, content_hash = "wall", "images", len(pictures), "wall"

        def picture(self, index, size=None):
            from PIL import Image

            return Image.fromarray(pictures[index])

        def data(self):
            raise NotImplementedError

    trained = nearest_agrees(EfficientNetLite0(device="cpu").encode(Wall()), manners)
    plain = nearest_agrees(Pixels(size=16, colour="colour").encode(Wall()), manners)
    assert trained > 0.85 and plain < 0.7


def nearest_agrees(features: np.ndarray, labels: np.ndarray) -> float:
    distances = ((features[:, None, :] - features[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())
