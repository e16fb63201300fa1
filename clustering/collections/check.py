"""The collection check: what was odd about the data, and what was done about it, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.collection import Finding
from clustering.collections.columns import listed, shortened
from clustering.collections.pictures import PIXEL_LIMIT
from clustering.collections.survey import Survey
from clustering.words import several

TINY = 32  # pixels, shorter side
BLANK = 2.0  # grey levels, standard deviation of the thumbnail
FEW = 10  # items; below it hardly any method has something to say
EXAMPLES = 20
NAME = 40  # letters of a group in a sentence

_CONVERSIONS = {
    "rotated": "turned upright as their EXIF data say",
    "animated": "animated: their first frame is used",
    "transparent": "transparent: laid on white",
    "palette": "palette colours turned into RGB",
    "cmyk": "CMYK turned into RGB",
    "16-bit": "more than 8 bits a channel scaled to 8",
    "greyscale": "greyscale, used as grey RGB",
    "other colours": "of other colour spaces turned into RGB",
}


def unreadable_findings(names: Sequence[str], seen: Survey) -> list[Finding]:
    """List the files that could not be used, before they are left out."""
    findings = []
    for subject, chosen, sentence in (
        ("unreadable", ~seen.readable & ~seen.too_large, "{} could not be read and left out: {}."),
        (
            "too large",
            seen.too_large,
            f"{{}} of more than {PIXEL_LIMIT // 1_000_000} megapixels left out: {{}}. Save them smaller.",
        ),
    ):
        rows = np.flatnonzero(chosen)
        if len(rows):
            reasons = [f"{names[row]} ({seen.problem[row]})" for row in rows[:EXAMPLES]]
            findings.append(
                Finding(
                    subject,
                    len(rows),
                    sentence.format(several(len(rows), "file"), listed(reasons, 3)),
                    tuple(reasons),
                )
            )
    return findings


def picture_findings(
    ids: Sequence[str], width: NDArray[np.int32], height: NDArray[np.int32], spread: NDArray[np.float32],
    notes: NDArray[np.str_], repeats: NDArray[np.int64],
) -> list[Finding]:  # fmt: skip
    """Say which pictures repeat others, are tiny or blank, or had to be converted."""
    findings = duplicate_findings(ids, repeats, "picture")

    def add(subject: str, chosen: NDArray[np.bool_], sentence: str) -> None:
        rows = np.flatnonzero(chosen)
        if len(rows):
            examples = tuple(ids[row] for row in rows[:EXAMPLES])
            findings.append(
                Finding(subject, len(rows), sentence.format(several(len(rows), "picture")), examples)
            )

    add(
        "tiny",
        np.minimum(width, height) < TINY,
        f"{{}} with a side below {TINY} pixels; kept. Raw pixels suit them better than a pretrained network.",
    )
    add("blank", spread < BLANK, "{} of nearly one colour; kept.")
    done = Counter(note for text in notes for note in text.split(",") if note)
    converted = int(np.count_nonzero(notes != ""))
    if converted:
        parts = "; ".join(f"{number:,} {_CONVERSIONS[note]}" for note, number in done.most_common())
        add(
            "converted",
            notes != "",
            f"{{}} read in another form than stored: {parts}. The files are as they were.",
        )
    return findings


def duplicate_findings(ids: Sequence[str], repeats: NDArray[np.int64], what: str = "row") -> list[Finding]:
    """Say which rows, or what else they stand for, repeat an earlier one (-1 for none)."""
    rows = np.flatnonzero(repeats >= 0)
    if not len(rows):
        return []
    who = several(len(rows), f"{what} repeats", f"{what}s repeat")
    sentence = f"{who} an earlier one; kept, and marked in the column “duplicate_of”."
    return [Finding("duplicates", len(rows), sentence, tuple(ids[row] for row in rows[:EXAMPLES]))]


def column_findings(
    table: pd.DataFrame, labels: Sequence[str], *, constant: str, missing: str
) -> list[Finding]:
    """Say which columns are constant, have gaps, and how even the groups of the labels are.

    Parameters
    ----------
    table : pandas.DataFrame
        The columns that came with the data.
    labels : sequence of str
        Those that may serve as reference labels.
    constant, missing : str
        What was done about constant columns and about gaps.
    """
    n = len(table)
    findings = []
    flat = [str(name) for name in table if table[name].nunique(dropna=True) <= 1]
    if flat:
        verb = "holds" if len(flat) == 1 else "hold"
        findings.append(
            Finding(
                "constant",
                len(flat),
                f"{several(len(flat), 'column')} {verb} one value or none ({listed(flat)}); {constant}.",
                tuple(flat[:EXAMPLES]),
            )
        )
    gaps = {str(name): int(table[name].isna().sum()) for name in table}
    gaps = {name: gap for name, gap in sorted(gaps.items(), key=lambda entry: -entry[1]) if gap}
    if gaps:
        shares = [f"{name} ({_share(gap, n)})" for name, gap in gaps.items()]
        findings.append(
            Finding(
                "missing",
                len(gaps),
                f"{several(len(gaps), 'column')} with missing values: {listed(shares)}; {missing}.",
                tuple(shares[:EXAMPLES]),
            )
        )
    findings += [_balance(table[name]) for name in labels[:5]]
    return findings


def few_findings(n: int) -> list[Finding]:
    """Warn of a collection that is too small for most methods."""
    if n >= FEW:
        return []
    return [
        Finding(
            "few", n, f"Only {several(n, 'item')}: groups found here will mean little. Add more if you can."
        )
    ]


def originals_findings(root: Path, facts: pd.DataFrame) -> tuple[Finding, ...]:
    """Compare originals with their size and time of change when they were loaded."""
    gone, changed = [], []
    for name, size, modified in facts[["path", "size", "modified"]].itertuples(index=False):
        try:
            now = (root / name).stat()
        except OSError:
            gone.append(name)
            continue
        if (now.st_size, now.st_mtime_ns) != (size, modified):
            changed.append(name)
    findings = []
    if gone:
        findings.append(
            Finding(
                "gone",
                len(gone),
                f"{several(len(gone), 'original')} no longer in {root}; thumbnails remain. Put them back.",
                tuple(gone[:EXAMPLES]),
            )
        )
    if changed:
        findings.append(
            Finding(
                "changed",
                len(changed),
                f"{several(len(changed), 'original')} changed since the load. "
                "Load again to use the new ones.",
                tuple(changed[:EXAMPLES]),
            )
        )
    return tuple(findings)


def _balance(column: pd.Series) -> Finding:  # type: ignore[type-arg]
    sizes = column.value_counts()
    groups = [f"{shortened(str(value), NAME)}: {size:,}" for value, size in sizes.items()]
    ratio = sizes.iloc[0] / max(1, sizes.iloc[-1])
    verdict = (
        "even"
        if ratio < 1.5
        else f"the largest {ratio:.0f} times the smallest"
        if ratio >= 2
        else "nearly even"
    )
    return Finding(
        "balance",
        len(sizes),
        f"“{column.name}” has {len(sizes)} groups, {verdict} ({listed(groups, 3)}); it can be the reference.",
        tuple(groups[:EXAMPLES]),
    )


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 else "< 1 %"
