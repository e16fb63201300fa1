"""Views by recipe: what each kind of picture keeps, what a strength changes, and that chance is seeded."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.views.colour import blurred, lightness, mixed, recoloured
from clustering.views.pictures import PictureViews
from clustering.views.pixels import PictureShape, looked_at
from clustering.views.recipes import RECIPES, Recipe

COLOURED, GREY = PictureShape(3, 12, 12), PictureShape(1, 12, 12)
every_kind = pytest.mark.parametrize("kind", RECIPES)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_pictures(shape: PictureShape, count: int = 6) -> torch.Tensor:
    return torch.rand(count, shape.channels * shape.height * shape.width, generator=drawn(9))


@every_kind
@pytest.mark.parametrize("shape", [COLOURED, GREY], ids=["coloured", "grey"])
def test_no_strength_leaves_every_picture_as_it_is(kind, shape):
    rows = some_pictures(shape)
    seen = PictureViews(shape, RECIPES[kind].scaled(0))(rows, drawn(1))
    torch.testing.assert_close(seen, rows, atol=1e-5, rtol=0)


@every_kind
def test_the_same_generator_draws_the_same_views_and_every_picture_its_own(kind):
    views = PictureViews(COLOURED, RECIPES[kind])
    rows = some_pictures(COLOURED, 1).repeat(4, 1)
    first = views(rows, drawn(1))
    assert torch.equal(first, views(rows, drawn(1)))
    assert not torch.equal(first, views(rows, drawn(2)))
    assert len(first.unique(dim=0)) == 4


@every_kind
@given(strength=st.floats(0, 3), seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_views_keep_between_black_and_white_however_strong(kind, strength, seed):
    rows = some_pictures(COLOURED, 3) * 16 - 4
    seen = PictureViews(COLOURED, RECIPES[kind].scaled(strength), black=-4, white=12)(rows, drawn(seed))
    assert seen.shape == rows.shape
    assert bool(((seen >= -4.0001) & (seen <= 12.0001)).all())


@every_kind
def test_a_stronger_view_is_further_from_its_picture(kind):
    rows = some_pictures(COLOURED, 200)
    apart = [
        (PictureViews(COLOURED, RECIPES[kind].scaled(strength))(rows, drawn(1)) - rows).abs().mean()
        for strength in (0, 0.3, 1)
    ]
    assert apart[0] < apart[1] < apart[2]


def test_values_of_any_range_are_seen_as_those_between_0_and_1():
    rows = some_pictures(COLOURED)
    recipe = replace(RECIPES["photographs"], noise=0)
    plain = PictureViews(COLOURED, recipe)(rows, drawn(1))
    wide = PictureViews(COLOURED, recipe, black=-3, white=7)(rows * 10 - 3, drawn(1))
    torch.testing.assert_close(wide, plain * 10 - 3, atol=1e-4, rtol=0)


def test_the_palette_of_an_artwork_stays_and_that_of_a_photograph_changes():
    one_colour = torch.tensor([0.7, 0.4, 0.2]).repeat(144).expand(50, -1).contiguous()
    seen = PictureViews(COLOURED, RECIPES["artworks"])(one_colour, drawn(1))
    torch.testing.assert_close(seen, one_colour, atol=1e-5, rtol=0)
    changed = PictureViews(COLOURED, RECIPES["photographs"])(one_colour, drawn(1)).view(50, 144, 3)
    torch.testing.assert_close(changed.std(dim=1), torch.zeros(50, 3), atol=1e-5, rtol=0)
    hues = changed[:, 0] / changed[:, 0].sum(dim=1, keepdim=True)
    assert float(hues.std(dim=0).max()) > 0.03


def test_digits_are_never_mirrored_nor_cut():
    assert (RECIPES["digits"].flip, RECIPES["digits"].crop) == (0, 1)
    shape = PictureShape(1, 8, 8)
    picture = torch.zeros(8, 8)
    picture[1:7, 2] = 1  # a stroke on the left
    seen = PictureViews(shape, RECIPES["digits"])(picture.view(1, -1).repeat(300, 1), drawn(1)).view(-1, 8, 8)
    assert bool((seen[:, :, :4].sum(dim=(1, 2)) > seen[:, :, 4:].sum(dim=(1, 2))).float().mean() > 0.95)
    assert float((seen.sum(dim=(1, 2)) / 6).min()) > 0.4  # most of it is still there


def test_a_flip_alone_is_a_mirror_image_of_about_half_of_the_pictures():
    rows = some_pictures(COLOURED, 400)
    seen = PictureViews(COLOURED, Recipe(flip=0.5))(rows, drawn(1)).view(-1, 12, 12, 3)
    pictures = rows.view(-1, 12, 12, 3)
    same = (seen - pictures).abs().amax(dim=(1, 2, 3)) < 1e-4
    mirrored = (seen - pictures.flip(2)).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert bool((same ^ mirrored).all())
    assert 150 < int(mirrored.sum()) < 250


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_a_crop_shows_a_part_of_the_picture_and_nothing_from_outside(seed):
    """A ramp seen through a smaller window is a flatter ramp between two of its own values."""
    across = torch.linspace(0.2, 1, 24).expand(24, 24)
    seen = PictureViews(PictureShape(1, 24, 24), Recipe(crop=0.2, outside="reflection"))(
        across.reshape(1, -1).repeat(8, 1), drawn(seed)
    )
    inner = seen.view(8, 24, 24)[:, 2:-2, 2:-2]
    assert bool((inner >= 0.199).all())
    slopes = inner.diff(dim=2)
    share = slopes.mean(dim=(1, 2)) / (0.8 / 23)  # width of the crop
    assert bool((share <= 1.001).all())
    assert bool((share >= (0.2 * 0.75) ** 0.5 - 0.01).all())
    torch.testing.assert_close(slopes.std(dim=(1, 2)), torch.zeros(8), atol=2e-3, rtol=0)


def hue_turned(pictures: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    one = torch.ones_like(turns)
    return mixed(pictures, one, one, turns, torch.zeros(len(turns), 1, 1, 1))


def test_a_hue_turned_all_the_way_round_is_the_same_and_lightness_stays():
    pictures = torch.rand(5, 3, 4, 4, generator=drawn())
    torch.testing.assert_close(hue_turned(pictures, torch.ones(5)), pictures, atol=1e-3, rtol=0)
    half = hue_turned(pictures, torch.full((5,), 0.5))
    torch.testing.assert_close(lightness(half), lightness(pictures), atol=2e-3, rtol=0)
    assert float((half - pictures).abs().mean()) > 0.1


def test_a_blur_keeps_the_mean_of_a_dot_and_spreads_it_over_its_neighbours():
    dots = torch.zeros(40, 1, 113, 113)
    dots[:, :, 56, 56] = 1
    seen = blurred(dots, 1.0, drawn(1))
    torch.testing.assert_close(seen.sum(dim=(1, 2, 3)), torch.ones(40), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen, seen.transpose(2, 3))
    assert float(seen[:, 0, 56, 56].min()) < 0.3
    assert torch.equal(blurred(dots, 0.0, drawn(1)), dots)


def test_another_light_is_brightness_contrast_saturation_and_hue_one_after_the_other():
    recipe, pictures = RECIPES["photographs"], torch.rand(30, 3, 5, 6, generator=drawn())
    seen = recoloured(pictures, recipe, drawn(4))
    numbers = torch.rand(6, 30, generator=drawn(4))
    for index, picture in enumerate(pictures):
        bright, stark, vivid, hue = (numbers[:4, index] * 2 - 1) * (numbers[4, index] < 0.8)
        picture = picture * (1 + 0.4 * bright)
        middle = lightness(picture[None]).mean()
        picture = middle + (picture - middle) * (1 + 0.4 * stark)
        light = lightness(picture[None])[0]
        picture = light + (picture - light) * (1 + 0.4 * vivid) * (numbers[5, index] >= 0.2)
        picture = hue_turned(picture[None], (0.1 * hue)[None])[0]
        torch.testing.assert_close(seen[index], picture, atol=1e-5, rtol=0)


@pytest.mark.parametrize("outside", ["zeros", "reflection"])
@pytest.mark.parametrize("half", [False, True], ids=["in full", "in bfloat16"])
def test_a_window_is_looked_through_as_torch_does_and_in_full_in_any_precision(outside, half):
    pictures = torch.rand(9, 3, 7, 10, generator=drawn())
    window = torch.randn(9, 2, 3, generator=drawn(1))
    grid = torch.nn.functional.affine_grid(window, [9, 3, 7, 10], align_corners=False)
    expected = torch.nn.functional.grid_sample(pictures, grid, padding_mode=outside, align_corners=False)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        seen = looked_at(pictures, window[:, 0], window[:, 1], outside)
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=0)
