"""An accelerator where there is none: analyses cut their work as for one, and their kernels are lowered for it from what they were given."""

import contextlib
import functools
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

import mdtools.kernels
from mdtools.analyses import devices

__all__ = ["Accelerator", "Call", "Calls", "jitted", "pretended", "recorded"]

JITTED = type(jax.jit(lambda: None))


class Accelerator:
    """What JAX tells of one."""

    platform = "gpu"

    def __init__(self, free: int) -> None:
        self.free = free

    def memory_stats(self) -> dict[str, int]:
        return {"bytes_limit": 2**34, "bytes_in_use": 2**34 - self.free}


@contextlib.contextmanager
def pretended() -> Iterator[None]:
    """Inside, analyses take the processor for an accelerator: larger tiles, other branches, two threads."""
    before = devices.places, jax.default_device
    devices.places = lambda *, each_core=True: [Accelerator(2**34)]
    jax.default_device = lambda place: contextlib.nullcontext()
    try:
        yield
    finally:
        devices.places, jax.default_device = before


@dataclass(frozen=True)
class Call:
    """A jitted kernel, with shapes and types in place of the arrays that it was given."""

    name: str
    kernel: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]
    wide: bool  # whether in 64-bit JAX

    def exported(self, platform: str) -> tuple[str, list[str]]:
        """The program that a compiler for the platform would be given, and types of what it gives back. Raises what JAX raises where it cannot be
        written."""
        with jax.enable_x64(self.wide):
            made = jax.export.export(self.kernel, platforms=[platform])(*self.arguments, **dict(self.options))
        return str(made.mlir_module()), [str(one.dtype) for one in made.out_avals]


@dataclass
class Calls:
    """Of each analysis what it called; and the names of all kernels that were reached, within another too."""

    of: dict[str, dict[Call, None]] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    now: str = ""

    def note(self, name: str, kernel: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.reached.add(name)
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((arguments, options))):
            given = tuple((key, _shapes(value)) for key, value in options.items())
            self.of.setdefault(self.now, {})[Call(name, kernel, _shapes(arguments), given, jax.config.jax_enable_x64)] = None


def jitted() -> dict[str, Callable[..., Any]]:
    """All jitted functions of the kernels, as file.name."""
    files = {one.name: importlib.import_module(f"mdtools.kernels.{one.name}") for one in pkgutil.iter_modules(mdtools.kernels.__path__)}
    return {
        f"{file}.{name}": value
        for file, module in files.items()
        for name, value in vars(module).items()
        if isinstance(value, JITTED) and value.__module__ == module.__name__
    }


@contextlib.contextmanager
def recorded() -> Iterator[Calls]:
    """Inside, every call of a jitted kernel is noted under the name that `now` holds."""
    calls = Calls()
    notes = {kernel: _noting(name, kernel, calls) for name, kernel in jitted().items()}
    patched = []
    for module in [one for name, one in sys.modules.items() if re.match(r"mdtools\.(analyses|kernels)\.", name)]:
        for name, value in list(vars(module).items()):
            if isinstance(value, JITTED) and value in notes:
                patched.append((module, name, value))
                setattr(module, name, notes[value])
    try:
        yield calls
    finally:
        for module, name, value in patched:
            setattr(module, name, value)


def _noting(name: str, kernel: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    @functools.wraps(kernel)
    def call(*arguments: Any, **options: Any) -> Any:
        calls.note(name, kernel, arguments, options)
        return kernel(*arguments, **options)

    return call


def _shapes(tree: Any) -> Any:
    """Of nested tuples and lists, as tuples, so that two of them can be compared; those with names keep them."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(*map(_shapes, tree)) if hasattr(tree, "_fields") else tuple(map(_shapes, tree))
    return jax.ShapeDtypeStruct(tree.shape, tree.dtype) if isinstance(tree, (jax.Array, np.ndarray)) else tree
