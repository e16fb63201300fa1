"""What leaves the studio: a picture with its origin, tables no spreadsheet runs, a report without a net."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

import clustering.charts as charts
from clustering.charts.report import Gallery, Report
from clustering.errors import StudioError
from clustering.metrics.quality import Quality

NASTY = '<script>alert("1")</script> $x_2$ & co'


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(60, 2))


@pytest.fixture
def items():
    return pd.DataFrame(
        {
            "id": [f"item-{i}" for i in range(4)],
            "path": ["secret/a.jpg"] * 4,
            "title": ["Sea", "=1+1", "-3", None],
            "label": ["x", "y", "x", "y"],
            "year": [1900, 1901, None, -44],
        }
    )


@pytest.mark.parametrize("n_groups", [1, 8, 45])
def test_the_map_is_a_picture_of_the_asked_size(points, n_groups):
    labels = np.arange(60) % n_groups - (n_groups == 8)  # with unassigned items among eight
    content = charts.map_picture(points, labels, width=8, dpi=25, theme="dark", title=NASTY, names=[NASTY])
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    assert picture.size == (200, 144)
    assert picture.getpixel((1, 100)) == (0x15, 0x17, 0x1A)
    assert len(picture.getcolors(maxcolors=100_000)) > 10


def test_the_svg_map_holds_legend_counts_and_origin_as_text(points):
    line = charts.provenance_line(method="DEC", seed=0, projection="UMAP", trustworthiness=0.98765, note=None)
    assert line == "method DEC · seed 0 · projection UMAP · trustworthiness 0.988"
    svg = charts.map_picture(
        points, [0] * 50 + [1] * 10, format="svg", names=[NASTY], title=NASTY, provenance=line
    ).decode()
    texts = [
        "".join(node.itertext()).strip()
        for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert NASTY in texts
    assert line in texts
    assert "Group 2 (10)" in texts
    assert any(text.startswith("1") and text.endswith("(50)") for text in texts)


def test_the_same_map_gives_the_same_bytes(points):
    for kind in ("png", "svg"):
        first, second = (charts.map_picture(points, [0] * 60, format=kind, width=3, dpi=40) for _ in range(2))
        assert first == second


def test_a_map_of_nothing_and_a_map_without_groups_can_be_drawn(points):
    assert charts.map_picture(np.zeros((0, 2)), [], width=3, dpi=40).startswith(b"\x89PNG")
    assert charts.map_picture(points, width=3, dpi=40).startswith(b"\x89PNG")


def test_drawing_leaves_the_settings_of_matplotlib_alone(points):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    charts.map_picture(points, [0] * 60, width=3, dpi=40)
    assert dict(mpl.rcParams) == before


def test_a_map_whose_labels_do_not_fit_is_refused_in_a_sentence(points):
    with pytest.raises(StudioError, match="60 points but 2 labels"):
        charts.map_picture(points, [0, 1])
    with pytest.raises(StudioError, match=r"shape \(60, 1\)"):
        charts.map_picture(points[:, :1])


def test_the_table_has_one_row_an_item_with_label_confidence_q_and_metadata(items):
    q = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
    table = charts.labels_table(items, [0, 1, -1, 0], q, names=["Seas"], points=np.zeros((4, 2)))
    assert list(table.columns) == [
        "id",
        "label",
        "group",
        "confidence",
        "map_x",
        "map_y",
        "q_1",
        "q_2",
        "title",
        "label (metadata)",
        "year",
    ]
    assert list(table["group"]) == ["Seas", "Group 2", "Unassigned", "Seas"]
    np.testing.assert_allclose(table["confidence"], [0.9, 0.8, 0.5, 1.0])
    assert list(table["label (metadata)"]) == ["x", "y", "x", "y"]


def test_rows_that_do_not_belong_to_the_labels_are_refused_in_a_sentence(items):
    with pytest.raises(StudioError, match="3 labels but 4 items"):
        charts.labels_table(items, [0, 1, 1])
    with pytest.raises(StudioError, match="4 labels but 2 rows of q"):
        charts.labels_table(items, [0, 1, 1, 0], np.zeros((2, 2)))


def test_a_csv_for_spreadsheets_holds_no_formula_and_says_what_was_changed(items):
    content, notes = charts.labels_csv(charts.labels_table(items, [0, 1, 1, 0]))
    read = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    assert list(read["title"]) == ["Sea", "'=1+1", "-3", ""]
    assert list(read["year"]) == ["1900", "1901", "", "-44"]
    assert len(notes) == 1
    assert notes[0].startswith("1 cell began with a sign")


def test_a_csv_for_programs_and_a_parquet_file_hold_every_text_unchanged(items):
    table = charts.labels_table(items, [0, 1, 1, 0])
    content, notes = charts.labels_csv(table, for_spreadsheets=False)
    assert notes == ()
    assert list(pd.read_csv(io.BytesIO(content), dtype=str)["title"][:3]) == ["Sea", "=1+1", "-3"]
    again = pd.read_parquet(io.BytesIO(charts.labels_parquet(table)))
    assert list(again["title"][:3]) == ["Sea", "=1+1", "-3"]
    assert list(again["label"]) == [0, 1, 1, 0]


def test_a_column_of_mixed_types_is_written_to_parquet_as_text(items):
    mixed = items.assign(year=pd.Series([1900, "c. 1850", None, 3.5], dtype=object))
    table = charts.labels_table(mixed, [0, 1, 1, 0])
    assert list(pd.read_parquet(io.BytesIO(charts.labels_parquet(table)))["year"].dropna()) == [
        "1900",
        "c. 1850",
        "3.5",
    ]


@example(["\r", "a\rb", "=1\n2"])
@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_no_cell_of_a_csv_for_spreadsheets_begins_as_a_formula(texts):
    table = pd.DataFrame({"title": pd.Series(texts, dtype=object)})
    content, notes = charts.labels_csv(table)
    read = [row[0] for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row][1:]
    for made, text in zip(read, texts, strict=True):
        assert made in (text, f"'{text}")
        if made.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
            float(made)  # a plain number is all that may begin so
    assert bool(notes) == (read != texts)


def test_a_heading_that_would_run_is_made_harmless_too():
    content, notes = charts.labels_csv(pd.DataFrame({"=cmd()": [1]}))
    assert content.decode("utf-8-sig").startswith("'=cmd()")
    assert notes


class Page(HTMLParser):
    """Collects tags, links and text of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def report(points):
    rows = [
        Quality("nmi", "NMI", 0.5, "with labels", "", True, 60, low=0.4, high=0.6),
        Quality("silhouette", "Silhouette", 0.2, "without labels", "features", True, 60, standard_error=0.01),
        Quality("silhouette", "Silhouette", 0.9, "without labels", "latent", True, 60, note=NASTY),
        Quality("ari", "ARI", None, "with labels", "", True, 60),
    ]
    picture = charts.map_picture(points, [0] * 60, width=2, dpi=30)
    return Report(
        title=NASTY,
        summary=NASTY,
        facts={NASTY: {NASTY: NASTY}, "Environment": {"torch": "2.14"}},
        qualities={NASTY: rows, "k-means": rows[:1]},
        map_picture=picture,
        map_caption=NASTY,
        galleries=[
            Gallery(0, 1, "#E69F00", pictures=[(picture, NASTY)]),
            Gallery(1, 2000, "#56B4E9", name=NASTY, words=NASTY, examples=[NASTY]),
        ],
        notes=[NASTY, "Island sizes mean little."],
    )


def test_the_report_shows_all_text_as_text_and_runs_nothing(report):
    page = Page(charts.report_html(report))
    assert "script" not in page.tags
    assert page.text.count(NASTY) >= 11
    assert "default-src 'none'" in charts.report_html(report)


def test_the_report_fetches_nothing(report):
    sources = Page(charts.report_html(report)).sources
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_the_report_names_spaces_intervals_notes_and_what_is_missing(report):
    text = " ".join(Page(charts.report_html(report)).text.split())
    for said in (
        "0.500 [0.400, 0.600]",
        "0.200 ± 0.010",
        "–",
        "fixed features",
        "learned latent space",
        "Group 1 1 item",
        "2,000 items",
        "Island sizes mean little.",
        "What not to read into it",
    ):
        assert said in text


def test_a_report_of_little_is_still_a_page():
    text = Page(charts.report_html(Report(title="Nothing yet"))).text
    assert "Nothing yet" in text
    assert "Quality" not in text
