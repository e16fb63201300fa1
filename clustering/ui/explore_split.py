"""Split a branch of a tree again: its halves are learned anew, all other branches stay as they are."""

from __future__ import annotations

import secrets

import streamlit as st

from clustering.merge_tree import MergeTree
from clustering.methods.split_settings import lightest
from clustering.ui import jobs
from clustering.ui.explore_state import Shown, offers
from clustering.ui.trouble import guarded
from clustering.words import several

MOST = 20  # groups to ask for in one branch


def offer(shown: Shown, tree: MergeTree, node: int, place: str) -> None:
    """Draw what splits a branch again, where the method of the run can.

    Parameters
    ----------
    place : str
        Under which the job is followed.
    """
    if not offers(shown, "splits"):
        return
    n_leaves = len(tree.leaves(node))
    leaf, least = n_leaves == 1, lightest(shown.run.parameters.get("least_mass"), len(tree.leaf_of))
    with st.popover("Split further" if leaf else "Split again", icon=":material/call_split:"):
        if tree.mass(node) < least:
            st.caption(
                f"This branch holds a mass of {tree.mass(node):,.1f}; it takes {least:,.0f} to split it."
            )
            return
        st.caption(_told(n_leaves))
        leaves = 2
        if n_leaves > 2:
            leaves = st.number_input(
                "Groups of this branch",
                2,
                MOST,
                value=2,
                key=f"split-leaves-{shown.run.id}-{node}",
                help="Beyond two its heaviest half is split again and again, which takes as long each time.",
            )
        st.button(
            "Split this group further" if leaf else "Split this group again",
            key="split-again",
            type="primary",
            on_click=guarded(_submit),
            args=(shown, tree, node, leaves, place),
        )


def _told(n_leaves: int) -> str:
    if n_leaves == 1:
        return "Trains one more split, of this group alone. It gives a new run; all other groups stay."
    lost = f" The {several(n_leaves, 'group')} it has now go with its old halves." if n_leaves > 2 else ""
    return (
        "Trains the split of this branch once more, from another seed. It gives a new run; all other "
        f"branches stay as they are.{lost}"
    )


def _submit(shown: Shown, tree: MergeTree, node: int, leaves: int, place: str) -> None:
    seed = secrets.randbelow(2**31)  # told now, so that an interrupted job goes on with it
    wanted = {
        "run": shown.run.id,
        "node": node,
        "leaves": int(leaves),
        "random_state": seed,
    }
    made = jobs.submit("split-again", wanted, title=f"Split {tree.size(node):,} again")
    jobs.submit("quality", {}, after=made.id, title="Measure quality")
    jobs.remember(place, [made.id])
    st.session_state["explore-colour"] = "Group"
    st.rerun()
