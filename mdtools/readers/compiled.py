"""How the parsers are compiled: once, kept on disk where that is possible, without the interpreter's lock."""

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """numba.njit with its result kept on disk; without, where no folder can be written to."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)
