"""Real files of every format, cut to a few frames, and where their frames and rows of atoms lie.

What is where is found here without the readers, by the simplest rule that holds for the file.
"""

import bz2
import gzip
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import zstandard

__all__ = ["FILES", "SPECIMENS", "UNPACK", "Span", "Specimen"]

FILES = Path(__file__).parents[1] / "files"
COLLECTION = Path(os.environ.get("MDTOOLS_TEST_DATA", FILES))  # formats of which no file may be kept here
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@dataclass(frozen=True)
class Span:
    """One frame of a text: bytes where it starts, where its rows of atoms start, and where it stops."""

    start: int
    rows: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A real file. frames : how many are kept. name : what the file is called on disk. spans : finds the frames of a text; None for binary.

    loose : where one frame ends and the next begins is a matter of taste (VASP's own files), so that a refusal need not name it.
    options : of `read`. beside : files it needs in its folder. as_topology : the specimen is the topology of `with_file`.
    """

    format: str
    path: str
    options: dict[str, Any]
    frames: int = 4
    spans: Callable[[bytes], list[Span]] | None = None
    skip: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    as_topology: str | None = None
    called: str = ""
    loose: bool = False

    @property
    def key(self) -> str:
        return f"{self.format}:{self.path}"

    @property
    def place(self) -> Path:
        """Where it lies: among the files of the tests, or in the collection that MDTOOLS_TEST_DATA names."""
        return next((folder / self.path for folder in (FILES, COLLECTION) if (folder / self.path).exists()), FILES / self.path)

    @property
    def name(self) -> str:
        if self.called:
            return self.called
        path = Path(self.path)
        return path.stem if path.suffix in UNPACK else path.name

    @property
    def is_text(self) -> bool:
        return self.spans is not None

    @cached_property
    def content(self) -> bytes:
        data = self.place.read_bytes()
        data = UNPACK.get(Path(self.path).suffix, bytes)(data)
        if self.spans is None:
            return data
        spans = self.spans(data)
        return data[: spans[min(self.frames, len(spans)) - 1].stop]

    @cached_property
    def layout(self) -> list[Span]:
        assert self.spans is not None
        return self.spans(self.content)


def dump_spans(data: bytes) -> list[Span]:
    """Frames of a LAMMPS text dump: from the items above TIMESTEP to the next ones."""
    starts = [m.start() for m in re.finditer(rb"(?m)^(ITEM: UNITS\n.*\n)?(ITEM: TIME\n.*\n)?ITEM: TIMESTEP\n", data)]
    stops = [*starts[1:], len(data)]
    return [Span(a, data.index(b"\n", data.index(b"ITEM: ATOMS", a)) + 1, b) for a, b in zip(starts, stops, strict=True)]


def xdatcar_spans(data: bytes) -> list[Span]:
    """Frames of an XDATCAR: as many rows as the counts say behind every line that is blank or begins with "direct"."""
    lines = data.split(b"\n")
    n_atoms = next(sum(map(int, line.split())) for line in lines[5:7] if re.fullmatch(rb"[\s\d]+", line))
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line) + 1)
    found: list[Span] = []
    number, start = 5, 0
    while number < len(lines):
        separates = not lines[number].strip() or lines[number].strip().lower().startswith(b"direct")
        if separates and number + n_atoms < len(lines):
            found.append(Span(start, ends[number + 1], ends[number + 1 + n_atoms]))
            number += n_atoms
            start = found[-1].stop
        number += 1
    return found


def xyz_spans(data: bytes) -> list[Span]:
    """Frames of an (ext)xyz: a number, a comment, and that many rows."""
    found, at = [], 0
    while data[at : at + 40].strip():
        count_end = data.index(b"\n", at) + 1
        rows = data.index(b"\n", count_end) + 1
        stop = rows
        for _ in range(int(data[at:count_end])):
            stop = data.index(b"\n", stop) + 1
        found.append(Span(at, rows, stop))
        at = stop
    return found


def data_spans(data: bytes) -> list[Span]:
    """A LAMMPS data file counts as one frame whose rows are those of the section Atoms, all behind them left out."""
    rows = re.search(rb"(?m)^Atoms.*\n\n", data)
    assert rows is not None
    behind = re.search(rb"(?m)^(Velocities|Bonds).*\n", data)
    return [Span(0, rows.end(), behind.start() if behind else len(data))]


_NO_IDS = ("replace_a_row_by_another", "exchange_two_rows", "exchange_id_and_another")
_NO_NAMES = ("exchange_column_names", "repeat_a_column_name", "drop_a_column_name")
_XYZ = ("replace_a_row_by_another", "exchange_two_rows", "exchange_column_names", "repeat_a_column_name", "drop_a_column_name")
_VASP = (*_NO_IDS, *_NO_NAMES, "wrong_count")
_PACKED = ("pack_only", "cut_the_packed_stream", "damage_the_packed_stream", "zeros_behind_the_packed_stream", "damage_and_pack")
_ONE_FRAME = ("drop_a_frame", "repeat_a_frame", "exchange_two_frames")

_AN_INDENT = ("wider_columns", "exchange_id_and_another", "trailing_blanks_somewhere")


def yaml_spans(data: bytes) -> list[Span]:
    """Frames of a yaml dump: its documents, and the rows below "data:"."""
    starts = [m.start() for m in re.finditer(rb"(?m)^---\n", data)]
    stops = [*starts[1:], len(data)]
    return [
        Span(a, data.index(b"\ndata:\n", a) + 7, data.rindex(b"...", a, b) if b"\n..." in data[a:b] else b)
        for a, b in zip(starts, stops, strict=True)
    ]


def outcar_spans(data: bytes) -> list[Span]:
    """Frames of an OUTCAR: the rows between the dashes below POSITION, and all text above them."""
    found, at = [], 0
    for match in re.finditer(rb"POSITION\s+TOTAL-FORCE.*\n\s*-+\n", data):
        stop = data.index(b"\n", data.index(b" ------", match.end())) + 1
        found.append(Span(at, match.end(), stop))
        at = stop
    return found


def vasprun_spans(data: bytes) -> list[Span]:
    """Frames of a vasprun.xml: from one <calculation> to its end, whose rows are those of its positions."""
    found, at = [], 0
    for match in re.finditer(rb"<calculation>", data):
        stop = data.index(b"</calculation>\n", match.end()) + 15
        found.append(Span(at, data.index(b"\n", data.index(b'<varray name="positions"', match.end())) + 1, stop))
        at = stop
    return found


METAL = {"units": "metal", "timestep": 0.001}
CAF2 = {**METAL, "species": {1: "Ca", 2: "F"}}
STEP = {"frame_interval": 0.1}


def _dump(path: str, options: dict[str, Any], **more: Any) -> Specimen:
    return Specimen(format="lammps", path=f"lammps/{path}", options=options, spans=dump_spans, **more)


def _xdatcar(path: str, **more: Any) -> Specimen:
    return Specimen(format="xdatcar", path=f"vasp/{path}", options=STEP, spans=xdatcar_spans, skip=(*_NO_IDS, *_NO_NAMES), **more)


SPECIMENS: tuple[Specimen, ...] = (
    _dump("caf2/wrapped_image.lammpstrj.gz", CAF2),
    _dump("caf2/unwrapped_element.lammpstrj", METAL),
    _dump("caf2/scaled_image_charge.lammpstrj.gz", CAF2),
    _dump("caf2/allcolumns.lammpstrj.gz", METAL),
    _dump("caf2/general_triclinic.lammpstrj.gz", METAL, frames=3),
    _dump("caf2/header_units_time.lammpstrj.gz", {"species": {1: "Ca", 2: "F"}}),
    _dump("caf2/npt_scaled_image.lammpstrj.gz", CAF2),
    _dump("AlN_npt_triclinic/lmp.out.dump.gz", {**METAL, "species": {1: "Al", 2: "N"}}, frames=6),
    _dump("dump/Al31-1200K-1ps.lammpstrj.gz", {**METAL, "species": "Al"}, frames=6),
    _dump("dump/dump.rdx.gz", {"units": "real", "timestep": 0.0001, "species": {i: f"t{i}" for i in range(1, 9)}}, frames=6),
    _xdatcar("xdatcar/XDATCAR_4"),
    _xdatcar("xdatcar/XDATCAR_5"),
    _xdatcar("xdatcar/XDATCAR_6"),
    _xdatcar("xdatcar/XDATCAR.MD"),
    _xdatcar("xdatcar/XDATCAR_monatomic.gz"),
    _xdatcar("xdatcar/XDATCAR_traj_combine_test_1.gz"),
    _xdatcar("xdatcar/NaCl_800K_MD_XDATCAR.gz", frames=3),
    _xdatcar("xdatcar/FePO4_variable_cell_XDATCAR.gz", frames=5),
    _xdatcar("restart_chain/run1/XDATCAR", frames=3),
    Specimen(
        format="lammps-data",
        path="lammps/caf2/equil.restricted.data",
        options=METAL,
        spans=data_spans,
        skip=(*_NO_NAMES, *_ONE_FRAME),
        as_topology="lammps/caf2/perstep/perstep.00000000.dump",
    ),
    Specimen(
        format="lammps-yaml",
        path="lammps/forms/forms.yaml.gz",
        options={},
        frames=4,
        spans=yaml_spans,
        skip=(*_NO_NAMES, *_AN_INDENT),
    ),
    Specimen(format="extxyz", path="lammps/forms/forms.extxyz.gz", options={**STEP, "units": "metal"}, spans=xyz_spans, skip=_XYZ),
    Specimen(format="extxyz", path="other/extxyz/BaTiS3_gpumd_npt_first6.extxyz.gz", options={}, frames=3, spans=xyz_spans, skip=_XYZ),
    Specimen(
        format="cp2k",
        path="other/cp2k_npt/PROJECT-pos-1.xyz.gz",
        options={},
        frames=16,
        spans=xyz_spans,
        skip=(*_XYZ, *_PACKED),
        beside=("other/cp2k_npt/PROJECT-vel-1.xyz.gz", "other/cp2k_npt/PROJECT-1.cell"),
    ),
    Specimen(format="ipi", path="other/ipi/ref_simulation.pos_0.xyz.gz", options={"timestep": "0.5 fs"}, frames=3, spans=xyz_spans, skip=_XYZ),
    Specimen(format="outcar", path="vasp/restart_chain/run1/OUTCAR.gz", options={}, spans=outcar_spans, skip=_VASP, loose=True),
    Specimen(format="vasprun", path="vasp/restart_chain/run1/vasprun.xml.gz", options={}, spans=vasprun_spans, skip=_VASP, loose=True),
    Specimen(format="vasprun", path="vasp/vasprun/vasprun.md.xml.gz", options={}, spans=vasprun_spans, skip=_VASP, loose=True),
    Specimen(format="lammps-binary", path="lammps/forms/forms.bin", options=CAF2),
    Specimen(format="lammps-binary", path="lammps/forms/atom.bin", options=CAF2),
    Specimen(format="netcdf", path="lammps/forms/forms.cdf1.nc", options=CAF2),
    Specimen(format="netcdf", path="lammps/forms/forms.cdf5.nc", options=CAF2),
    Specimen(format="netcdf", path="lammps/forms/forms.hdf5.nc", options=CAF2),
    Specimen(format="netcdf", path="lammps/forms/amber.nc", options={"species": "X"}),
    Specimen(format="dcd", path="lammps/AlN_npt_triclinic/lmp.out.dcd", options={**STEP, "species": "X"}),
    Specimen(format="dcd", path="lammps/forms/forms.dcd", options={**STEP, "species": "X"}),
    Specimen(format="xtc", path="lammps/caf2/npt_wrapped.xtc", options={"species": "X"}),
    Specimen(format="xtc", path="lammps/forms/forms.xtc", options={"species": "X"}),
    Specimen(format="vaspout", path="vasp/vaspout/vaspout_py4vasp_demo.h5", options=STEP),
    *(
        specimen
        for specimen in (
            Specimen(format="trr", path="other/gromacs/traj.trr", options={"species": "X"}),
            Specimen(format="h5md", path="other/h5md_amber/cu.h5md", options={"species": "X"}),
            Specimen(format="netcdf", path="other/h5md_amber/cpptraj_traj.nc", options={**STEP, "species": "X"}),
        )
        if specimen.place.exists()
    ),
)
