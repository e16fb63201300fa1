"""What can be chosen when nodes and the links between them are read."""

from __future__ import annotations

from typing import Annotated, Literal

from clustering.parameters import Meaning


class GraphOptions:
    """How files become a graph.

    Parameters
    ----------
    links : str, optional
        Of two tables: the name of the file with the links, which lies beside that of the nodes. By default
        the one called edges or links, or the one with the columns source and target.
    id_column : str, optional
        Of the nodes' table: what links call a node. By default “id”, “node”, …; where there is none, links
        hold row numbers counted from 0.
    dangling : {"refuse", "leave out"}
        Links to nodes that do not exist.
    """

    def __init__(
        self,
        links: Annotated[
            str | None,
            Meaning(
                "Of two tables: the name of the file with the links; empty: edges.csv, links.csv, or the one "
                "with the columns source and target.",
            ),
        ] = None,
        id_column: Annotated[
            str | None,
            Meaning(
                "Of the nodes’ table: the column by which links name a node; empty: found by its name "
                "(id, node, …), or else rows counted from 0.",
                advanced=True,
            ),
        ] = None,
        dangling: Annotated[
            Literal["refuse", "leave out"],
            Meaning("Links to nodes that are not there: say so and stop, or do without them."),
        ] = "refuse",
    ) -> None:
        self.links = links
        self.id_column = id_column
        self.dangling = dangling
