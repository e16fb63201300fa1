"""The figures of a run as tables a person can read: with labels, without, of its map, beside other runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import streamlit as st

from clustering.ui import state
from clustering.ui.trouble import plain
from clustering.words import KINDS, duration, figure

if TYPE_CHECKING:
    import pandas as pd

    from clustering.workspace import RunRecord

Rows = Sequence[Mapping[str, Any]]

HEADLINES = ("nmi", "ari", "accuracy", "purity", "links_within", "modularity", "conductance")
FIGURES = ("NMI (arithmetic)", "ARI", "ACC", "Modularity", "Silhouette, features", "Silhouette, latent")
BY_CONSTRUCTION = (
    "In the latent space of a deep method these figures rise by construction, even on data without any "
    "groups. Compare methods in the feature space, which training does not touch."
)


def against(rows: Rows, column: str) -> list[Mapping[str, Any]]:
    """Return the figures measured against a reference column."""
    return [row for row in rows if row["group"] == "with labels" and row.get("column") == column]


def headline(rows: Rows) -> None:
    """Show the figures people quote, each with its 95 % interval."""
    shown = [row for name in HEADLINES for row in rows if row["name"] == name]
    with st.container(horizontal=True, gap="medium"):
        for row in shown:
            with st.container(width=210, gap="xxsmall"):
                st.metric(row["title"], figure(row["value"]), help=row["note"] or None)
                st.caption(interval(row))


def interval(row: Mapping[str, Any]) -> str:
    """Return how sure a figure is, in words; a range stays on one line."""
    if row.get("low") is not None:
        return f"{figure(row['low'])}\u2060–\u2060{figure(row['high'])}\u00a0(95\u00a0%)"
    if row.get("standard_error") is not None:
        return f"± {figure(row['standard_error'])} (standard error)"
    return f"all {row['n_used']:,} items"


def still(columns: pd.DataFrame | Mapping[str, Sequence[object]]) -> None:
    """Show a small table as it stands: a browser draws it in a fraction of the time of a grid."""
    import pandas as pd

    cells = pd.DataFrame(columns).astype(str).map(plain).rename(columns=plain)
    st.table(cells, border="horizontal", hide_index=True)


def table(rows: Rows) -> pd.DataFrame:
    """Return figures as a table, one row each."""
    import pandas as pd

    return pd.DataFrame(
        {
            "Measure": [f"{row['title']} {arrow(row)}" for row in rows],
            "Value": [figure(row["value"]) for row in rows],
            "How sure": [interval(row) for row in rows],
            "Note": [row["note"] for row in rows],
        }
    )


def arrow(row: Mapping[str, Any]) -> str:
    """Return which way is better."""
    return "▲" if row["higher_is_better"] else "▼"


def side_by_side(rows: Rows) -> pd.DataFrame:
    """Return the label-free figures in both spaces beside one another: fixed features first, then latent."""
    import pandas as pd

    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["group"] != "without labels":
            continue
        entry = found.setdefault(f"{row['title']} {arrow(row)}", {"Note": row["note"]})
        entry[row["space"] or "features"] = row["value"]
        if row["space"] == "features":
            entry["Note"] = row["note"]
    return pd.DataFrame(
        {
            "Measure": list(found),
            "In the features": [figure(entry.get("features")) for entry in found.values()],
            "In the latent space": [figure(entry.get("latent")) for entry in found.values()],
            "Note": [entry["Note"] for entry in found.values()],
        }
    )


def of_links(rows: Rows, names: Sequence[str]) -> pd.DataFrame:
    """Return the links of every group as a table: those within, those that lead out, the conductance."""
    import pandas as pd

    own = [row for row in rows if row["group"] == "links" and row.get("detail") == "links"]
    return pd.DataFrame(
        {
            "Group": [names[int(row["cluster"])] for row in own],
            "Links within": [int(row["inside"]) for row in own],
            "Links leading out": [int(row["leaving"]) for row in own],
            "Conductance ▼": [figure(row["value"]) for row in own],
        }
    )


def beside(current: RunRecord, column: str | None) -> pd.DataFrame:
    """Return every run on the same features as a table, best first."""
    import pandas as pd

    rows = []
    for record in state.workspace().runs(feature_id=current.feature_id):
        summary = record.summary
        row: dict[str, Any] = {
            "Run": record.name,
            "Kind": KINDS[record.family],
            "Groups": record.n_clusters,
            "Seed": record.seed,
        }
        if column:
            row |= {
                "NMI (arithmetic)": summary.get(f"nmi:{column}"),
                "ARI": summary.get(f"ari:{column}"),
                "ACC": summary.get(f"accuracy:{column}"),
            }
        if "modularity:" in summary:
            row["Modularity"] = summary["modularity:"]
        row |= {
            "Silhouette, features": summary.get("silhouette:features"),
            "Silhouette, latent": summary.get("silhouette:latent"),
            "Took": duration(record.seconds),
            "": "this run" if record.id == current.id else "",
        }
        rows.append(row)
    by = "NMI (arithmetic)" if column else "Silhouette, features"
    frame = pd.DataFrame(rows)
    if by in frame:
        frame = frame.sort_values(by, ascending=False, na_position="last")
    return frame.round(3)


def csv(rows: Rows) -> bytes:
    """Return every figure of a run as CSV."""
    import pandas as pd

    return pd.DataFrame(list(rows)).to_csv(index=False).encode("utf-8-sig")


def report(run_id: str) -> bytes:
    """Return a run as one HTML page."""
    from clustering.cli.taking import report_file

    return report_file(state.workspace(), run_id)


def model(run_id: str) -> bytes:
    """Return the fitted model of a run, with its ``run.json``, as a ZIP file."""
    folder = state.workspace().run(run_id).folder
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.write(folder / "run.json", "run.json")
        for path in sorted((folder / "model").rglob("*")):
            archive.write(path, f"model/{path.relative_to(folder / 'model')}")
    return stream.getvalue()


@st.cache_data(show_spinner=False, max_entries=16)
def silhouettes(run_id: str, space: str, size: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and simplified silhouettes of a run's items, or of a sample with the same shares.

    Raises
    ------
    StudioError
        When there are fewer than two groups.
    """
    from clustering.metrics.internal import simplified_silhouette, stratified_rows

    workspace = state.workspace()
    run, arrays = workspace.run(run_id), workspace.run_arrays(run_id)
    labels = np.asarray(arrays.labels)
    rows = stratified_rows(labels, size, run.seed)
    points = workspace.features(run.feature_id) if space == "features" else arrays.latents
    return labels[rows], simplified_silhouette(np.asarray(points[rows]), labels[rows])
