"""How the parsers are compiled: once, kept on disk where that is possible, without the interpreter's lock."""

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["byte_at", "compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """numba.njit with its result kept on disk; without, where no folder can be written to."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)


def _byte_at(context: Any, address: Any, offset: Any) -> Any:
    """The byte at an address (`array.ctypes.data`) plus an offset, unchecked: the caller stays within its array.

    Twice as fast as array[offset] within a function that is called for every number of a file: no count of references
    of the array is kept there, and no negative offset looked for.
    """

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(builder.add(*arguments), ir.IntType(8).as_pointer())
        return builder.load(pointer)

    return types.uint8(types.uint64, types.int64), code


byte_at: Any = intrinsic(_byte_at)
