"""Say in a sentence that a fit did not fit into memory, and with which batches it may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from clustering.errors import MemoryFullError

LEAST = 8  # rows; smaller batches save nothing
SAID = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def memory_told(rows_a_batch: int, n_items: int) -> Iterator[None]:
    """Turn what happens when memory is used up into a sentence that offers half the batch.

    Raises
    ------
    MemoryFullError
        When the device or the machine has no memory left.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise _sentence("the graphics processor", rows_a_batch, n_items) from error
    except MemoryError as error:
        raise _sentence("this machine", rows_a_batch, n_items) from error
    except RuntimeError as error:  # torch says so on the CPU and on Apple's processor
        if not any(words in str(error) for words in SAID):
            raise
        whose = "the graphics processor" if "CUDA" in str(error) else "this machine"
        raise _sentence(whose, rows_a_batch, n_items) from error


def _sentence(whose: str, rows_a_batch: int, n_items: int) -> MemoryFullError:
    used = min(rows_a_batch, n_items)
    smaller = used // 2
    problem = f"The memory of {whose} is used up: batches of {used:,} items were too large for it."
    if smaller < LEAST:
        return MemoryFullError(
            f"The memory of {whose} is used up, even with batches of {used:,} items.",
            "Close other programs, choose a smaller network, or the processor as device.",
        )
    return MemoryFullError(
        problem, f"Train again with batches of {smaller:,}, or close other programs.", smaller
    )
