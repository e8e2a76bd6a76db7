"""Signatures and docstrings of the public functions, read from their source without importing it.

The command line and the recipe are made from these, so that they cannot disagree with the library, and so that
`mdtools --help` loads neither jax nor xarray.
"""

import ast
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdtools.catalogue import PUBLIC

__all__ = ["Input", "Kind", "Option", "Signature", "signature"]

_ROOT = Path(__file__).parent.parent
_SEQUENCES = {"Sequence", "list", "tuple", "Iterable", "set"}
_MAPPINGS = {"Mapping", "dict"}
_PLAIN = {"int", "float", "str", "bool", "Any"}


@dataclass(frozen=True)
class Kind:
    """One of the types that an option takes: a plain type, "None", "literal", "sequence" or "mapping" `of` others."""

    name: str
    of: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Input:
    """A positional parameter, named after what makes it. `many`: it takes several of them, in a sequence."""

    name: str
    required: bool
    many: bool = False


@dataclass(frozen=True)
class Option:
    """A keyword parameter: what it takes, its default, and what the docstring says of it."""

    name: str
    kinds: tuple[Kind, ...]
    default: Any
    required: bool
    text: str = ""


@dataclass(frozen=True)
class Signature:
    """One public function, as written in its source."""

    name: str
    doc: str
    inputs: tuple[Input, ...]
    options: tuple[Option, ...]
    returns: str = field(default="")

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return self.doc.partition("\n")[0].strip()

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options if option.name == name), None)


@functools.cache
def signature(name: str, module: str | None = None) -> Signature:
    """Signature of a public function by its name (or of a function of `module`). Raises KeyError for a name that is not there."""
    where, node = _definition(module or PUBLIC[name], name)
    if not isinstance(node, ast.FunctionDef):
        raise KeyError(name)
    doc = ast.get_docstring(node) or ""
    positional = node.args.args
    n_required = len(positional) - len(node.args.defaults)
    inputs = tuple(Input(arg.arg, required=k < n_required, many=_is_many(arg)) for k, arg in enumerate(positional))
    names = [arg.arg for arg in node.args.kwonlyargs]
    texts = _texts(doc, names)
    options = tuple(
        Option(
            arg.arg,
            _kinds(arg.annotation, where),
            None if default is None else _value(default, where),
            default is None,
            texts.get(arg.arg, ""),
        )
        for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    )
    return Signature(name, doc, inputs, options, ast.unparse(node.returns) if node.returns else "")


@functools.cache
def _source(module: str) -> ast.Module:
    path = _ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _definition(module: str, name: str) -> tuple[str, ast.AST]:
    """Where a name is defined (imports from our own modules are followed), and its definition."""
    for node in _source(module).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return module, node
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
            return module, node.value
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name and node.value is not None:
            return module, node.value
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mdtools"):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _definition(str(node.module), alias.name)
    raise KeyError(f"{module} does not define {name}")


def _value(node: ast.AST, module: str) -> Any:
    """Value of a default: a literal, or a constant of our own modules."""
    if isinstance(node, ast.Name):
        return _value(_definition(module, node.id)[1], _definition(module, node.id)[0])
    assert isinstance(node, ast.expr)
    return ast.literal_eval(node)


def _kinds(node: ast.AST | None, module: str) -> tuple[Kind, ...]:
    """What an annotation allows, alternatives in the order in which they are written."""
    if node is None:
        return (Kind("Any"),)
    if isinstance(node, ast.Constant):
        return (Kind("None"),) if node.value is None else _kinds(ast.parse(str(node.value), mode="eval").body, module)
    if isinstance(node, ast.BinOp):
        return _kinds(node.left, module) + _kinds(node.right, module)
    if isinstance(node, ast.Attribute):  # np.ndarray, os.PathLike: nothing that can be typed
        return ()
    if isinstance(node, ast.Name):
        if node.id in _PLAIN:
            return (Kind(node.id),)
        try:
            where, alias = _definition(module, node.id)
        except KeyError:
            return (Kind("str"),) if node.id == "Path" else ()
        return () if isinstance(alias, ast.ClassDef) else _kinds(alias, where)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if node.value.id == "Literal":
            return (Kind("literal", tuple(ast.literal_eval(part) for part in parts)),)
        if node.value.id in _SEQUENCES:
            each = _kinds(parts[0], module)
            return (Kind("sequence", each),) if each else ()
        if node.value.id in _MAPPINGS:
            return (Kind("mapping", (_kinds(parts[0], module), _kinds(parts[1], module))),)
    return ()


def _is_many(arg: ast.arg) -> bool:
    text = ast.unparse(arg.annotation) if arg.annotation else ""
    return re.match(r"(Sequence|list|tuple|Iterable|Mapping|dict)\[", text) is not None


def _texts(doc: str, names: list[str]) -> dict[str, str]:
    """What a docstring says of each option: "name : text" up to the next such entry or the end of the paragraph."""
    if not names:
        return {}
    one = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    entry = re.compile(rf"(?:^|(?<=[.;,)]))\s*((?:{one})(?:, (?:{one}))*) : ", re.MULTILINE)
    texts = {}
    for paragraph in re.split(r"\n\s*\n", doc):
        found = list(entry.finditer(paragraph))
        for k, match in enumerate(found):
            end = found[k + 1].start() if k + 1 < len(found) else len(paragraph)
            text = " ".join(paragraph[match.end() : end].split())
            text = re.split(r" (?=(?:Returns|Raises|Source)\b)", text)[0]
            for name in match[1].split(", "):
                texts[name] = text.rstrip(" .;")
    return texts
