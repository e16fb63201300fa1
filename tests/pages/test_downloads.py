"""What can be taken along from the Quality page opens elsewhere."""

from __future__ import annotations

import io
import zipfile

from clustering.ui import judging
from tests.pages.test_quality import deep


def test_the_report_is_one_page_about_this_run(workspace):
    page = judging.report(deep(workspace).id).decode()
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "Forty pictures" in page
    assert "<script>alert" not in page


def test_the_model_travels_with_what_it_takes_to_make_it_again(workspace):
    with zipfile.ZipFile(io.BytesIO(judging.model(deep(workspace).id))) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert "run.json" in names
    assert any(name.startswith("model/") for name in names)


def test_the_figures_travel_as_csv(workspace):
    import pandas as pd

    rows = workspace.quality(deep(workspace).id)
    table = pd.read_csv(io.BytesIO(judging.csv(rows)))
    assert table["value"].tolist() == pd.Series([row["value"] for row in rows], dtype=float).tolist()
