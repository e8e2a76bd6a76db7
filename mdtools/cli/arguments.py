"""From the words of a command line to a request, by the signatures of the functions; loads nothing heavy."""

import argparse
import difflib
import shutil
import sys
from dataclasses import dataclass, field
from typing import Any, NoReturn

import mdtools
from mdtools.catalogue import ANALYSES, DECISIONS, ESTIMATES, SHOWING
from mdtools.signatures import Option, Signature, signature
from mdtools.values import expects, flag, parsed

__all__ = ["COMMANDS", "SAVED_ONLY", "Refusal", "Request", "parse", "upstream"]

DETECT = "detect "
MELTING, RAMP = "detect melting", "--ramp"  # with it the command is that of a ramp
MADE = {**ANALYSES, **ESTIMATES, **DECISIONS}
# command -> (stage, public function)
COMMANDS: dict[str, tuple[str, str]] = {
    "info": ("read", "info"),
    "convert": ("read", "convert"),
    **{name.replace("_", "-"): ("measure", name) for name in ANALYSES},
    **{name.replace("_", "-"): ("estimate", name) for name in ESTIMATES},
    **{DETECT + name.removeprefix("detect_").replace("_", "-"): ("decide", name) for name in DECISIONS},
    **{name.replace("_", "-"): ("show", name) for name in SHOWING},
    "run": ("show", "run"),
    "slurm": ("show", "slurm"),
}
OWN = {
    "info": "mdtools.cli.info",
    "convert": "mdtools.cli.convert",
    "run": "mdtools.job",
    "slurm": "mdtools.sbatch",
    "plot": "mdtools.cli.showing",
}
RECIPES = ("run", "slurm")  # commands that take a recipe, in which stands how to read
SAVED_ONLY = ("plot", "export", "compare", "cite")  # commands that take saved .nc files, no trajectory
STAGES = {
    "read": "read: files -> a trajectory",
    "measure": "measure: a trajectory, or each of a series table -> curves, by window",
    "estimate": "estimate: trajectories, saved .nc or a series table -> values with errors",
    "decide": "decide: the same -> a verdict with its evidence",
    "show": "show: the same -> one page; or everything from a recipe",
}
TAKES = {
    "read": "trajectory file; several are a chain of restarts in the order of time",
    "measure": "trajectory file, several are a chain of restarts in the order of time; or one series table (.csv, .toml)",
    "estimate": "trajectory files (one run), saved .nc files, or one series table (.csv, .toml)",
    "decide": "trajectory files (one run), saved .nc files, or one series table (.csv, .toml)",
    "show": "trajectory files (one run), saved .nc files, or one series table (.csv, .toml)",
}


class Refusal(ValueError):
    """The words of the command line are not understood."""


@dataclass(frozen=True)
class Request:
    """What was asked for: the command, the files, and the options that were given (never a default)."""

    command: str
    stage: str
    function: str
    paths: tuple[str, ...]
    reading: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    out: str | None = None
    device: str | None = None
    memory: str | None = None
    distributed: bool = False
    cache: str | None = None


def upstream(function: str) -> list[str]:
    """The stages that a result is made of, the nearest first."""
    names = [one.name for one in signature(function).inputs if one.name in MADE] if function in MADE else []
    return list(dict.fromkeys([*names, *(further for name in names for further in upstream(name))]))


class _Parser(argparse.ArgumentParser):
    function = ""

    def error(self, message: str) -> NoReturn:
        unknown = next((word for word in message.split() if word.startswith("--")), "") if message.startswith("unrecognized") else ""
        name = unknown.partition("=")[0].removeprefix("--").replace("-", "_")
        owner = next((stage for stage in upstream(self.function) if signature(stage).option(name)), None) if unknown else None
        if owner:
            first = owner.replace("_", "-")
            raise Refusal(f"{unknown} is an option of mdtools {first}: give it there, with --out {owner}.nc, and then {self.prog} {owner}.nc")
        near = difflib.get_close_matches(unknown, self._option_string_actions, n=1)
        raise Refusal(f"there is no option {unknown}; did you mean {near[0]}?" if near else f"{message}; see {self.prog} --help")


def parse(words: list[str]) -> Request | None:
    """The request, or None where help or the version was asked for and printed. Raises Refusal."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return None
    if words[0] == "--version":
        print(f"mdtools {mdtools.__version__}")
        return None
    command, rest = _command(words)
    if command == MELTING and RAMP in rest:
        command, rest = f"{DETECT}{RAMP.removeprefix('--')}", [word for word in rest if word != RAMP]
    parser, mine, reader = _parser(command)
    if any(word in ("-h", "--help") for word in rest):
        print(parser.format_help())
        return None
    got = vars(parser.parse_intermixed_args(rest))
    options = _given(got, mine)
    stage, function = COMMANDS[command]
    return Request(
        command,
        stage,
        function,
        tuple(got["paths"]),
        _given(got, reader),
        options,
        got.get("out") if "out" not in options else None,
        got.get("device") if "device" not in options else None,
        got.get("memory") if "memory" not in options else None,
        bool(got.get("distributed")),
        got.get("cache"),
    )


def overview() -> str:
    """The commands by stage, each with the first line of its function's docstring."""
    width = max(map(len, COMMANDS)) + 2
    lines = ["usage: mdtools COMMAND FILE... [options]", "", "Molecular-dynamics post-processing for solid-state ionics."]
    for stage, title in STAGES.items():
        lines += ["", _bold(title)]
        for command, (of, function) in COMMANDS.items():
            if of == stage:
                lines.append(f"  {command:<{width}}{_signature(function).summary}")
    lines += ["", "mdtools COMMAND --help lists the options of a command. Exit codes: 0 done, 2 refused (one line says why)."]
    return "\n".join(lines)


