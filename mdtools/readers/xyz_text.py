"""The skeleton of every xyz file: a number of atoms, a comment, a row for each atom, and again. Extended xyz, CP2K and i-PI share it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import rows
from mdtools.readers.compiled import compiled
from mdtools.readers.opened import OpenedFile

__all__ = ["XyzFile", "XyzRows", "first_words", "index_xyz", "labels_of", "parse_xyz"]


_BLANK = re.compile(rb"[ \t\r]")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+*'-]{0,63}")
_LARGEST = 1e200  # what is larger is no coordinate, and its square no number


@dataclass(frozen=True)
class XyzFile:
    """Where everything is. comments : of each whole frame. spans : (frame, 2) bytes of its rows. notes : what was dropped."""

    file: OpenedFile
    n_atoms: int
    comments: list[bytes]
    spans: np.ndarray
    notes: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        return len(self.comments)


@compiled
def _skip_lines(text, at, number):
    """Where `number` lines end, each with its line end: (byte, lines found)."""
    found = 0
    for end in range(at, len(text)):
        if text[end] == 10:
            found += 1
            at = end + 1
            if found == number:
                break
    return at, found


def index_xyz(file: OpenedFile) -> XyzFile:
    """Find every frame. A file that breaks off in its last frame loses that frame, which is noted.

    Raises TrajectoryError where a number of atoms is missing or changes, or no frame is whole.
    """
    content, array, at = file.bytes, file.array, 0
    comments: list[bytes] = []
    spans: list[tuple[int, int]] = []
    notes: list[str] = []
    n_atoms = 0
    while True:
        end = content.find(b"\n", at)
        line = bytes(content[at : end if end >= 0 else len(content)])
        if end >= 0 and not line.strip():
            at = end + 1  # blank lines between frames, or at the end
            continue
        if end < 0 and not line.strip(b"\0 \t\r"):
            break
        comment_end = content.find(b"\n", end + 1) if end >= 0 else -1
        if comment_end < 0 and (end >= 0 or line.strip().isdigit()):
            _n_atoms(file, line, at, len(spans), n_atoms if end >= 0 else 0)
            notes.append(f"{file.path.name}: frame {len(spans)}, the last, ends within its header and is dropped")
            break
        number = _n_atoms(file, line, at, len(spans), n_atoms)
        n_atoms = n_atoms or number
        start = comment_end + 1
        stop, found = _skip_lines(array, start, number)
        if found == number - 1 and _is_whole_row(content, start, stop):
            stop, found = len(content), number
        if found < number:
            notes.append(f"{file.path.name}: frame {len(spans)}, the last, ends after {found} of {number} atoms and is dropped")
            break
        comments.append(bytes(content[end + 1 : comment_end]).strip())
        spans.append((start, stop))
        at = stop
        file.passed(at)
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(spans) - 1} are lost")
    if not spans:
        raise TrajectoryError(f"{notes[-1] if notes else f'{file.path}: holds no frame'}; no whole frame is left: pass a file with at least one")
    return XyzFile(file, n_atoms, comments, np.array(spans, dtype=np.int64), tuple(notes))


def _n_atoms(file: OpenedFile, line: bytes, at: int, frame: int, before: int) -> int:
    words = line.split()
    if len(words) != 1 or not words[0].isdigit() or len(words[0]) > 12 or int(words[0]) == 0:
        raise TrajectoryError(
            f"{file.path}: frame {frame}, line {file.line(at)}: {line[:50].decode('ascii', 'replace').strip()!r} is not a number of atoms; "
            f"the frame before has too few or too many rows, or this is no xyz file: mend it, or pass one without this frame"
        )
    if before and int(words[0]) != before:
        raise TrajectoryError(
            f"{file.path}: frame {frame}, line {file.line(at)}: holds {int(words[0])} atoms, the first frame {before}; pass frames of the same atoms"
        )
    return int(words[0])


def _is_whole_row(content: object, start: int, at: int) -> bool:
    """Whether the last line of a file, which lacks its end, has as many words, and decimals in the last one, as the row above it."""
    text = bytes(content[max(start, at - 4096) : at])  # type: ignore[index]
    above, last = text.rstrip(b"\r\n").rpartition(b"\n")[2].split(), bytes(content[at:]).split()  # type: ignore[index]
    decimals = [len(re.sub(rb".*\.", b"", row[-1])) if row and b"." in row[-1] else -1 for row in (above, last)]
    return len(above) == len(last) > 0 and decimals[0] == decimals[1] >= 0


def first_words(xyz: XyzFile, frame: int = 0) -> list[list[str]]:
    """The words of every row of one frame, told apart as the parser of the rows does."""
    start, stop = xyz.spans[frame]
    lines = bytes(xyz.file.bytes[start:stop]).removesuffix(b"\n").split(b"\n")
    return [[word.decode("ascii", "replace") for word in _BLANK.split(line) if word] for line in lines]


def labels_of(xyz: XyzFile, column: int) -> np.ndarray:
    """(atom,) the words of one column in the first frame. Raises TrajectoryError for what is no label."""
    words = [row[column] if column < len(row) else "" for row in first_words(xyz)]
    for row, word in enumerate(words):
        if not _LABEL.fullmatch(word):
            _refuse(xyz, 0, row, 0, f"has no label in column {column + 1}")
    return np.array(words)


@dataclass(frozen=True)
class XyzRows:
    """Which columns of a row are read. slots : as `rows.parse_rows` takes them. width : columns that come out. words : which are hashes."""

    slots: np.ndarray
    width: int
    words: Sequence[int] = ()


def parse_xyz(xyz: XyzFile, frames: np.ndarray, columns: XyzRows, *, first: np.ndarray | None = None) -> np.ndarray:
    """(frame, atom, column) of some frames. `first` : (atom, word) hashes of the first frame, which those of all must equal.

    Raises TrajectoryError naming frame and line of a row that is not as announced.
    """
    out = np.empty((len(frames), xyz.n_atoms, columns.width))
    spans = xyz.spans[frames]
    status, frame, row, at = rows.parse_rows(xyz.file.array, spans[:, 0], spans[:, 1], columns.slots, False, out)
    if status != rows.GOOD:
        what = (
            "has columns that were not announced"
            if status == rows.LONG_ROW
            else f"is not {len(columns.slots)} columns with numbers where they belong"
        )
        _refuse(xyz, int(frames[frame]), row, at, what)
    wild = ~(np.abs(out) < _LARGEST)
    if wild.any():
        frame, row = np.argwhere(wild)[0, :2]
        _refuse(xyz, int(frames[frame]), int(row), int(spans[frame, 0]), "holds what is no finite number")
    if first is not None:
        changed = (out[:, :, list(columns.words)] != first).any(axis=2)
        if changed.any():
            frame, row = np.argwhere(changed)[0]
            _refuse(xyz, int(frames[frame]), int(row), int(spans[frame, 0]), "is of another element than in the first frame; pass atoms in one order")
    return out


def _refuse(xyz: XyzFile, frame: int, row: int, at: int, what: str) -> None:
    path, content = xyz.file.path, xyz.file.bytes
    start = int(xyz.spans[frame, 0])
    for _ in range(row):
        start = content.find(b"\n", start) + 1
    raise TrajectoryError(
        f"{path}: frame {frame}, line {xyz.file.line(start)}: the row of atom {row + 1} {what} ({xyz.file.text_of_line(start)!r}); "
        f"mend the file, or pass one without this frame"
    )
