"""The process that reads damaged files: under a limit of memory, watched from outside, and judging what it gets.

One line of JSON comes in for each case (specimen, mutation, seed, folder) and one goes out: what is wrong, or nothing.
"""

import json
import random
import re
import resource
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import BINARY, PACKED, TEXT, Damaged
from fuzzing.specimens import FILES, SPECIMENS, UNPACK, Specimen

__all__ = ["Case", "cases_of", "damage", "main", "specimen_of"]

MEMORY_FACTOR = 5  # of the unpacked file: it is mapped once, and may be held four times
MEMORY_REST = 256 * 2**20  # threads, code that is loaded when first used
_FIELDS = ("scaled_positions", "velocities", "cell", "origin", "time", "species", "masses", "charges", "ids")


@dataclass(frozen=True)
class Case:
    """One damaged file, told apart from all others by three things."""

    specimen: str
    mutation: str
    seed: int

    def __str__(self) -> str:
        return f"{self.specimen} {self.mutation} {self.seed}"


def cases_of(specimen: Specimen) -> tuple[str, ...]:
    """Names of the mutations that this file may be put to."""
    names = (*TEXT, *PACKED) if specimen.is_text else tuple(BINARY)
    return tuple(name for name in names if name not in specimen.skip)


def specimen_of(case: Case) -> Specimen:
    return next(specimen for specimen in SPECIMENS if specimen.key == case.specimen)


def damage(case: Case) -> Damaged:
    specimen = specimen_of(case)
    mutation = (TEXT | PACKED | BINARY)[case.mutation]
    # a str as seed is hashed in one way on every machine
    harm = mutation(random.Random(str(case)), specimen.content, specimen.layout if specimen.is_text else [])
    # a topology is whole or not; VASP's own files have no sharp ends of frames
    return replace(harm, must="sound", frame=None) if harm.must == "cut" and (specimen.as_topology or specimen.loose) else harm


def read_specimen(specimen: Specimen, path: Path) -> Any:
    from mdtools.readers import read

    if specimen.as_topology:
        return read(FILES / specimen.as_topology, topology=path, precision="float64", end=0, **specimen.options)
    return read(path, precision="float64", **specimen.options)


