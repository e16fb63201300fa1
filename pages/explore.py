"""Explore: walk the map of a run, draw around works, look at them, and judge its groups."""

import streamlit as st

from clustering.ui import (
    explore_beside,
    explore_empty,
    explore_export,
    explore_film,
    explore_filters,
    explore_groups,
    explore_item,
    explore_labels,
    explore_map,
    explore_newcomers,
    explore_state,
    explore_tree,
    explore_works,
    state,
    theme,
)

record, run = state.current_collection(), state.current_run()

if record is None or run is None:
    explore_empty.show(record)
else:
    shown = explore_state.shown(record, run)
    columns = explore_state.columns_of(record)
    filters = explore_filters.read(shown, columns)
    with st.container(key="explore-room"):
        left, right = st.columns([1, 5], gap="medium")
    with right:
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
        with head:
            theme.title(record.name)
        colour, projection, space = explore_map.choosers(shown, columns)
        chosen = explore_map.chosen_map(shown, projection, space)
        with head:
            explore_export.menu(shown, chosen, colour, columns)
        if chosen is None:
            explore_map.missing(shown, projection, space)
        else:
            explore_map.show(shown, chosen, columns, filters, colour)
            explore_film.offer(shown, chosen)
            explore_map.honesty(chosen, colour)
            explore_beside.offer(shown, chosen)
        explore_newcomers.show(shown, chosen)
        explore_works.show(shown)
        explore_labels.show(shown)
    with left:
        trust = explore_state.trust_of(chosen.id) if chosen else None
        explore_filters.column(shown, columns, filters, trust)
    with right:
        explore_tree.show(shown)
        explore_groups.show(shown)
        explore_item.waiting(shown)
