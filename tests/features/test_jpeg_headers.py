"""Only plain photographs go to a graphics card's decoder."""

from __future__ import annotations

import io

import pytest
from feature_standin import painted
from PIL import Image

from clustering.features.jpeg import device_pixels, jpeg_facts


def saved(picture: Image.Image, kind: str = "JPEG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 0}, {"quality": 30}, {"exif": turned(1)}, {"dpi": (9, 9)}]
)
def test_a_plain_photograph_suits_and_its_size_is_read(options):
    file = saved(painted(90, 61), **options)
    facts = jpeg_facts(file)
    assert facts is not None
    assert (facts.width, facts.height, facts.channels) == (90, 61, 3)
    assert device_pixels(file, 30) == 90 * 61


@pytest.mark.parametrize(
    "file",
    [
        saved(painted(90, 61), progressive=True),
        saved(painted(90, 61).convert("L")),
        saved(painted(90, 61).convert("CMYK")),
        saved(painted(90, 61), exif=turned(6)),
        saved(painted(90, 61), keep_rgb=True),
        saved(painted(90, 61))[:-400],
        saved(painted(90, 59)),
        saved(painted(90, 61), "PNG"),
        b"",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00\xff\xd9",
    ],
    ids=["progressive", "grey", "print", "turned", "rgb", "cut", "small", "png", "empty", "bare", "looping"],
)
def test_anything_else_is_left_to_pillow(file):
    assert device_pixels(file, 30) == 0
