"""Option values: from the text of a command line, and checked when they come from a recipe.

What is allowed is what the annotation of the function allows (`signatures.Kind`).
"""

import contextlib
from typing import Any

from mdtools.signatures import Kind, Option

__all__ = ["checked", "expects", "flag", "parsed"]


class _No(Exception):
    """The text or value is not of this kind."""


def flag(name: str) -> str:
    """Name of an option on the command line."""
    return "--" + name.replace("_", "-")


def parsed(text: str, option: Option) -> Any:
    """Value of an option from its text: "4", "all", "1,2,5", "Ca=2,F=-1". Raises ValueError for any other.

    >>> from mdtools.signatures import signature
    >>> parsed("1,2,5", signature("msd").option("lags"))
    [1.0, 2.0, 5.0]
    """
    try:
        return _first(text, option.kinds)
    except _No:
        raise ValueError(f"{flag(option.name)} {text} is not understood; it takes {expects(option)}") from None


def checked(value: Any, option: Option, *, where: str) -> Any:
    """A value of a recipe, if the annotation allows it. A string is read as on the command line. Raises ValueError."""
    if any(_fits(value, kind) for kind in option.kinds):
        return value
    if isinstance(value, str):
        with contextlib.suppress(_No):
            return _first(value, option.kinds)
    raise ValueError(f"{where}: {option.name} = {value!r} is not understood; it takes {expects(option)}")


def expects(option: Option) -> str:
    """What an option takes, in words."""
    return " or ".join(dict.fromkeys(_words(kind) for kind in option.kinds if kind.name != "None")) or "nothing"


def _words(kind: Kind) -> str:
    if kind.name == "literal":
        return ", ".join(map(str, kind.of))
    if kind.name == "sequence":
        return "numbers as 1,2,5" if any(k.name in ("int", "float") for k in kind.of) else "names as A,B"
    if kind.name == "mapping":
        keys, items = kind.of
        key, other = ("1", "2") if any(k.name == "int" for k in keys) and not any(k.name == "str" for k in keys) else ("A", "B")
        return f"{key}=...,{other}=..." + (" (numbers)" if any(k.name == "float" for k in items) else "")
    return {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "Any": "a value"}[kind.name]


def _read(text: str, kind: Kind) -> Any:
    match kind.name:
        case "literal":
            for value in kind.of:
                if str(value) == text:
                    return value
        case "bool" if text.lower() in ("true", "false", "yes", "no"):
            return text.lower() in ("true", "yes")
        case "int" | "float":
            try:
                return int(text) if kind.name == "int" else float(text)
            except ValueError:
                raise _No from None
        case "sequence":
            return [_first(part, kind.of) for part in text.split(",") if part.strip()]
        case "mapping" if "=" in text:
            keys, items = kind.of
            pairs = [part.split("=", 1) for part in text.split(",") if part.strip()]
            if all(len(pair) == 2 for pair in pairs):
                return {_first(key, keys): _first(value, items) for key, value in pairs}
        case "str":
            return text
        case "Any":
            return _first(text, (Kind("int"), Kind("float"), Kind("str")))
    raise _No


def _first(text: str, kinds: tuple[Kind, ...]) -> Any:
    """The text as the first kind that it can be; a list only where it has a comma, or where nothing else is left."""
    order = ["literal", "mapping", "int", "float", "bool", "sequence" if "," in text else "", "str", "sequence", "Any"]
    for kind in sorted((kind for kind in kinds if kind.name != "None"), key=lambda kind: order.index(kind.name)):
        try:
            return _read(text.strip(), kind)
        except _No:
            continue
    raise _No


def _fits(value: Any, kind: Kind) -> bool:
    match kind.name:
        case "literal":
            return any(value == one and type(value) is type(one) for one in kind.of)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "str" | "bool":
            return type(value).__name__ == kind.name
        case "sequence":
            return isinstance(value, list) and all(any(_fits(part, one) for one in kind.of) for part in value)
        case "mapping":
            _, items = kind.of
            return isinstance(value, dict) and all(any(_fits(part, one) for one in items) for part in value.values())
    return kind.name == "Any"
