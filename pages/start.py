"""Start: a finished map, already alive; three doors; and the way to bring your own."""

import streamlit as st

from clustering.ui import bring, jobs, theme, trouble, welcome

shown = welcome.what_to_show()
theme.title(
    welcome.headline(shown),
    "What the model finds alike lies close together. Point at the map to see a work; "
    "choose the lasso and draw around some to see them side by side.",
)
with st.container():  # a fixed place: what a person is typing below must not jump when the sample is finished
    welcome.the_map(shown)
welcome.doors()

st.header("Bring your own", anchor=False)
started = None
with trouble.caught():
    started = bring.ways("start")
if started:
    jobs.remember("coming-in", [started])
    st.switch_page("pages/collection.py")
