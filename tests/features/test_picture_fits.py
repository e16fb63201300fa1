"""Pictures become the squares DELIUS describes."""

from __future__ import annotations

import numpy as np
import pytest
from feature_standin import StandIn
from PIL import Image

from clustering.errors import StudioError
from clustering.features.network import IMAGENET_DEVIATION, IMAGENET_MEAN
from clustering.features.pictures import normalised, read_picture, squared


def halves(width: int, height: int) -> Image.Image:
    """Left half red, right half blue."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 2] = 255
    return Image.fromarray(pixels)


def test_the_published_pixel_is_normalised_to_the_published_numbers():
    got = normalised(np.array([128, 64, 255], dtype=np.uint8), IMAGENET_MEAN, IMAGENET_DEVIATION)
    np.testing.assert_allclose(got, [0.074064560322, -0.915266106443, 2.64], atol=1e-12)


def test_the_network_sees_what_the_published_formula_says():
    import torch

    from clustering.features.runner import Input, Runner

    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), dtype=np.uint8)
    runner = Runner(torch.nn.Flatten(), Input(5, IMAGENET_MEAN, IMAGENET_DEVIATION), "cpu", "float32")
    wanted = normalised(pixels, IMAGENET_MEAN, IMAGENET_DEVIATION).transpose(0, 3, 1, 2).reshape(2, -1)
    np.testing.assert_allclose(runner(pixels), wanted, atol=1e-5)


@pytest.mark.parametrize("fit", ["squash", "crop", "letterbox"])
@pytest.mark.parametrize("size", [(30, 30), (90, 30), (30, 91), (1, 40), (7, 5)])
def test_every_fit_gives_a_square_of_any_picture(fit, size):
    assert squared(halves(*size), 24, fit).shape == (24, 24, 3)


def test_squash_keeps_all_of_a_wide_picture_and_crop_its_middle():
    wide = Image.fromarray(
        np.concatenate([np.full((20, 40, 3), v, dtype=np.uint8) for v in (0, 128, 255)], axis=1)
    )
    squashed, cropped = squared(wide, 20, "squash"), squared(wide, 20, "crop")
    assert squashed[10, 1, 0] == 0 and squashed[10, 18, 0] == 255
    assert (cropped == 128).all()


def test_letterbox_keeps_proportions_and_fills_with_the_average_colour():
    boxed = squared(halves(80, 40), 40, "letterbox")
    assert tuple(boxed[0, 0]) == (128, 0, 128) == tuple(boxed[39, 39])
    assert tuple(boxed[20, 2]) == (255, 0, 0)
    assert tuple(boxed[20, 37]) == (0, 0, 255)


def test_squash_is_plain_bilinear_when_it_enlarges():
    grey = Image.fromarray(np.array([[0, 100], [200, 40]], dtype=np.uint8)).convert("RGB")
    got = squared(grey, 4, "squash")[1, :, 0]
    # pixel centres at 0.25 and 0.75 of each step: weights 3/4 and 1/4
    row = np.array([0.75 * 0 + 0.25 * 200, 0.75 * 100 + 0.25 * 40])
    wanted = [row[0], 0.75 * row[0] + 0.25 * row[1], 0.25 * row[0] + 0.75 * row[1], row[1]]
    np.testing.assert_allclose(got, wanted, atol=1)


def test_a_picture_that_vanished_is_named_with_the_mend():
    def gone(index):
        raise FileNotFoundError("works/7.jpg")

    with pytest.raises(StudioError, match=r"Picture 7 of “Stand-in”.*works/7.jpg.*load the collection again"):
        read_picture(StandIn("images", 9, pictures=gone), 7)
