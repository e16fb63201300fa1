"""A page around the map, for the browser tests: what came back is written below it as JSON."""

import base64
import json

import numpy as np
import streamlit as st

from clustering.ui.latent_map import Legend, latent_map, layer_sections, pack, point_sections, selected_items
from clustering.ui.latent_map.blob import edge_sections

COLOURS = ["#E69F00", "#56B4E9", "#009E73", "#F0E442"]


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions, groups and confidences of four clouds; the first three items lie apart."""
    rng = np.random.default_rng(seed)
    middles = np.array([[-6.0, -4.0], [6.0, -4.0], [-6.0, 4.0], [6.0, 4.0]])
    groups = np.arange(n) % 4
    points = middles[groups] + rng.normal(0, 1.1, (n, 2))
    points[0] = [0.0, 0.0]  # alone in the middle: the item with the wicked title
    return points.astype(np.float32), groups, rng.random(n)


n = int(st.query_params.get("n", "400"))
wanted_groups = int(st.query_params.get("groups", "4"))
moved = st.toggle("Other positions", key="moved")
points, groups, confidence = data(n)
if moved:
    points = points[:, ::-1].copy()
groups = np.arange(n) % wanted_groups if wanted_groups > 4 else groups
colours = [COLOURS[at % 4] for at in range(wanted_groups)]
cards = [["<script>alert(1)</script>", "A <b>painter</b>", "1888"], *([f"Work {i}"] for i in range(1, n))]

links = ""
if st.query_params.get(
    "links"
):  # every item is linked with the next of its group, the first three with one another
    chain = [(at, at + 4) for at in range(n - 4)] + [(0, 1), (0, 2), (1, 2)]
    blob = base64.b64encode(pack(edge_sections(chain))).decode()
    links = f"data:application/octet-stream;base64,{blob}"

shown = latent_map(
    point_sections(points),
    layer_sections(
        groups, confidence, visible=confidence >= 0.05 if st.query_params.get("filtered") else None
    ),
    Legend("Group", colours, [f"Group {at + 1}" for at in range(wanted_groups)], shapes=wanted_groups > 8),
    key="map",
    items="test",
    space="moved" if moved else "still",
    cards=cards if n <= 2000 else None,
    edges_url=links,
    height=500,
    scroll_zoom=False,
)
selection = np.asarray(st.session_state.get("selection", []), dtype=np.int64)
if shown.gesture is not None:
    visible = confidence >= 0.05 if st.query_params.get("filtered") else None
    selection = selected_items(shown.gesture, selection, points, groups, visible)
    st.session_state["selection"] = selection.tolist()
    st.session_state["polygon"] = shown.gesture.polygon.tolist()
if shown.clicked is not None:
    st.session_state["clicked"] = shown.clicked
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
told = {name: st.session_state.get(name) for name in ("selection", "polygon", "clicked", "runs")}
st.html(f'<pre id="told">{json.dumps(told)}</pre>')
