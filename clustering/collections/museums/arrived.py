"""What came from a museum and what did not: whole pictures, rows of metadata, sentences on the rest."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from clustering.collections.collection import Finding
from clustering.collections.gathering import Row
from clustering.collections.museums.museum import MuseumInfo, Work
from clustering.words import several

LONGEST_SIDE = 20_000  # pixels
MOST_PIXELS = 100_000_000
_ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif"}


def form_of(picture: bytes) -> tuple[str, str]:
    """Return the file ending of a picture that decodes to its end, or "" and why it does not."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture)) as image:
            width, height = image.size
            if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
                return "", "too large"
            ending = _ENDINGS.get(image.format or "", "")
            image.load()
    except UnidentifiedImageError:
        return "", "no picture"
    except Image.DecompressionBombError:
        return "", "too large"
    except (OSError, ValueError, SyntaxError):
        return "", "cut off or damaged"
    return ending, "" if ending else f"of the form {image.format}"


def row_of(info: MuseumInfo, work: Work, ending: str) -> Row:
    """Return a work's row of metadata; missing values are empty."""
    told: Mapping[str, Any] = asdict(work)
    row: Row = {"file": f"{info.name}-{re.sub(r'[^0-9A-Za-z]+', '-', work.work_id)}.{ending}"}
    for key, value in told.items():
        if key not in ("image_url", "work_id"):
            row[key] = "" if value is None else value
    return {**row, "museum": info.title, "work_id": work.work_id}


def reasons(missed: dict[str, str]) -> str:
    """Return why works were missed, most frequent reason first."""
    return ", ".join(f"{count} {reason}" for reason, count in Counter(missed.values()).most_common(4))


def findings_on(missed: dict[str, str], fetched: int, limit: int) -> list[Finding]:
    """Return what the collection check should say of works that did not come."""
    findings = []
    if missed:
        sentence = f"{several(len(missed), 'work')} found by the museum left out: {reasons(missed)}."
        findings.append(Finding("not fetched", len(missed), sentence, tuple(list(missed)[:20])))
    if fetched < limit:
        sentence = (
            f"{fetched} of the {several(limit, 'work')} asked for came: the museum has no more that fit."
        )
        findings.append(Finding("fewer works", limit - fetched, sentence, ()))
    return findings
