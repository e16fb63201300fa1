"""A window is drawn lane by lane in the colours of its picture, between the values of its collection."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.charts.waveforms import window_figure
from clustering.collections.waveforms import colour_of, lanes_of

WINDOW = np.random.default_rng(0).normal(size=(20, 6))
ABOUT = {"channels": [f"<b>{at}</b>" for at in range(6)], "rate": 50.0, "low": [-4.0] * 6, "high": [4.0] * 6}


def test_every_channel_is_a_line_in_seconds_and_its_name_is_only_text():
    figure = window_figure(WINDOW, ABOUT)
    assert [trace.line.color for trace in figure.data] == [colour_of(at) for at in range(6)]
    assert figure.data[3].y == pytest.approx(WINDOW[:, 3])
    assert figure.data[0].x[-1] == pytest.approx(19 / 50)
    assert figure.data[0].name == "&lt;b&gt;0&lt;/b&gt;"
    assert figure.layout.xaxis.title.text == "seconds"


def test_without_a_rate_steps_are_counted_and_a_band_lies_under_each_line():
    about = ABOUT | {"rate": None}
    figure = window_figure(WINDOW, about, "dark", band=(WINDOW - 9, WINDOW + 9))
    assert len(figure.data) == 12
    assert figure.layout.xaxis.title.text == "steps"
    assert figure.data[1].x[-1] == 19
    low, high = figure.layout.yaxis3.range
    assert low < WINDOW[:, 2].min() - 8 and high > WINDOW[:, 2].max() + 8


@pytest.mark.parametrize(("channels", "lanes"), [(1, 1), (3, 1), (4, 4), (8, 8), (40, 8)])
def test_few_channels_share_a_lane_and_never_are_there_more_than_eight(channels, lanes):
    found = lanes_of(channels)
    assert found == sorted(found)
    assert set(found) == set(range(lanes))
