"""LAMMPS yaml dumps: one document a frame, read as text; a general reader of YAML would take minutes where this takes a second.

A row "  - [ 1 , Ca , 0.5, ]" becomes, byte for byte, a row of a text dump by blanks in place of brackets and commas.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.readers.lammps_columns import Columns, leaves_cell, records
from mdtools.readers.lammps_dump import TextDump
from mdtools.readers.lammps_header import LONGEST_HEADER, Header, check_same, dropped, is_cut, number_of_atoms, real, tilted_cell, whole
from mdtools.readers.opened import OpenedFile

__all__ = ["YamlDump", "read_files"]

_BLANKS = bytes.maketrans(b"[],", b"   ")


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """Several yaml dumps; their units are in the files, or resolved later."""
    return records(files, YamlDump)


class YamlDump(TextDump):
    """An open yaml dump; see `lammps_columns.Dump`."""

    kind = "LAMMPS yaml dump"

    def index(self) -> tuple[list[Header], list[str]]:
        return index_yaml(self.file)

    def rows_of(self, headers: Sequence[Header]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        parts = [_blanked(self.file, header.start, header.stop) for header in headers]
        stops = np.cumsum([len(part) for part in parts])
        text = np.frombuffer(b"".join(parts), dtype=np.uint8)
        return text, stops - [len(part) for part in parts], stops

    def said(self, plan: Columns, table: np.ndarray) -> dict[str, np.ndarray]:
        self._check_frame_of_axes(plan, table)
        return super().said(plan, table)

    def _check_frame_of_axes(self, plan: Columns, table: np.ndarray) -> None:
        """With triclinic/general yes LAMMPS writes positions in the user's axes and the cell in its own: such a file cannot be read."""
        header = self.headers[0]
        if plan.place[:1] != ("x",) or np.count_nonzero(header.cell) == 3:
            return
        at = self.at(plan)
        scaled = (table[:, [at[name] for name in "xyz"]] - header.origin) @ np.linalg.pinv(header.cell)
        if leaves_cell(scaled[:, header.periodic]):
            raise TrajectoryError(
                f"{self.file.path}: frame 0 (step {header.step}) has positions outside its cell, as dump yaml writes them with triclinic/general yes "
                "(cell and positions in different axes); dump without it, or as dump custom, which writes both in the same axes"
            )


def _blanked(file: OpenedFile, start: int, stop: int) -> bytes:
    return bytes(file.bytes[start:stop]).replace(b"- [", b"   ").translate(_BLANKS)


def index_yaml(file: OpenedFile) -> tuple[list[Header], list[str]]:
    """Headers of all whole frames, and what was dropped at the end of the file."""
    content, at = file.bytes, 0
    headers: list[Header] = []
    notes: list[str] = []
    end = content.rfind(b"\n") + 1  # a line without its end may lack digits as well
    units: str | None = None
    first_lines = 0
    while at < end and content[at : at + 4096].strip():
        found = content.find(b"\ndata:", at, end)
        start = content.find(b"\n", found + 1, end) + 1 if found >= 0 else 0
        if start == 0 or start - at > LONGEST_HEADER:
            if end - at > LONGEST_HEADER:
                raise TrajectoryError(f"{file.path}: frame {len(headers)} (line {file.line(at)}) has no data: where it should; mend the file")
            notes.append(dropped(file, len(headers), "ends within its header"))
            break
        close = content.find(b"\n...", start - 1, end)
        stop = end if close < 0 else close + 1
        header = _header(file, len(headers), at, start, stop, units)
        units = header.units
        lines_of_box = bytes(content[at:start]).partition(b"\nbox:")[2].count(b"\n  - ")
        if lines_of_box != (first_lines := first_lines or lines_of_box):
            raise TrajectoryError(
                f"{file.path}: frame {len(headers)} (line {file.line(at)}) has a box of {lines_of_box} lines, "
                f"the first frame one of {first_lines}; mend the file"
            )
        if close < 0:
            text = _blanked(file, start, stop)
            if is_cut(np.frombuffer(text, dtype=np.uint8), 0, len(text), header):
                notes.append(dropped(file, len(headers), "ends before its last atom"))
                break
        headers.append(header)
        after = content.find(b"\n", stop, end) + 1 if close >= 0 else end
        at = after if after > 0 else end
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(headers) - 1} are lost")
    if not headers:
        why = notes[-1] if notes else f"{file.path}: holds no frame"
        raise TrajectoryError(f"{why}; no whole frame is left: pass a file with at least one")
    check_same(file.path, headers)
    return headers, notes


def _header(file: OpenedFile, frame: int, at: int, start: int, stop: int, units: str | None) -> Header:
    """The header between two bytes; `units` is what an earlier header said."""
    items: dict[str, list[str]] = {}
    box: list[list[float]] = []
    key = ""
    try:
        for line in bytes(file.bytes[at:start]).decode("ascii", "replace").splitlines():
            if line.startswith((" ", "\t")):
                if key == "box":
                    box.append([real(word) for word in _words(line.strip().removeprefix("-"))])
            elif line.strip() == "---" and not items:
                continue
            elif line.strip():
                key, colon, rest = line.partition(":")
                if not colon or key in items:
                    raise ValueError(f"{line[:40]!r} is not expected here")
                items[key] = _words(rest)
        cell, origin = _cell(box)
        # p, p, f, s, ... are the low and high sides in turn
        sides = items["boundary"]
        if len(sides) != 6 or not set(sides) <= set("pfsm"):
            raise ValueError(f"boundary {' '.join(sides)[:40]} is none")
        return Header(
            step=whole(_only(items["timestep"])),
            time=real(_only(items["time"])) if "time" in items else None,
            units=_only(items["units"]) if "units" in items else units,
            n_atoms=number_of_atoms(_only(items["natoms"])),
            cell=cell,
            origin=origin,
            periodic=(sides[0] == sides[1] == "p", sides[2] == sides[3] == "p", sides[4] == sides[5] == "p"),
            columns=tuple(items["keywords"]),
            start=start,
            stop=stop,
        )
    except (KeyError, IndexError, ValueError) as reason:
        raise TrajectoryError(
            f"{file.path}: the header of frame {frame} (line {file.line(at)}) cannot be understood ({type(reason).__name__}: {reason}); "
            f"pass a dump with timestep, natoms, boundary, box, keywords and data"
        ) from None


def _only(words: list[str]) -> str:
    """The one member that is expected."""
    if len(words) != 1:
        raise ValueError(f"{' '.join(words)[:40]!r} is not one value")
    return words[0]


def _words(text: str) -> list[str]:
    """Members of "[ a, b, ]", or a single one."""
    return [word for word in text.replace("[", " ").replace("]", " ").replace(",", " ").split() if word]


def _cell(box: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    if [len(line) for line in box] not in ([2, 2, 2], [2, 2, 2, 3]):
        raise ValueError("box needs three lines of two numbers, and one of three where the cell is tilted")
    low, high = np.array(box[:3]).T
    return tilted_cell(low, high, np.array(box[3])) if len(box) == 4 else (np.diag(high - low), low)
