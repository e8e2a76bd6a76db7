"""Molecular-dynamics post-processing for solid-state ionics: read -> measure -> estimate -> decide -> show.

    read       files            -> Trajectory (or a Series of them)
    measure    Trajectory       -> Dataset (keeps `window`; judges nothing)
    estimate   Dataset          -> Dataset (values with _stderr; refuses when it cannot)
    decide     Datasets         -> verdict Dataset (with every reason)
    show       Datasets         -> figures, tables, one self-contained HTML page

Every public name is loaded when it is first used, so `import mdtools` loads neither jax nor xarray nor any reader.
"""

import importlib
from typing import Any

from mdtools.catalogue import PUBLIC

__all__ = sorted(PUBLIC)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        return getattr(importlib.import_module(PUBLIC[name]), name)
    raise AttributeError(f"mdtools has no {name!r}; the public names are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
