"""The container points travel in to the browser: a header, then named arrays, aligned and little-endian.

Layout: ``b"DCSM"``; length of the header as ``uint32``; the header, JSON with ``n``, ``sections`` as
``[name, type, size]`` and ``options``, padded so that the arrays begin at a multiple of 8; then each array,
padded to a multiple of 8 bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError

MAGIC = b"DCSM"
MISSING = 65535  # code of an item without a group
FILTERED = 1  # flag: left out by a filter
SELECTED = 2  # flag: in the selection
_TYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype("<f4"),
    "u32": np.dtype("<u4"),
    "u16": np.dtype("<u2"),
    "u8": np.dtype("u1"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}


def pack(sections: Mapping[str, NDArray[Any]], options: Mapping[str, Any] | None = None) -> bytes:
    """Return the container of some arrays.

    Parameters
    ----------
    sections : mapping of str to float32, uint32, uint16 or uint8 array
    options : mapping, optional
        JSON-ready settings for the map.
    """
    arrays = {name: np.ascontiguousarray(values).ravel() for name, values in sections.items()}
    n = len(arrays["codes"]) if "codes" in arrays else len(arrays.get("xy", ())) // 2
    described = [
        [name, _NAMES[values.dtype.newbyteorder("<")], values.size] for name, values in arrays.items()
    ]
    header = {"n": n, "sections": described, "options": dict(options or {})}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 8)
    parts = [MAGIC, len(text).to_bytes(4, "little"), text]
    for values in arrays.values():
        raw = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        parts += [raw, b"\0" * (-len(raw) % 8)]
    return b"".join(parts)


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the options and arrays of a container.

    Raises
    ------
    StudioError
        When the bytes are not one.
    """
    if blob[:4] != MAGIC:
        raise StudioError("These bytes are not a latent map.", "Make them with `pack`.")
    length = int.from_bytes(blob[4:8], "little")
    header = json.loads(blob[8 : 8 + length])
    sections: dict[str, NDArray[Any]] = {}
    offset = 8 + length
    for name, kind, size in header["sections"]:
        dtype: np.dtype[Any] = _TYPES[kind]
        sections[name] = np.frombuffer(blob, dtype, size, offset)
        offset += size * dtype.itemsize
        offset += -offset % 8
    return header["options"], sections


def point_sections(positions: ArrayLike, aspects: ArrayLike | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays that stay while only colours change.

    Parameters
    ----------
    positions : array-like (n, 2)
        Finite map coordinates; sent as float32.
    aspects : array-like (n,), optional
        Width over height of each picture; sent as one byte, ``128 + 32 log2``.

    Raises
    ------
    StudioError
        When the shape is another or a coordinate is not a number.
    """
    xy = np.asarray(positions, dtype=np.float32)
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise StudioError(
            f"A map needs two coordinates an item, but got an array of shape {xy.shape}.",
            "Give an array of shape (n, 2).",
        )
    lost = int((~np.isfinite(xy)).any(axis=1).sum())
    if lost:
        raise StudioError(
            f"{lost} of {len(xy)} map positions are not numbers.", "Compute the projection again."
        )
    sections: dict[str, NDArray[Any]] = {"xy": xy}
    if aspects is not None:
        ratio = np.nan_to_num(np.asarray(aspects, dtype=np.float64), nan=1.0).clip(1 / 15, 15)
        sections["aspect"] = np.round(128 + 32 * np.log2(ratio)).astype(np.uint8)
    return sections


def edge_sections(edges: ArrayLike) -> dict[str, NDArray[Any]]:
    """Return the links of a graph, int (e, 2), as the map reads them: both ends of one, then of the next."""
    return {"edges": np.asarray(edges, dtype=np.uint32).ravel()}


def layer_sections(
    codes: ArrayLike,
    confidence: ArrayLike | None = None,
    visible: ArrayLike | None = None,
    selected: ArrayLike | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the arrays that say how items look.

    Parameters
    ----------
    codes : int array-like (n,)
        Group (or step of the ramp) of each item, -1 for none.
    confidence : array-like (n,), optional
        0..1; sent as one byte.
    visible : bool array-like (n,), optional
        False greys an item as filtered out.
    selected : int array-like, optional
        Indices of the selected items.

    Raises
    ------
    StudioError
        When there are more than 65,535 groups.
    """
    codes = np.asarray(codes)
    highest = int(codes.max(initial=-1))
    if highest >= MISSING:
        raise StudioError(
            f"A map can colour 65,535 groups at most, but the highest is {highest}.",
            "Colour by another column.",
        )
    sections: dict[str, NDArray[Any]] = {"codes": np.where(codes < 0, MISSING, codes).astype(np.uint16)}
    if confidence is not None:
        share = np.nan_to_num(np.asarray(confidence, dtype=np.float32)).clip(0, 1)
        sections["confidence"] = np.round(share * 255).astype(np.uint8)
    if visible is not None or selected is not None:
        flags = np.zeros(len(codes), np.uint8)
        if visible is not None:
            flags[~np.asarray(visible, dtype=bool)] |= FILTERED
        if selected is not None:
            flags[np.asarray(selected, dtype=np.int64)] |= SELECTED
        sections["flags"] = flags
    return sections