class Judge:
    """Knows every specimen unharmed, and says what is wrong with what became of a damaged one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole: dict[str, Any] = {}

    def whole(self, specimen: Specimen) -> Any:
        if specimen.key not in self._whole:
            place = self.folder / "whole" / specimen.key.replace("/", "_")
            place.mkdir(parents=True, exist_ok=True)
            self._whole[specimen.key] = read_specimen(specimen, self._written(specimen, place, specimen.content))
        return self._whole[specimen.key]

    def _written(self, specimen: Specimen, folder: Path, content: bytes, suffix: str = "") -> Path:
        path = folder / (specimen.name + suffix)
        path.write_bytes(content)
        for name in specimen.beside:
            packed = Path(name).suffix in UNPACK
            data = (FILES / name).read_bytes()
            (folder / (Path(name).stem if packed else Path(name).name)).write_bytes(UNPACK[Path(name).suffix](data) if packed else data)
        return path

    def judge(self, case: Case) -> str:
        """What is wrong, in a line; empty where nothing is."""
        specimen = specimen_of(case)
        whole, harm = self.whole(specimen), damage(case)
        return self.judge_file(specimen, harm, whole)

    def judge_content(self, case: Case, content: bytes) -> str:
        """As `judge`, of a file that was made smaller: whatever it holds, it may not crash."""
        specimen = specimen_of(case)
        return self.judge_file(specimen, Damaged(content, "robust", suffix=damage(case).suffix), self.whole(specimen))

    def judge_file(self, specimen: Specimen, harm: Damaged, whole: Any) -> str:
        from mdtools.errors import TrajectoryError

        place = self.folder / "case"
        place.mkdir(exist_ok=True)
        path = self._written(specimen, place, harm.content, harm.suffix)
        unpacked = max(len(harm.content), len(specimen.content))
        try:
            with _limited(MEMORY_FACTOR * unpacked + MEMORY_REST):
                got = read_specimen(specimen, path)
                got = {name: None if (v := getattr(got, name)) is None else np.asarray(v) for name in _FIELDS} | {"notes": got.notes}
        except TrajectoryError as refusal:
            return _wrong_refusal(str(refusal), specimen, harm, path)
        except MemoryError:
            return "memory: more than the limit was asked for\n" + traceback.format_exc()
        except Exception as reason:
            return f"exception: {type(reason).__name__}: {reason}\n{traceback.format_exc()}"
        finally:
            for file in place.iterdir():
                file.unlink()
        return _wrong_numbers(got, whole, specimen, harm)


class _limited:
    """As much memory as is there now and `more`; asking for more raises MemoryError."""

    def __init__(self, more: int) -> None:
        self.more = more

    def __enter__(self) -> None:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        self.before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (now + self.more, self.before[1]))

    def __exit__(self, *reason: object) -> None:
        resource.setrlimit(resource.RLIMIT_AS, self.before)


# a first line that is damaged makes a file of another kind, or of none; a damaged label is a label nobody named
_OTHER_REASONS = (
    "frames carry no step numbers",
    "and nothing says what",
    "neither elements nor types",
    "are not known; pass one of",
    "the comment does not state units",
)
_WHOLE_FILE = ("no whole frame is left", "is empty", "is not a whole", "neither ours to read", "holds no frame", "packed stream", "damaged")


def _wrong_refusal(message: str, specimen: Specimen, harm: Damaged, path: Path) -> str:
    if "\n" in message:
        return f"refusal: is more than one line: {message!r}"
    if path.name not in message:
        return f"refusal: does not name the file: {message}"
    if harm.must == "same":
        return f"refusal: of a file that is sound: {message}"
    if harm.must == "cut" and harm.frame:
        return f"refusal: of a cut file whose first {harm.frame} frames are whole: {message}"
    if any(words in message for words in _OTHER_REASONS):
        return ""
    if harm.must in ("robust", "subset") or harm.frame is None or not specimen.is_text or specimen.as_topology or specimen.loose:
        return ""
    frames = [int(number) for number in re.findall(r"frame (\d+)", message)]
    if not frames:
        return "" if any(words in message for words in _WHOLE_FILE) else f"refusal: names no frame: {message}"
    if all(abs(frame - harm.frame) > 1 for frame in frames):
        return f"refusal: names frame {frames}, damaged is {harm.frame}: {message}"
    lines = [int(number) for number in re.findall(r"line (\d+)", message)]
    if harm.line and "is not a number" in message and not lines:
        return f"refusal: names no line: {message}"
    return ""


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and np.array_equal(one, other)


def _wrong_numbers(got: dict[str, Any], whole: Any, specimen: Specimen, harm: Damaged) -> str:
    if harm.must == "robust":
        return ""
    number, most = len(got["time"]), len(whole.time)
    per_frame = [name for name in _FIELDS if name not in ("species", "masses", "charges", "ids")]
    for name in ("species", "ids", "masses"):
        if not _same(got[name], getattr(whole, name)):
            return f"numbers: {name} differ and nothing was said"
    one, other = (
        np.broadcast_to(c, (n, len(whole.species))) if c is not None else None for c, n in ((got["charges"], number), (whole.charges, most))
    )
    if harm.must == "subset":
        return _not_a_subset(got, whole, specimen)
    if number > most:
        return f"numbers: {number} frames came of {most}"
    if (one is None) != (other is None) or (one is not None and not np.array_equal(one, other[:number])):
        return "numbers: charges differ and nothing was said"
    for name in per_frame:
        values = getattr(whole, name)
        values = None if values is None else np.asarray(values)[:number]
        # times of single precision are evened over the frames that there are
        evened = name == "time" and not specimen.is_text and got[name].shape == values.shape and np.allclose(got[name], values, rtol=1e-6)
        # where the user says the interval, when the run begins is a matter of steps that may be lost
        told = name == "time" and "frame_interval" in specimen.options
        evened = evened or (told and np.allclose(np.diff(got[name]), np.diff(values), rtol=1e-6))
        if not evened and not _same(got[name], values):
            return f"numbers: {name} of the {number} frames that came differ from those of the unharmed file"
    if harm.must == "same" and number != most:
        return f"numbers: {number} of {most} frames came of a file that is sound"
    if harm.must == "cut" and harm.frame is not None and number not in (harm.frame, harm.frame + 1):
        return f"numbers: {number} frames came, {harm.frame} are whole"
    if number < most and not got["notes"] and not (harm.must == "cut" and number == harm.frame and _clean(harm, specimen)):
        return f"numbers: {number} of {most} frames came and nothing was said"
    return ""


def _clean(harm: Damaged, specimen: Specimen) -> bool:
    """Whether nothing is left of the frame behind the cut but blanks, so that the file is a shorter whole one."""
    span = specimen.layout[harm.frame] if harm.frame is not None and harm.frame < len(specimen.layout) else None
    return span is None or not harm.content[span.start :].strip() or (specimen.format == "xdatcar" and _only_a_separator(harm.content[span.start :]))


def _only_a_separator(tail: bytes) -> bool:
    return b"direct configuration".startswith(tail.strip().lower()[:20])


def _not_a_subset(got: dict[str, Any], whole: Any, specimen: Specimen) -> str:
    """Frames without clock may be repeated and exchanged: each must be one of the file."""
    known = None if whole.scaled_positions is None else np.asarray(whole.scaled_positions)
    if known is None:
        return ""
    for row in got["scaled_positions"]:
        away = np.abs((known - row + 0.5) % 1 - 0.5).max(axis=(1, 2))
        if away.min() > 1e-9:
            return "numbers: a frame came that is none of the file"
    return ""


def main() -> None:
    judge = Judge(Path(sys.argv[1]))
    for line in sys.stdin:
        asked = json.loads(line)
        content = asked.pop("content", None)
        case = Case(**asked)
        try:
            wrong = judge.judge(case) if content is None else judge.judge_content(case, bytes.fromhex(content))
        except Exception:
            wrong = "judge: " + traceback.format_exc()
        print(json.dumps({"wrong": wrong}), flush=True)


if __name__ == "__main__":
    main()
