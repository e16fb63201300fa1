"""Tell from a JPEG file's first bytes whether a graphics card's decoder gives the picture people see."""

from __future__ import annotations

from dataclasses import dataclass

BASELINE = (0xC0, 0xC1)
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
PLAIN = (0x01, *range(0xD0, 0xD9))  # markers without a length


@dataclass(frozen=True)
class JpegFacts:
    """What the header says; ``turned`` when EXIF asks for turning or cannot be read without doubt."""

    width: int
    height: int
    channels: int
    baseline: bool
    eight_bit: bool
    own_colours: bool
    turned: bool


def jpeg_facts(file: bytes) -> JpegFacts | None:
    """Read the header of a JPEG file, up to its frame; None when it is no whole JPEG file.

    A file that does not end with the end marker counts as not whole: cut-short pictures are refused by the
    decoder that says so in a sentence.
    """
    if not file.startswith(b"\xff\xd8") or not file.rstrip(b"\0").endswith(b"\xff\xd9"):
        return None
    place, turned, own_colours = 2, False, False
    while place + 10 <= len(file) and file[place] == 0xFF:
        marker = file[place + 1]
        if marker == 0xFF or marker in PLAIN:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(file[place + 2 : place + 4], "big")
        body = file[place + 4 : place + 2 + length]
        if marker in FRAMES:
            height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            return JpegFacts(width, height, body[5], marker in BASELINE, body[0] == 8, own_colours, turned)
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            turned = turned or _turned(body)
        own_colours = own_colours or (marker == 0xEE and body.startswith(b"Adobe") and body[11:12] != b"\x01")
        place += 2 + length
    return None


def device_pixels(file: bytes, side: int) -> int:
    """Return how many pixels a graphics card would decode, or 0 when Pillow must read this file.

    Only plain photographs suit a card: baseline, three channels of eight bits, upright, and at least twice as
    large as the square they become, so that the two decoders' ways to enlarge colour (which differ) do not
    show.
    """
    facts = jpeg_facts(file)
    suits = (
        facts is not None
        and facts.baseline
        and facts.eight_bit
        and facts.channels == 3
        and not facts.own_colours
        and not facts.turned
        and min(facts.width, facts.height) >= 2 * side
    )
    return facts.width * facts.height if facts is not None and suits else 0


def _turned(exif: bytes) -> bool:
    from PIL import Image

    read = Image.Exif()
    try:
        read.load(exif)
        return int(read.get(0x0112, 1)) != 1
    except Exception:  # a broken block must not cost the picture: let the careful reader look at it
        return True