def _command(words: list[str]) -> tuple[str, list[str]]:
    if words[0] == DETECT.strip():
        known = [command for command in COMMANDS if command.startswith(DETECT)]
        if len(words) > 1 and f"{DETECT}{words[1]}" in known:
            return f"{DETECT}{words[1]}", words[2:]
        raise Refusal(f"detect what? write: mdtools {' or '.join(known)} FILE...")
    if words[0] in COMMANDS:
        return words[0], words[1:]
    near = difflib.get_close_matches(words[0].replace("_", "-"), COMMANDS, n=1)
    raise Refusal(f"there is no command {words[0]}; " + (f"did you mean mdtools {near[0]}?" if near else "see mdtools --help"))


def _signature(function: str) -> Signature:
    return signature(function, OWN.get(function))


def _parser(command: str) -> tuple[_Parser, dict[str, Option], dict[str, Option]]:
    """The parser of one command, with the options of its function and those of the reader."""
    stage, function = COMMANDS[command]
    described = _signature(function)
    parser = _Parser(
        prog=f"mdtools {command}",
        description=described.doc.split(">>>")[0].strip(),
        add_help=False,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=min(110, shutil.get_terminal_size().columns)),
    )
    if function in RECIPES:
        parser.add_argument("paths", nargs=1, metavar="RECIPE", help="recipe in TOML")
    elif function in SAVED_ONLY:
        parser.add_argument("paths", nargs=2 if function == "compare" else "+", metavar="FILE.nc", help="saved results")
    else:
        parser.add_argument("paths", nargs="+", metavar="FILE", help=TAKES[stage])
    parser.function = function
    mine = {option.name: option for option in described.options}
    reader = {} if function in (*RECIPES, *SAVED_ONLY) else {option.name: option for option in signature("read").options}
    _add(parser.add_argument_group("options"), mine)
    if function in SAVED_ONLY:
        return parser, mine, reader
    # an option of both (temperature) is given to both
    own = {name: option for name, option in reader.items() if name not in mine}
    _add(parser.add_argument_group("reading (units of files are converted; what is passed here is in ps, amu, e, K)"), own)
    others = parser.add_argument_group("output")
    if command == MELTING:
        others.add_argument(
            RAMP, action="store_true", help="of a run that is heated or cooled: the map and the list of mdtools detect ramp, no verdict"
        )
    if "out" not in mine and function not in ("info", *RECIPES):
        others.add_argument("--out", metavar="FILE.nc", help=f"where the numbers are written; {function}.nc if not given")
    if function == "slurm":
        return parser, mine, reader
    others.add_argument("--device", metavar="cpu|cuda:0", help="where to compute; all GPUs, else the processor, if not given")
    others.add_argument(
        "--memory",
        metavar="2GiB",
        help="most that large arrays may take; else MDTOOLS_MEMORY, else the smallest of 2 GiB, a quarter of the machine's memory "
        "and half of what the batch system allows",
    )
    others.add_argument(
        "--distributed",
        action="store_true",
        help="this is one of several processes that srun has started together: each does its share, the first one writes",
    )
    others.add_argument(
        "--cache",
        metavar="FOLDER|none",
        help="where compiled programs are kept for the next command; else MDTOOLS_CACHE, JAX_COMPILATION_CACHE_DIR, ~/.cache/mdtools",
    )
    return parser, mine, reader


def _add(group: Any, options: dict[str, Option]) -> None:
    for option in options.values():
        text = option.text.replace("%", "%%")
        text += ("; " if text else "") + ("must be given" if option.required else f"default {_shown(option.default)}")
        if [kind.name for kind in option.kinds] == ["bool"]:
            group.add_argument(flag(option.name), action=argparse.BooleanOptionalAction, dest=option.name, help=text)
        else:
            group.add_argument(flag(option.name), dest=option.name, metavar=_metavar(option), help=text, required=option.required)


def _metavar(option: Option) -> str:
    words = expects(option)
    for long, short in {"a whole number": "N", "a number": "X", "numbers as ": "", "names as ": "", " (numbers)": "", " or ": "|", ", ": "|"}.items():
        words = words.replace(long, short)
    return words.upper() if len(words) < 40 and " " not in words else option.name.upper()


def _shown(default: Any) -> str:
    return "none" if default is None else str(default).replace("%", "%%")


def _given(got: dict[str, Any], options: dict[str, Option]) -> dict[str, Any]:
    given = {}
    for name, option in options.items():
        text = got.get(name)
        if text is not None:
            try:
                given[name] = text if isinstance(text, bool) else parsed(text, option)
            except ValueError as reason:
                raise Refusal(str(reason)) from None
    return given


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text
