"""Strong views: each operation is Pillow's, every one is drawn as often as any other, a piece is cut out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from clustering.views import operations
from clustering.views.operations import MOVES, OPERATIONS
from clustering.views.pixels import PictureShape, as_pictures, as_rows
from clustering.views.strong import StrongViews, cut_out, one_each

SHAPE = PictureShape(3, 24, 24)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_pictures(count: int) -> torch.Tensor:
    """Pictures of whole levels, dull enough that stretching them shows."""
    levels = torch.randint(40, 200, (count, 3, 24, 24), generator=drawn(3)).float()
    return levels / 255


def in_pillow(picture: torch.Tensor) -> Image.Image:
    return Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy())


def enhanced(kind: type) -> object:
    return lambda picture: kind(picture).enhance(1 - 0.95 * 0.6)


IN_PILLOW = {
    "autocontrast": ImageOps.autocontrast,
    "equalize": ImageOps.equalize,
    "posterize": lambda picture: ImageOps.posterize(picture, 6),
    "solarize": lambda picture: ImageOps.solarize(picture, 77),
    "colour": enhanced(ImageEnhance.Color),
    "contrast": enhanced(ImageEnhance.Contrast),
    "brightness": enhanced(ImageEnhance.Brightness),
    "sharpness": enhanced(ImageEnhance.Sharpness),
}
AMOUNTS = {"posterize": 0.5, "solarize": 0.7}


@pytest.mark.parametrize("name", IN_PILLOW)
def test_an_operation_does_what_pillows_does(name):
    pictures = some_pictures(3)
    amounts = torch.full((3,), AMOUNTS.get(name, 0.6))
    found = getattr(operations, name)(pictures, amounts)
    for picture, mine in zip(pictures, found, strict=True):
        theirs = np.asarray(IN_PILLOW[name](in_pillow(picture)), dtype=np.float32) / 255
        # Pillow cuts to whole levels, some of it twice
        np.testing.assert_allclose(mine.permute(1, 2, 0).numpy(), theirs, atol=2.1 / 255)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_an_operation_changes_each_picture_by_its_own_amount_whatever_stands_beside_it(operation):
    pictures, amounts = some_pictures(4), torch.tensor([-0.9, -0.2, 0.3, 1.0])
    together = operation(pictures, amounts)
    for row in range(4):
        torch.testing.assert_close(
            together[row : row + 1], operation(pictures[row : row + 1], amounts[row : row + 1])
        )
    assert bool(((together >= 0) & (together <= 1.0001)).all())


@pytest.mark.parametrize(
    ("operation", "moved"),
    [(operations.translate_x, (0, 2)), (operations.translate_y, (2, 0))],
    ids=["sideways", "up"],
)
def test_a_translation_by_all_of_its_amount_moves_a_picture_by_a_tenth(operation, moved):
    pictures = torch.rand(1, 1, 20, 20, generator=drawn())
    seen = operation(pictures, torch.ones(1))
    down, across = moved
    torch.testing.assert_close(
        seen[..., : 20 - down, : 20 - across], pictures[..., down:, across:], atol=1e-4, rtol=0
    )


def test_a_turn_of_30_degrees_is_that_of_pillow():
    picture = torch.zeros(1, 1, 41, 41)
    picture[..., 10:14, 8:30] = 1
    mine = operations.rotate(picture, torch.ones(1))[0, 0].numpy()
    gray = Image.fromarray(picture[0, 0].numpy())
    theirs = np.asarray(gray.rotate(30, resample=Image.Resampling.BILINEAR))
    inner = slice(6, -6)
    np.testing.assert_allclose(mine[inner, inner], theirs[inner, inner], atol=0.02)


def test_every_operation_is_drawn_as_often_as_any_other_also_for_few_pictures():
    marks = tuple(lambda pictures, amounts, mark=mark: pictures * 0 + mark for mark in range(5))
    generator = drawn(1)
    many = torch.cat(
        [one_each(torch.zeros(3, 1, 2, 2), marks, 1.0, generator)[:, 0, 0, 0] for _ in range(1000)]
    )
    shares = torch.bincount(many.long(), minlength=5) / 3000
    np.testing.assert_allclose(shares.numpy(), 0.2, atol=0.03)


def test_each_picture_keeps_its_place():
    pictures = torch.arange(20.0).view(20, 1, 1, 1) / 20
    seen = one_each(pictures, (operations.unchanged,) * 3, 1.0, drawn(2))
    assert torch.equal(seen, pictures)


def test_a_square_of_at_most_the_given_width_becomes_the_mean():
    pictures = torch.rand(200, 1, 20, 20, generator=drawn())
    seen = cut_out(pictures, 0.5, drawn(1))
    changed = seen != pictures
    assert int(changed.sum(dim=3).amax()) <= 10
    assert int(changed.sum(dim=2).amax()) <= 10
    assert float(changed.float().mean()) > 0.02
    means = pictures.mean(dim=(2, 3), keepdim=True).expand_as(pictures)
    assert torch.equal(seen[changed], means[changed])


@pytest.mark.parametrize("kind", ["photographs", "artworks", "digits"])
def test_strong_views_are_seeded_stay_in_range_and_do_nothing_without_strength(kind):
    rows = as_rows(some_pictures(20)) * 10 - 5
    views = StrongViews(SHAPE, kind, black=-5, white=5)
    seen = views(rows, drawn(1))
    assert torch.equal(seen, views(rows, drawn(1)))
    assert not torch.equal(seen, views(rows, drawn(2)))
    assert bool(((seen >= -5) & (seen <= 5)).all())
    assert float((seen - rows).abs().mean()) > 0.3
    still = StrongViews(SHAPE, kind, 0.0, black=-5, white=5)
    torch.testing.assert_close(still(rows, drawn(1)), rows, atol=1e-5, rtol=0)


def test_artworks_keep_their_palette_and_digits_are_not_mirrored():
    recoloured = {operations.solarize, operations.colour, operations.equalize, operations.posterize}
    assert not recoloured & set(MOVES)
    rows = as_rows(some_pictures(1)).repeat(60, 1)
    digits = as_pictures(StrongViews(SHAPE, "digits")(rows, drawn(1)), SHAPE)
    picture = as_pictures(rows[:1], SHAPE)
    like_it = (digits - picture).abs().mean(dim=(1, 2, 3))
    like_mirror = (digits - picture.flip(3)).abs().mean(dim=(1, 2, 3))
    assert bool((like_it < like_mirror + 0.02).all())
