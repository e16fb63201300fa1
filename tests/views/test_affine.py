"""Views of pictures: what stays, what moves, and by how much at most."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clustering.views.affine import AffineViews
from clustering.views.pixels import PictureShape, picture_shape


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def centre_of_mass(picture: torch.Tensor) -> tuple[float, float]:
    height, width = picture.shape
    rows, columns = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    mass = picture.sum()
    return float((picture.sum(1) * rows).sum() / mass), float((picture.sum(0) * columns).sum() / mass)


@pytest.mark.parametrize(
    ("n_features", "shape"),
    [(784, (1, 28, 28)), (64, (1, 8, 8)), (3072, (3, 32, 32)), (1280, None), (10, None), (4, None)],
)
def test_square_pictures_are_recognised_by_their_number_of_pixels(n_features, shape):
    assert picture_shape(n_features) == shape


def test_no_strength_leaves_every_picture_as_it_is():
    views = AffineViews(PictureShape(3, 8, 6), degrees=0, zoom=0, shift=0)
    rows = torch.rand(5, 144, generator=drawn())
    torch.testing.assert_close(views(rows, drawn(1)), rows)


def test_the_channels_of_a_pixel_move_together():
    grey = torch.rand(3, 64, generator=drawn())
    coloured = torch.stack([grey, 2 * grey, 3 * grey], dim=2).flatten(1)  # as the encoder of pixels writes
    moved = AffineViews(PictureShape(3, 8, 8))(coloured, drawn(1)).view(3, 64, 3)
    expected = AffineViews(PictureShape(1, 8, 8))(grey, drawn(1))
    for channel in range(3):
        torch.testing.assert_close(moved[:, :, channel], (channel + 1) * expected)


def test_the_same_generator_draws_the_same_views_and_another_others():
    views = AffineViews(PictureShape(1, 28, 28))
    rows = torch.rand(4, 784, generator=drawn())
    assert torch.equal(views(rows, drawn(1)), views(rows, drawn(1)))
    assert not torch.equal(views(rows, drawn(1)), views(rows, drawn(2)))


def test_pictures_of_one_batch_get_views_of_their_own():
    views = AffineViews(PictureShape(1, 28, 28))
    rows = torch.rand(1, 784, generator=drawn()).repeat(2, 1)
    one, other = views(rows, drawn(1))
    assert not torch.equal(one, other)


@given(st.integers(0, 2**31), st.sampled_from([(28, 28), (20, 32)]))
def test_a_blot_in_the_middle_moves_by_no_more_than_the_shift(seed, size):
    height, width = size
    shape = PictureShape(1, height, width)
    picture = torch.zeros(height, width)
    picture[height // 2 - 2 : height // 2 + 2, width // 2 - 2 : width // 2 + 2] = 1
    moved = AffineViews(shape, degrees=10, zoom=0.1, shift=0.1)(picture.view(1, -1), drawn(seed))
    down, across = centre_of_mass(moved.view(height, width))
    assert abs(down) <= 1.15 * 0.1 * height * math.sqrt(2)
    assert abs(across) <= 1.15 * 0.1 * width * math.sqrt(2)
    assert moved.sum() == pytest.approx(16, rel=0.35)  # it is zoomed by a tenth, and stays inside


def test_a_turn_keeps_the_proportions_of_a_picture_that_is_not_square():
    shape = PictureShape(1, 20, 40)
    picture = torch.zeros(20, 40)
    picture[8:12, 18:22] = 1
    turned = AffineViews(shape, degrees=45, zoom=0, shift=0)(picture.view(1, -1), drawn(3)).view(20, 40)
    assert turned.sum() == pytest.approx(16, rel=0.1)
    lit = (turned > 0.1).nonzero()
    spread = lit.max(dim=0).values - lit.min(dim=0).values
    assert abs(int(spread[0]) - int(spread[1])) <= 1  # a turned square is as high as it is wide
