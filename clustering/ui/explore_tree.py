"""The tree of a run: walk down from the whole collection, branch by branch, and cut it at another level."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.jobs.cut import same_cut
from clustering.merge_tree import MergeTree
from clustering.ui import explore_cut, explore_item, explore_split, explore_state, generated, jobs, state
from clustering.ui.explore_state import BASKET, MAP, WORKS, Shown, offers
from clustering.ui.explore_view import BY_CUT
from clustering.ui.folding import folded
from clustering.ui.gallery import gallery
from clustering.ui.sidebar import items_word, one_of
from clustering.ui.trouble import guarded, plain
from clustering.words import figure, several

TREE = "explore-tree"  # the fragment's key
MOST_GROUPS = 60  # of the slider
GLIMPSE = 6  # parts of a branch that its card shows one item of
PAGE = 24
STEPS = 5  # nodes of the way down that are shown; those above them are folded


def show(shown: Shown) -> None:
    """Show the tree of a run that has one, and how far the keeping of a cut is."""
    place = _place(shown)
    waiting = [job.id for job in jobs.open_jobs(shown.record.id, kinds=("cut", "split-again"))]
    if waiting or jobs.remembered(place):
        jobs.watch(waiting, place, then="run", picture=generated.now)
    tree = explore_cut.tree_of(shown.run.id)
    if tree is not None:
        _block(shown, tree)
    elif not (shown.run.folder / "model").exists() and offers(shown, "tree"):
        st.caption(
            f"The tree of this run did not come with the sample. Train {plain(shown.run.title)} once more to "
            "walk it."
        )


@st.fragment(key=TREE)
@guarded
def _block(shown: Shown, tree: MergeTree) -> None:
    room = folded("Tree of groups (hierarchy)", "tree-room", icon=":material/account_tree:")
    if room is None:
        return
    with room:
        _cut(shown, tree)
        node = int(st.session_state.get(_node_key(shown), tree.root))
        _way(shown, tree, node)
        halves = tree.halves(node)
        if halves is not None:
            for column, half in zip(st.columns(2, gap="medium"), halves, strict=True):
                with column:
                    _card(shown, tree, half, node)
        _members(shown, tree, node)


def _cut(shown: Shown, tree: MergeTree) -> None:
    """Draw the slider that colours the map, and the button that makes its groups a run."""
    own_groups = explore_cut.own_groups(shown)
    most = min(tree.n_leaves, max(MOST_GROUPS, own_groups))
    if most > 2:
        st.session_state.setdefault(explore_cut.cut_key(shown), max(own_groups, 2))
        st.slider(
            "Cut the tree into groups",
            2,
            most,
            key=explore_cut.cut_key(shown),
            on_change=_coloured,
            help="The last joins are undone until there are so many groups. The map takes their colours.",
            persist_state="session",
        )
    wanted = explore_cut.n_groups(shown)
    sizes = np.bincount(tree.cut(wanted), minlength=wanted)
    kept = same_cut(state.workspace(), shown.run, wanted)
    own = wanted == own_groups
    st.caption(
        f"{several(wanted, 'group')}; the largest holds {_items(shown, int(sizes.max()))}, "
        f"the smallest {sizes.min():,}.{' These are the groups of this run.' if own else ''}"
    )
    if own:
        return
    if kept is not None:
        st.button("Open the run with this cut", key="tree-open-run", on_click=_opened, args=(kept.id,))
    else:
        st.button(
            "Use this cut as groups",
            key="tree-use",
            icon=":material/content_cut:",
            type="primary",
            on_click=guarded(_use),
            args=(shown, wanted),
            help="Makes a run of these groups, with its quality, to be named, compared and exported.",
        )


def _coloured() -> None:
    if st.session_state.get("explore-colour") == BY_CUT:
        explore_state.run_again([MAP, TREE])
    st.session_state["explore-colour"] = BY_CUT
    st.rerun()  # its chooser stands on the page


def _opened(run_id: str) -> None:
    state.choose(run=run_id)
    st.session_state["explore-colour"] = "Group"
    st.rerun()


def _use(shown: Shown, n_clusters: int) -> None:
    wanted = {"run": shown.run.id, "n_clusters": n_clusters}
    made = jobs.submit("cut", wanted, title=f"Cut the tree into {n_clusters} groups")
    jobs.submit("quality", {}, after=made.id, title="Measure quality")
    jobs.remember(_place(shown), [made.id])
    st.session_state["explore-colour"] = "Group"
    st.rerun()


def _way(shown: Shown, tree: MergeTree, node: int) -> None:
    """Draw the way from the root to a node; each step on it leads back there."""
    path = tree.path(node)
    steps = path if len(path) <= STEPS + 1 else [path[0], *path[-STEPS:]]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tree-way"):
        for place, step in enumerate(steps):
            if place:
                skipped = len(steps) < len(path) and place == 1
                st.markdown("› … ›" if skipped else "›", width="content")
            all_ = "All " if step == tree.root else ""
            if step == node:
                st.markdown(f"**{all_}{_items(shown, tree.size(step))}**", width="content")
                continue
            st.button(
                f"{all_}{tree.size(step):,}",
                key=f"tree-step-{step}",
                type="tertiary",
                help="Back to the whole collection" if step == tree.root else "Back up to this branch",
                on_click=_go,
                args=(shown, step),
            )


def _card(shown: Shown, tree: MergeTree, node: int, above: int) -> None:
    members = tree.members(node)
    size = _items(shown, len(members))
    with st.container(border=True, key=f"card-tree-{node}"):
        st.markdown(f"**{size}** · {len(members) / max(tree.size(above), 1):.0%} of this branch")
        if tree.memberships is not None:
            st.caption(f"{_mass(tree, node)}, all degrees added up.")
        if not len(members):
            st.caption(f"No {one_of(shown.record.kind)} belongs here more than elsewhere.")
            _made(shown, tree, node, above)
            return
        st.caption(plain(_made_of(shown, members)))
        opened = gallery(
            shown.collection,
            explore_cut.glimpse(shown, tree, node, GLIMPSE),
            key=f"tree-glimpse-{shown.run.id}-{node}",
            title=f"Parts of a branch of {size}",
            height=76,
            strip=True,
        )
        near = _made(shown, tree, node, above)
        st.button(
            "Open this branch",
            key=f"tree-open-{node}",
            icon=":material/subdirectory_arrow_right:",
            on_click=_go,
            args=(shown, node),
        )
    opened = near if opened is None else opened
    if opened is not None:
        explore_item.drawer(shown, opened)


def _made(shown: Shown, tree: MergeTree, node: int, above: int) -> int | None:
    """Show what the generator of a half made when the branch was split; return the item opened."""
    made = explore_cut.generated_at(shown.run.id, above - tree.n_leaves)
    if made is None:
        return None
    features = state.workspace().feature_set(shown.run.feature_id)
    half = tree.children[above - tree.n_leaves].tolist().index(node)
    st.caption(generated.heading(features, made), help=generated.told(features, made))
    title = "What the generators of a branch make"
    return generated.strip(features, made, half, key=f"tree-made-{shown.run.id}-{node}", title=title)


def _made_of(shown: Shown, members: NDArray[np.int64]) -> str:
    """Say in which groups of the run the items of a branch are."""
    labels, counts = np.unique(shown.groups.labels[members], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    if len(labels) == 1:
        whole = counts[0] == shown.groups.sizes[labels[0]]
        return f"{'The whole' if whole else 'A part'} of {shown.groups.name(int(labels[0]))}"
    parts = [f"{shown.groups.name(int(labels[at]))} {counts[at] / len(members):.0%}" for at in order[:3]]
    return ", ".join(parts) + (f", and {len(labels) - 3} more" if len(labels) > 3 else "")


def _members(shown: Shown, tree: MergeTree, node: int) -> None:
    members, words = tree.members(node), items_word(shown.record.kind)
    head, tools = st.columns([3, 2], vertical_alignment="center")
    head.subheader(f"{words.capitalize()} of this branch", anchor=False)
    with tools, st.container(horizontal=True, horizontal_alignment="right"):
        explore_split.offer(shown, tree, node, _place(shown))
        st.button(
            "Select",
            key="tree-select",
            icon=":material/select_all:",
            on_click=_select,
            args=(shown, members),
            help="Select the whole branch on the map",
        )
    st.caption(_told(tree, node))
    opened = gallery(
        shown.collection,
        explore_cut.typical_first(shown, members),
        key=f"tree-{shown.run.id}-{node}",
        title=f"{words.capitalize()} of this branch",
        height=110,
        page_size=PAGE,
        colours=shown.item_colours(),
    )
    if opened is not None:
        explore_item.drawer(shown, opened)


def _told(tree: MergeTree, node: int) -> str:
    if tree.memberships is not None:
        split = "it is not divided further" if tree.halves(node) is None else "it is divided by degrees"
        return f"The most typical first. {_mass(tree, node)}, and {split}: an item may be in both halves."
    if tree.halves(node) is None:
        return "The tree does not divide this branch further."
    return (
        f"The most typical first. The two halves were joined at height {figure(tree.height(node), 2)}; "
        f"the last join of all was at {figure(tree.height(tree.root), 2)}."
    )


def _mass(tree: MergeTree, node: int) -> str:
    return f"Mass {tree.mass(node):,.1f} of {len(tree.leaf_of):,}"


def _items(shown: Shown, count: int) -> str:
    return several(count, one_of(shown.record.kind), items_word(shown.record.kind))


def _go(shown: Shown, node: int) -> None:
    st.session_state[_node_key(shown)] = node


def _select(shown: Shown, members: NDArray[np.int64]) -> None:
    explore_state.select(shown.record.id, members)
    explore_state.run_again([MAP, WORKS, BASKET])


def _place(shown: Shown) -> str:
    return f"cut-{shown.record.id}"


def _node_key(shown: Shown) -> str:
    return f"_tree-node-{shown.run.id}"
