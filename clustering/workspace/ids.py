"""Short names a person can read and say, unique within a workspace."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable

from clustering.errors import StudioError

PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def slug(text: str, longest: int = 32) -> str:
    """Return ``text`` in lower-case ASCII letters, digits and single hyphens, or ``"untitled"``."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:longest].strip("-") or "untitled"


def new_id(text: str, taken: Callable[[str], bool]) -> str:
    """Return a fresh id such as ``"paintings-3f2a"``."""
    stem = slug(text)
    for digits in (4, 4, 4, 6, 8):
        candidate = f"{stem}-{secrets.token_hex(digits // 2)}"
        if not taken(candidate):
            return candidate
    raise StudioError(f"No free id was found for “{text}”.", "Try again.")


def checked_id(text: str) -> str:
    """Return ``text`` when it can be an id, so that no id ever becomes a path elsewhere.

    Raises
    ------
    StudioError
        When it holds anything but lower-case letters, digits and hyphens.
    """
    if not PATTERN.fullmatch(text):
        raise StudioError(f"“{text}” is not an id.", "Ids look like “paintings-3f2a”.")
    return text
