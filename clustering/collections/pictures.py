"""Open any picture file safely and see it as a person would: upright, eight bits, RGB, on white."""

from __future__ import annotations

import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from clustering.errors import StudioError

PIXEL_LIMIT = 150_000_000  # a 100-megapixel camera passes; decoded, a picture takes at most 0.6 GB

# Formats with a signature, decoded by code that only decodes: no PostScript, no PDF.
_WANTED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO")
Image.init()  # Pillow finds its decoders late and not safely when several threads open the first picture
FORMATS = tuple(name for name in _WANTED if name in Image.OPEN)  # a build may lack some
EXTENSIONS = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".apng",
        ".webp",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
    }
    | {
        ".ppm",
        ".pgm",
        ".pbm",
        ".jp2",
        ".j2k",
        ".avif",
        ".ico",
        ".heic",
        ".heif",
        ".tga",
        ".psd",
        ".svg",
        ".raw",
    }
    | {".cr2", ".nef", ".dng"}
)  # what a person calls a picture: such a file that cannot be opened is reported, any other is passed over

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # EXIF tag 0x0112 → how to turn
_REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK")

_HUGE = 25_000_000  # pixels; above it one at a time, so that memory does not grow with the number of threads
_one_huge = threading.Semaphore(1)

# Our own limit, checked before anything is decoded, speaks instead of this warning.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class UnreadableError(Exception):
    """A file that is no picture, or a broken one; the message says in a few words what is wrong."""


class TooLargeError(UnreadableError):
    """A picture with more pixels than `PIXEL_LIMIT`."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes
    ----------
    image : PIL.Image.Image
        RGB, upright.
    width, height : int
        Pixels of the file's picture, upright, before any reduction.
    notes : tuple of str
        What had to be done: ``"rotated"``, ``"animated"``, ``"transparent"``, ``"palette"``, ``"cmyk"``,
        ``"16-bit"``, ``"greyscale"``, ``"other colours"``.
    """

    image: Image.Image
    width: int
    height: int
    notes: tuple[str, ...]


def open_picture(path: Path, size: int | None = None) -> Picture:
    """Decode the first frame of a picture file.

    Parameters
    ----------
    path : Path
        The file; its extension is not looked at.
    size : int, optional
        Largest side in pixels of what is returned; larger pictures are shrunk, smaller ones stay.

    Raises
    ------
    UnreadableError
        When it is no picture, is broken or cut short, or has more pixels than `PIXEL_LIMIT`.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return _decoded(image, size)
    except UnreadableError:
        raise
    except Image.DecompressionBombError as error:
        raise TooLargeError(f"more than {PIXEL_LIMIT // 1_000_000} megapixels") from error
    except Exception as error:  # decoders raise whatever they like when bytes are broken
        raise UnreadableError(_reason(error)) from error


def picture_size(path: Path) -> tuple[int, int]:
    """Return the width and height a picture file names in its head, not turned upright.

    Raises
    ------
    UnreadableError
        When it is no picture, or has more pixels than `PIXEL_LIMIT`.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _refuse_large(image)
            return image.size
    except UnreadableError:
        raise
    except Image.DecompressionBombError as error:
        raise TooLargeError(f"more than {PIXEL_LIMIT // 1_000_000} megapixels") from error
    except Exception as error:  # as above
        raise UnreadableError(_reason(error)) from error


def is_picture(path: Path) -> bool:
    """Say whether the first bytes of a file are those of a picture."""
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except Image.DecompressionBombError:
        return True
    except Exception:  # as above
        return False


def picture_at(path: Path, size: int | None = None) -> Image.Image:
    """Return the picture in ``path`` as RGB, its longer side at most ``size``.

    Raises
    ------
    StudioError
        When the file cannot be opened as a picture.
    """
    try:
        return open_picture(path, size).image
    except UnreadableError as error:
        raise StudioError(
            f"{path} cannot be opened as a picture: {error}.",
            "Replace the file by a whole one, then load the collection again.",
        ) from error


def fitted(image: Image.Image, size: int) -> Image.Image:
    """Return ``image`` with its longer side scaled to ``size`` pixels; pixel drawings keep their pixels."""
    scale = size / max(image.size)
    box = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if box == image.size:
        return image
    drawing = max(image.size) <= 32 and scale > 1  # an 8 × 8 digit blurred to 64 pixels shows nothing
    way = Image.Resampling.NEAREST if drawing else Image.Resampling.LANCZOS
    return image.resize(box, way, reducing_gap=3.0)


def _decoded(image: Image.Image, size: int | None) -> Picture:
    _refuse_large(image)
    with _one_huge if image.width * image.height > _HUGE else nullcontext():
        return _upright(image, size)


def _refuse_large(image: Image.Image) -> None:
    width, height = image.size
    if width * height > PIXEL_LIMIT:
        raise TooLargeError(f"{width} × {height} pixels, the limit is {PIXEL_LIMIT // 1_000_000} megapixels")


def _upright(image: Image.Image, size: int | None) -> Picture:
    width, height = image.size
    notes: list[str] = []
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # an MPO's other frames are previews
        notes.append("animated")
    if size is not None:
        image.draft(
            image.mode if image.mode in ("L", "RGB") else None, (2 * size, 2 * size)
        )  # JPEG: by 2, 4, 8
    image.load()
    small = _reduced(image, size)
    rgb = _rgb(small, notes)
    orientation = _orientation(image)
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
        notes.append("rotated")
        if orientation >= 5:  # a quarter turn
            width, height = height, width
    if size is not None and max(rgb.size) > size:
        rgb = fitted(rgb, size)
    return Picture(rgb, width, height, tuple(notes))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a broken EXIF block must not cost the picture
        return 1


def _reduced(image: Image.Image, size: int | None) -> Image.Image:
    """Shrink by a whole number first, so that a huge picture is converted when it is small already."""
    if size is None or image.mode not in _REDUCIBLE or "transparency" in image.info:
        return image
    factor = max(image.size) // (3 * size)
    return image.reduce(factor) if factor >= 2 and min(image.size) >= factor else image


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    mode = image.mode
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        notes.append("transparent")
        above = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("RGB")
    if mode == "RGB":
        return image.copy()
    if mode.startswith("I") or mode == "F":
        notes.append("16-bit")
        return _eight_bit(image).convert("RGB")
    notes.append(
        {"P": "palette", "CMYK": "cmyk", "L": "greyscale", "1": "greyscale"}.get(mode, "other colours")
    )
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale 16 bits by their full range, so that pictures stay comparable; wider ones by their own range."""
    values = np.asarray(image).astype(np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = 0.0, 65535.0
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture, or of a kind that is not read"
    if isinstance(error, PermissionError):
        return "you may not read it"
    if isinstance(error, FileNotFoundError):
        return "it is gone"
    return f"broken or cut short ({str(error).splitlines()[0][:120] if str(error) else type(error).__name__})"
