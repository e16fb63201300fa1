"""Any picture file comes out upright, in eight bits, RGB, on white; a broken one says what is wrong."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from painting import painted
from PIL import Image

from clustering.collections.pictures import (
    PIXEL_LIMIT,
    TooLargeError,
    UnreadableError,
    fitted,
    open_picture,
    picture_at,
)
from clustering.errors import StudioError


def test_a_plain_picture_comes_out_as_it_is(tmp_path: Path) -> None:
    painted(0).save(tmp_path / "a.png")
    opened = open_picture(tmp_path / "a.png")
    assert np.array_equal(np.asarray(opened.image), np.asarray(painted(0)))
    assert (opened.width, opened.height, opened.notes) == (60, 40, ())


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_rotated_by_exif_stands_upright(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    painted(1).save(tmp_path / "a.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "a.jpg") as stored:
        expected = ImageOps.exif_transpose(stored)
    opened = open_picture(tmp_path / "a.jpg")
    assert np.array_equal(np.asarray(opened.image), np.asarray(expected))
    assert (opened.width, opened.height) == expected.size
    assert opened.notes == ("rotated",)
    assert open_picture(tmp_path / "a.jpg", 20).image.size == fitted(expected, 20).size


def test_sixteen_bits_are_scaled_to_eight_by_their_full_range(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    opened = open_picture(tmp_path / "a.png")
    assert opened.notes == ("16-bit",)
    assert np.abs(np.asarray(opened.image)[..., 0] - ramp / 257).max() <= 0.5


def test_floating_point_pictures_are_scaled_by_their_own_range(tmp_path: Path) -> None:
    values = np.linspace(-3, 5, 64 * 64, dtype=np.float32).reshape(64, 64)
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tiff")
    grey = np.asarray(open_picture(tmp_path / "a.tiff").image)[..., 0]
    assert grey[0, 1] == 0
    assert grey[-1, -1] == 255


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (50, 50), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    opened = open_picture(tmp_path / "a.jpg", 32)
    assert opened.notes == ("cmyk",)
    assert np.abs(np.asarray(opened.image, int) - (255, 0, 0)).max() <= 4


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (40, 40), (255, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 20, 40))
    picture.save(tmp_path / "a.png")
    palette = picture.quantize(4)
    palette.save(tmp_path / "p.png")
    for name in ("a.png", "p.png"):
        opened = open_picture(tmp_path / name)
        assert opened.image.getpixel((5, 5)) == (255, 255, 255)
        assert opened.image.getpixel((35, 5)) == (255, 0, 0)
        assert opened.notes == ("transparent",)


def test_a_palette_becomes_rgb(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (10, 200, 30)).quantize(2).save(tmp_path / "a.gif")
    opened = open_picture(tmp_path / "a.gif")
    assert opened.notes == ("palette",)
    assert opened.image.getpixel((3, 3)) == (10, 200, 30)


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame_is_used(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    extra = {"lossless": True} if ending == "webp" else {}
    frames[0].save(tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:], **extra)
    opened = open_picture(tmp_path / f"a.{ending}")
    assert "animated" in opened.notes
    assert opened.image.getpixel((3, 3)) == (255, 0, 0)


def test_the_ending_of_a_file_is_not_believed(tmp_path: Path) -> None:
    painted(2).save(tmp_path / "a.txt", "PNG")
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.txt").image), np.asarray(painted(2)))
    (tmp_path / "a.jpg").write_text("not a picture at all")
    with pytest.raises(UnreadableError, match=r"not a picture"):
        open_picture(tmp_path / "a.jpg")


def test_postscript_which_is_a_program_is_not_opened(tmp_path: Path) -> None:
    painted(3).save(tmp_path / "a.png", "EPS")
    with pytest.raises(UnreadableError, match=r"not a picture"):
        open_picture(tmp_path / "a.png")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "tiff"])
def test_a_truncated_picture_is_unreadable_at_any_size(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for size in (None, 64):
        with pytest.raises(UnreadableError):
            open_picture(path, size)


def test_a_broken_picture_asked_for_by_a_page_ends_in_a_sentence_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(StudioError, match=r"a\.jpg cannot be opened.*Replace the file"):
        picture_at(tmp_path / "a.jpg")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # pytest puts it back
def test_three_hundred_megapixels_are_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    for width, height in ((20_000, 15_000), (PIXEL_LIMIT // 1000 + 1, 1000)):
        (tmp_path / "a.png").write_bytes(
            _empty_png(width, height)
        )  # a header and no pixel: decoding would fail
        with pytest.raises(TooLargeError, match=r"150 megapixels"):
            open_picture(tmp_path / "a.png")


@pytest.mark.parametrize("size", [16, 100, 128])
def test_shrinking_keeps_the_shape_and_never_enlarges(tmp_path: Path, size: int) -> None:
    painted(4, 900, 300).save(tmp_path / "a.jpg", quality=95)
    image = open_picture(tmp_path / "a.jpg", size).image
    assert image.size == (size, round(size / 3))
    painted(4, 9, 3).save(tmp_path / "small.png")
    assert open_picture(tmp_path / "small.png", size).image.size == (9, 3)


def test_a_shrunk_picture_has_the_colours_of_the_whole_one(tmp_path: Path) -> None:
    painted(5, 1000, 800).save(tmp_path / "a.jpg", quality=95)
    small = np.asarray(open_picture(tmp_path / "a.jpg", 50).image, float)
    exact = np.asarray(painted(5, 1000, 800).resize((50, 40), Image.Resampling.LANCZOS), float)
    assert np.abs(small - exact).mean() < 3


def test_a_small_drawing_is_enlarged_pixel_by_pixel() -> None:
    drawing = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8))
    large = np.asarray(fitted(drawing, 64))
    assert np.array_equal(large, np.kron(np.asarray(drawing), np.ones((8, 8), np.uint8)))


def _empty_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
