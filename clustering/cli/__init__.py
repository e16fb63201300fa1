"""The same loop without a browser: ``deepclust load | features | train | project | export | studio | …``."""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what cannot be done is one sentence with its mend on stderr, and exit code 2."""
    from clustering.cli import commands, labelling, looking, options, pairing, placing, trees  # noqa: F401  # they fill the options
    from clustering.errors import StudioError

    try:
        options.app(args=arguments, prog_name="deepclust")
    except StudioError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
