"""A run as one page that needs nothing else: open it anywhere, print it, put it beside a paper."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from clustering.charts.palette import THEMES, cluster_glyph, group_name
from clustering.metrics.quality import Quality

SPACES = {"features": "fixed features", "latent": "learned latent space", "map": "map", "": ""}
GROUPS = ("with labels", "without labels", "links", "confidence", "stability", "projection")
SIGNATURES = {b"\x89PNG": "image/png", b"RIFF": "image/webp", b"\xff\xd8": "image/jpeg"}


@dataclass(frozen=True)
class Gallery:
    """One group as the report shows it.

    Parameters
    ----------
    label : int
    count : int
        Items in the group.
    color : str
        Its colour on the map.
    name : str
        Empty for “Group 3”.
    pictures : sequence of (bytes, str)
        Small PNG, WebP or JPEG files and their captions, typical items first.
    words : str
        What its texts or words have in common, as a line.
    examples : sequence of str
        How typical texts begin, or typical words in their sentences.
    """

    label: int
    count: int
    color: str
    name: str = ""
    pictures: Sequence[tuple[bytes, str]] = ()
    words: str = ""
    examples: Sequence[str] = ()

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.name or group_name(self.label)

    @property
    def glyph(self) -> str:
        """Its symbol."""
        return cluster_glyph(self.label)


@dataclass(frozen=True)
class Report:
    """Everything a report says. All texts are shown letter by letter, whatever they hold.

    Parameters
    ----------
    title : str
    summary : str
        One or two sentences: what was clustered, by what, into how many groups.
    created : str
        When the run was finished.
    facts : dict of str to dict
        Tables of names and values by heading: collection, features, method, parameters, environment.
    qualities : dict of str to sequence of Quality
        Title of a run → its measures: this run first, then the plain methods beside it.
    map_picture : bytes
        PNG; empty when there is no map.
    map_caption : str
    galleries : sequence of Gallery
    notes : sequence of str
        What not to read into it: the honesty of the projection, reconstructed methods, findings of the
        collection check, what was capped or changed.
    language : str
        Of the document.
    """

    title: str
    summary: str = ""
    created: str = ""
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    qualities: Mapping[str, Sequence[Quality]] = field(default_factory=dict)
    map_picture: bytes = b""
    map_caption: str = ""
    galleries: Sequence[Gallery] = ()
    notes: Sequence[str] = ()
    language: str = "en"


def report_html(report: Report) -> str:
    """Return a report as one HTML page without scripts; pictures are inside, nothing is fetched."""
    return _template().render(report=report, colors=THEMES["light"], measures=_measures(report.qualities))


def _measures(qualities: Mapping[str, Sequence[Quality]]) -> list[dict[str, Any]]:
    """Return the quality table: one row a measure and space, one cell a run."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for run, measured in qualities.items():
        for quality in measured:
            row = rows.setdefault(
                (quality.name, quality.space),
                {
                    "group": quality.group,
                    "title": f"{quality.title} {quality.arrow}",
                    "space": SPACES.get(quality.space, quality.space),
                    "note": quality.note,
                    "cells": {},
                },
            )
            row["cells"][run] = _figure(quality)
    ordered = sorted(
        rows.values(), key=lambda row: GROUPS.index(row["group"]) if row["group"] in GROUPS else 99
    )
    return [{**row, "cells": [row["cells"].get(run, "") for run in qualities]} for row in ordered]


def _figure(quality: Quality) -> str:
    if quality.value is None:
        return "–"
    value = f"{quality.value:,.3f}" if abs(quality.value) < 1000 else f"{quality.value:,.0f}"
    if quality.low is not None and quality.high is not None:
        return f"{value} [{quality.low:.3f}, {quality.high:.3f}]"
    return f"{value} ± {quality.standard_error:.3f}" if quality.standard_error else value


def _data_uri(content: bytes) -> str:
    kind = next(
        (kind for signature, kind in SIGNATURES.items() if content.startswith(signature)), "image/png"
    )
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("clustering.charts", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    return environment.get_template("report.html.jinja")
