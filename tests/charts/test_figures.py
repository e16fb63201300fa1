"""Charts draw what they were given, in both themes, from nothing to forty groups, and show text as text."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import clustering.charts as charts
from clustering.charts import palette
from clustering.charts.confusion import cross_table
from clustering.charts.style import escaped, shortened
from clustering.errors import StudioError
from clustering.metrics.quality import Quality

NASTY = '<script>alert("1")</script> & <b>co</b>'


def epoch(phase, number, losses, sizes=(), changed=None):
    return {
        "kind": "epoch",
        "phase": phase,
        "epoch": number,
        "epochs": 5,
        "losses": losses,
        "cluster_sizes": sizes,
        "changed": changed,
        "figures": {NASTY: changed},
    }


ROWS = [
    {"kind": "started", "method": "dec"},
    *(epoch("pretrain", e, {"reconstruction": 100.0 / e}) for e in range(1, 6)),
    *(
        epoch("cluster", e, {"reconstruction": 2.0, "kl": 0.5 / e, "total": 2.5}, (60, 30, 10), 0.2 / e)
        for e in range(1, 6)
    ),
]


def measure(name, value, space="", group="without labels", **more):
    return Quality(name, name.title(), value, group, space, True, 100, **more)


def drawn(kind: str, theme: str, n_groups: int) -> go.Figure:
    random_state = np.random.default_rng(0)
    points = random_state.normal(size=(10 * n_groups, 2))
    labels = np.arange(len(points)) % max(n_groups, 1)
    names = [NASTY] * n_groups
    sizes = tuple([10] * n_groups)
    rows = [epoch("cluster", 1, {NASTY: 1.0}, sizes, 0.5), epoch("cluster", 2, {NASTY: 0.5}, sizes, 0.1)]
    rows = rows if n_groups else []
    texts = pd.Series([NASTY] * len(points), dtype=object)
    runs = {NASTY: [measure("nmi", 0.5, low=0.4, high=0.6, note=NASTY)]} if n_groups else {}
    return {
        "losses": lambda: charts.loss_curves(rows, theme),
        "sizes over epochs": lambda: charts.size_curves(rows, theme, names=names),
        "changed": lambda: charts.changed_curve(rows, theme, tolerance=0.001),
        "figures": lambda: charts.figure_curves(rows, theme),
        "sizes": lambda: charts.cluster_sizes(labels, theme, names=names),
        "confidence": lambda: charts.confidence_histogram(
            random_state.uniform(size=len(points)), n_groups, theme
        ),
        "silhouette": lambda: charts.silhouette_plot(
            random_state.uniform(-1, 1, len(points)), labels, theme, names=names
        ),
        "assignment": lambda: charts.assignment_bars(
            np.full(n_groups, 1 / max(n_groups, 1)), theme, names=names
        ),
        "comparison": lambda: charts.quality_comparison(runs, theme, current=NASTY),
        "recovery": lambda: charts.recovery_bars(dict.fromkeys(range(n_groups), 0.7), theme, names=names),
        "strip": lambda: charts.projection_strip(
            [measure(NASTY, 0.9, "map", "projection")] * bool(n_groups), theme
        ),
        "scatter": lambda: charts.scatter(points, theme, labels=labels, texts=texts, axes=(NASTY, NASTY)),
        "scatter of values": lambda: charts.scatter(points, theme, values=points[:, 0], value_name=NASTY),
        "map": lambda: charts.latent_map_figure(
            points, labels, pd.DataFrame({"title": texts, NASTY: texts}), theme, names=names
        ),
    }[kind]()


KINDS = [
    "recovery",
    "losses",
    "sizes over epochs",
    "changed",
    "figures",
    "sizes",
    "confidence",
    "silhouette",
    "assignment",
    "comparison",
    "strip",
    "scatter",
    "scatter of values",
    "map",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_groups", [0, 1, 8, 40])
def test_a_chart_draws_from_nothing_to_forty_groups_and_never_lets_text_become_markup(kind, n_groups):
    for theme in ("light", "dark"):
        written = drawn(kind, theme, n_groups).to_json()
        assert "<script" not in json.loads(json.dumps(written)).replace("\\u003c", "<")
        assert "<b>co" not in written.replace("\\u003c", "<")
        assert palette.THEMES[theme].ink in written
        assert '"paper_bgcolor":"rgba(0,0,0,0)"' in written


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_chart_says_why_it_is_empty(kind):
    figure = drawn(kind, "light", 0)
    assert not figure.data
    assert figure.layout.annotations[0].text.endswith(".")


def test_what_a_method_tells_beside_its_losses_is_a_line_from_the_epoch_it_begins_with():
    figure = charts.figure_curves(ROWS)
    assert list(figure.data[0].y) == [None] * 5 + [0.2, 0.1, 0.2 / 3, 0.05, 0.04]
    told = charts.figure_curves([{**ROWS[-1], "figures": {"agreement": 0.8}}])
    assert told.layout.yaxis.title.text == "agreement"


def test_each_loss_term_is_a_line_and_the_phases_are_named():
    figure = charts.loss_curves(ROWS)
    assert [trace.name for trace in figure.data] == ["reconstruction", "kl", "total"]
    assert list(figure.data[1].y) == [None] * 5 + [0.5, 0.25, 0.5 / 3, 0.125, 0.1]
    assert [note.text for note in figure.layout.annotations] == ["pretraining", "clustering"]
    assert figure.layout.yaxis.type == "log"  # from 100 down to .1


def test_a_phase_that_starts_beside_the_name_of_another_gets_a_line_and_no_name():
    def names(first: int) -> list[str]:
        rows = [epoch("features", e, {"items": 1.0}) for e in range(1, first + 1)]
        rows += [epoch("cluster", e, {"neighbours": 1.0}) for e in range(1, 25 - first)]
        return [note.text for note in charts.loss_curves(rows).layout.annotations]

    assert names(12) == ["learning features", "clustering"]
    assert names(4) == ["learning features"]


def test_one_term_alone_needs_no_total():
    figure = charts.loss_curves([epoch("pretrain", 1, {"reconstruction": 1.0, "total": 1.0})])
    assert [trace.name for trace in figure.data] == ["reconstruction"]
    assert figure.data[0].mode == "lines+markers"


def test_a_loss_below_zero_is_not_drawn_on_a_logarithmic_axis():
    rows = [epoch("cluster", e, {"entropy": -1.0, "kl": 1000.0}) for e in (1, 2)]
    assert charts.loss_curves(rows).layout.yaxis.type == "linear"


def test_group_sizes_are_shares_of_all_items_from_the_first_epoch_with_groups():
    figure = charts.size_curves(ROWS)
    assert [list(trace.y) for trace in figure.data] == [[60.0] * 5, [30.0] * 5, [10.0] * 5]
    assert list(figure.data[0].x) == [6, 7, 8, 9, 10]
    assert figure.layout.xaxis.range[0] == 5.5


def test_one_epoch_of_sizes_is_a_band_too():
    figure = charts.size_curves([epoch("cluster", 1, {"kl": 1.0}, (3, 1))])
    assert list(figure.data[0].y) == [75.0, 75.0]
    assert figure.data[0].x[0] < 1 < figure.data[0].x[1]


def test_bars_count_every_group_the_empty_and_the_unassigned_too():
    figure = charts.cluster_sizes([0, 0, 2, -1], n_clusters=4)
    assert list(figure.data[0].x) == [2, 0, 1, 0, 1]
    assert figure.layout.yaxis.ticktext[-1].startswith("Unassigned")
    assert figure.data[0].marker.color[-1] == palette.THEMES["light"].line


def test_the_confidence_histogram_counts_every_item_once():
    values = np.random.default_rng(0).uniform(0.1, 1.0, 500)
    figure = charts.confidence_histogram([*values, 1.0, np.nan], 10)
    assert sum(figure.data[0].y) == 501
    assert figure.layout.shapes[0].x0 == pytest.approx(0.1)


def test_silhouette_blades_are_sorted_and_keep_their_ends_when_thinned():
    values = np.random.default_rng(0).uniform(-0.5, 1.0, 5000)
    figure = charts.silhouette_plot(values, np.zeros(5000, dtype=int), space="latent")
    blade = np.array(figure.data[0].x)
    assert len(blade) <= 400
    assert (np.diff(blade) <= 0).all()
    assert (blade[0], blade[-1]) == (values.max(), values.min())
    assert "latent" in figure.layout.xaxis.title.text


def test_silhouettes_without_a_value_or_a_group_are_left_out():
    figure = charts.silhouette_plot([0.5, np.nan, 0.2, 0.1], [0, 0, -1, 1])
    assert [list(trace.x) for trace in figure.data] == [[0.5], [0.1]]


def test_the_soft_assignment_of_an_item_shows_the_likeliest_groups_and_the_rest():
    shares = np.array([0.01, 0.5, 0.02, 0.2, 0.15, 0.05, 0.04, 0.02, 0.01])
    figure = charts.assignment_bars(shares, most=3)
    assert list(figure.data[0].x) == pytest.approx([0.5, 0.2, 0.15, 0.15])
    assert figure.layout.yaxis.ticktext[0].startswith("Group 2")
    assert figure.layout.yaxis.ticktext[-1] == "6 others"


def test_matched_groups_and_values_lie_on_the_diagonal():
    column = ["sea"] * 30 + ["tree"] * 20 + ["face"] * 10
    labels = np.array([2] * 28 + [0] * 2 + [0] * 20 + [1] * 10)
    groups, values, table = cross_table(labels, column)
    assert groups == [2, 0, 1]
    assert values == ["sea", "tree", "face"]
    np.testing.assert_array_equal(table, [[28, 0, 0], [2, 20, 0], [0, 0, 10]])


def test_unassigned_items_missing_and_rare_values_are_counted_not_dropped():
    column = [f"artist {i}" for i in range(100)] + [None, np.nan, pd.NA]
    groups, values, table = cross_table([0] * 50 + [-1] * 53, column)
    assert groups[-1] == -1
    assert "no value" in values
    assert "41 rarer values" in values
    assert table.sum() == 103


def test_counts_are_seen_in_small_tables_and_heard_in_large_ones():
    small = charts.confusion_table(np.arange(40) % 20, np.arange(40) % 20)
    large = charts.confusion_table(np.arange(42) % 21, np.arange(42) % 21)
    assert 'class="small upright"' in small
    assert 'class="large upright"' in large
    for table in (small, large):
        assert table.count(">2</td>") == table.count('scope="row"')


@pytest.mark.parametrize("n_groups", [1, 8, 40])
def test_a_table_of_groups_tells_every_cell_in_the_group_s_share_and_never_lets_text_become_markup(n_groups):
    labels = np.arange(200) % n_groups
    texts = np.where(np.arange(200) % 2, NASTY, "plain")
    for theme in ("light", "dark"):
        table = charts.confusion_table(labels, texts, theme, column_name=NASTY, names=[NASTY] * n_groups)
        assert "<script" not in table
        assert "<b>co" not in table
        assert table.count("of the group,") == 2 * n_groups
    assert charts.confusion_table([], []) == "<p>There is nothing to compare.</p>"


def test_the_colour_of_a_cell_is_the_share_of_its_group():
    table = charts.confusion_table([0, 0, 0, 1], ["a", "a", "b", "b"])
    colors = [*palette.sequential_colors([2 / 3, 1 / 3, 1], "light", 0, 1), palette.THEMES["light"].surface]
    assert all(f"background:{color};color:{palette.readable_on(color)}" in table for color in colors)
    assert "Group 1 × a: 2, 67% of the group, 100% of the value" in table


def test_a_column_of_another_length_is_refused_in_a_sentence():
    with pytest.raises(StudioError, match="3 labels but 2 values"):
        charts.confusion_table([0, 1, 1], ["a", "b"])


def test_a_measure_in_two_spaces_shows_both_beside_each_other():
    runs = {
        "DEC": [measure("silhouette", 0.2, "features"), measure("silhouette", 0.9, "latent")],
        "k-means": [measure("silhouette", 0.25, "features", standard_error=0.01), measure("nmi", None)],
    }
    figure = charts.quality_comparison(runs, current="DEC")
    by_space = {trace.name: trace for trace in figure.data}
    assert list(by_space["in the fixed features"].x) == [0.2, 0.25]
    assert list(by_space["in the learned latent space"].x) == [0.9]
    assert list(by_space["in the fixed features"].error_x.array) == pytest.approx([0.0, 0.0196])
    assert len(figure.layout.annotations) == 1  # no panel for a measure without any value
    assert figure.layout.yaxis.ticktext == ("<b>DEC</b>", "k-means")


def test_the_interval_of_a_measure_is_drawn_as_measured():
    figure = charts.quality_comparison({"DEC": [measure("nmi", 0.5, low=0.4, high=0.55)]})
    assert list(figure.data[0].error_x.arrayminus) == pytest.approx([0.1])
    assert list(figure.data[0].error_x.array) == pytest.approx([0.05])


def test_the_strip_shows_only_measures_of_the_projection():
    figure = charts.projection_strip([measure("trust", 0.98, "map", "projection", k=15), measure("nmi", 0.5)])
    assert list(figure.data[1].x) == [0.98]
    assert figure.layout.yaxis.ticktext == ("Trust (k = 15)",)


def test_the_map_has_one_trace_a_group_with_metadata_on_hovering():
    items = pd.DataFrame({"id": ["a", "b", "c"], "title": ["One", None, NASTY], "year": [1900, 1901, None]})
    figure = charts.latent_map_figure(
        np.eye(3, 2), [0, 1, -1], items, names=["Seas"], confidences=[0.5, 1.0, 0.2]
    )
    assert [trace.name for trace in figure.data] == ["Unassigned (1)", "Seas (1)", "Group 2 (1)"]
    assert figure.data[1].text[0] == "One<br>1900<br>id: a<br>confidence 0.50"
    assert figure.data[2].text[0] == "1901<br>id: b<br>confidence 1.00"
    assert "&lt;script&gt;" in figure.data[0].text[0]
    assert [note.text for note in figure.layout.annotations] == ["<b>1</b>", "<b>2</b>"]


def test_a_map_without_labels_is_drawn_in_one_colour():
    figure = charts.latent_map_figure(np.eye(4, 2))
    assert len(figure.data) == 1
    assert figure.data[0].marker.color == palette.THEMES["light"].accent


@pytest.mark.parametrize(
    ("points", "labels", "items", "sentence"),
    [
        (np.zeros((3, 3)), None, None, r"points of shape \(n, 2\)"),
        (np.zeros((3, 2)), [0, 1], None, "3 points but 2 labels"),
        (np.zeros((3, 2)), [0, 1, 1], pd.DataFrame({"id": ["a"]}), "3 points but 1 rows of metadata"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused_in_a_sentence(points, labels, items, sentence):
    with pytest.raises(StudioError, match=sentence):
        charts.latent_map_figure(points, labels, items)


@pytest.mark.parametrize("name", ["Sea", "A rather long name of a group", "Wwwwww Mmmmm", "山水与花鸟"])
def test_room_for_the_names_of_rows_is_set_aside_so_that_no_browser_has_to_look_for_it(name):
    figure = charts.cluster_sizes([0, 1, 1], names=[name, "Sky"])
    em = 12 if name.isascii() else 12 * 2  # pixels of a letter: half an em, or a whole one
    assert figure.layout.margin.l >= len(name) * em / 2
    assert figure.layout.margin.l < 60 + len(name) * 14
    assert figure.layout.yaxis.automargin is False


def test_text_is_escaped_and_shortened_without_cutting_an_escape():
    assert escaped("a <b>\n& c") == "a &lt;b&gt; &amp; c"
    assert shortened("&" * 40, 10) == "&amp;" * 9 + "…"


def test_a_page_that_needs_colours_pays_for_no_chart():
    script = (
        "import sys, clustering.charts.palette\n"
        "heavy = {'plotly', 'matplotlib', 'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import clustering.charts as charts\n"
        "for name in charts.__all__: getattr(charts, name)\n"
        "heavy = {'matplotlib', 'sklearn', 'scipy', 'torch', 'streamlit', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
