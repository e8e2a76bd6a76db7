"""What a page is made of: tables, figures, and sections that hold them."""

import base64
from dataclasses import dataclass, field
from typing import Any

from mdtools.reporting.style import svg

__all__ = ["Drawing", "Part", "Section", "Table", "drawing", "encoded"]


@dataclass(frozen=True)
class Table:
    """Text in rows. words : columns that stand out. bad : rows that do. notes : lines below."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()
    bad: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG in base64 (an image of its own: ids of two figures cannot clash, and no text of it can act)."""

    id: str
    caption: str
    data: str


@dataclass(frozen=True)
class Part:
    """Something that can be folded away."""

    title: str
    open: bool = False
    tables: tuple[Table, ...] = ()
    figures: tuple[Drawing, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Section:
    """One heading of the page."""

    id: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Drawing, ...] = ()
    large: bool = False
    parts: tuple[Part, ...] = field(default=())


def drawing(name: str, caption: str, made: Any) -> Drawing:
    """A figure, ready for the page."""
    return Drawing(name, caption, encoded(made))


def encoded(made: Any) -> str:
    """A figure as a page holds it."""
    return base64.b64encode(svg(made).encode()).decode()
