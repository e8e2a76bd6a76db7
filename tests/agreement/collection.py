"""The developers' collection: what is read of it, with which options, and what is refused and why.

MDTOOLS_TEST_DATA names its folder (scripts/test-data DIR); it is too large, and in parts too strictly licensed, to be kept here.
"""

import os
from pathlib import Path

__all__ = ["CAF2", "DATA", "METAL", "NO_TRAJECTORY", "READ", "REAL", "REFUSED", "given"]

DATA = Path(os.environ.get("MDTOOLS_TEST_DATA", "."))

METAL = {"units": "metal", "timestep": 0.001}
CAF2 = {**METAL, "species": {1: "Ca", 2: "F"}}
REAL = {"units": "real", "timestep": 0.001, "species": {i: f"type{i}" for i in range(1, 20)}}
STEP = {"frame_interval": 0.1}
PLAIN = {"frame_interval": 0.1, "species": "X"}
TOPOLOGY = "lammps/caf2/equil.restricted.data"
ALN = {"topology": "lammps/AlN_npt_triclinic/lmp.struct"}

# file -> (options, frames, atoms)
READ = {
    "lammps/caf2/wrapped_image.lammpstrj": (CAF2, 101, 375),
    "lammps/caf2/unwrapped_element.lammpstrj": (METAL, 101, 375),
    "lammps/caf2/unwrapped_element.lammpstrj.zst": (METAL, 101, 375),
    "lammps/caf2/scaled_image_charge.lammpstrj.gz": (CAF2, 101, 375),
    "lammps/caf2/allcolumns.lammpstrj.gz": (METAL, 21, 375),
    "lammps/caf2/general_triclinic.lammpstrj": (METAL, 21, 375),
    "lammps/caf2/header_units_time.lammpstrj": ({"species": {1: "Ca", 2: "F"}}, 21, 375),
    "lammps/caf2/mobile_F_only.lammpstrj.gz": (CAF2, 101, 250),
    "lammps/caf2/logspaced.lammpstrj.gz": (CAF2, 39, 375),
    "lammps/caf2/velF_every5.lammpstrj.gz": ({**METAL, "topology": TOPOLOGY}, 401, 250),
    "lammps/caf2/restart_overlap.lammpstrj": (CAF2, 41, 375),
    "lammps/caf2/npt_scaled_image.lammpstrj.gz": (CAF2, 51, 375),
    "lammps/caf2/npt_unwrapped_element.lammpstrj.gz": (METAL, 51, 375),
    "lammps/caf2/perstep/*.dump": (METAL, 6, 375),
    "lammps/caf2/lj_units.lammpstrj.gz": ({"units": "lj", "timestep": 0.005, "species": {1: "A"}, "masses": {"A": 1}}, 51, 500),
    "lammps/caf2/wrapped.dcd": ({"timestep": 0.001, "topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/unwrapped.dcd": ({"timestep": 0.001, "topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/npt_unwrapped.dcd": ({"timestep": 0.001, "topology": TOPOLOGY}, 51, 375),
    "lammps/caf2/wrapped.xtc": ({"topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/unwrapped.xtc": ({"topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/npt_wrapped.xtc": ({"topology": "lammps/caf2/equil.general.data"}, 51, 375),
    "lammps/bad/truncated_last_frame.lammpstrj": (CAF2, 31, 375),
    "lammps/bad/truncated_stream.lammpstrj.gz": (CAF2, 20, 375),
    "lammps/dump/Al31-1200K-1ps.lammpstrj.gz": ({**METAL, "species": "Al"}, 501, 31),
    "lammps/dump/dump.rdx.gz": (REAL, 11, 21),
    "lammps/dump/dump.tatb": ({"units": "real", "topology": "lammps/data/tatb.data"}, 1, 384),
    "lammps/AlN_npt_triclinic/lmp.out.dump": ({**METAL, "species": {1: "Al", 2: "N"}}, 101, 16),
    "lammps/AlN_npt_triclinic/lmp.out.dcd": ({**ALN, "frame_interval": "0.5 fs"}, 101, 16),
    "lammps/moly_h5md_vs_text/lammps_moly_custom.txt": (REAL, 11, 1024),
    "lammps/mda/image_vf.lammpstrj": (REAL, 3, 7),
    "lammps/mda/test_non_linear.dump.bz2": (REAL, 11, 15),
    "lammps/wildcard_series/*.gz": (REAL, 2, 10479),
    "lammps/kinisi_lj/example_LAMMPS.dcd": ({"units": "lj", "frame_interval": 1, "species": "A"}, 200, 256),
    "vasp/xdatcar/Li6PS5Cl_50p_run1_XDATCAR.gz": (STEP, 140, 416),
    "vasp/xdatcar/Li6PS5Cl_0p_run1_XDATCAR.gz": (STEP, 140, 416),
    "vasp/xdatcar/Li6PS5I_50p_run1_XDATCAR.gz": (STEP, 100, 416),
    "vasp/xdatcar/Li6PS5Cl_50p_run1_inherent_XDATCAR.gz": (STEP, 140, 416),
    "vasp/xdatcar/liquid_Na_671.0K_XDATCAR.gz": ({"frame_interval": "2 fs"}, 2000, 100),
    "vasp/xdatcar/XDATCAR_4": (STEP, 4, 3),
    "vasp/xdatcar/XDATCAR_5": (STEP, 4, 3),
    "vasp/xdatcar/XDATCAR_6": (STEP, 4, 7),
    "vasp/xdatcar/XDATCAR.MD": (STEP, 5, 80),
    "vasp/xdatcar/XDATCAR_monatomic.gz": (STEP, 10, 4),
    "vasp/xdatcar/XDATCAR_traj_combine_test_1": (STEP, 100, 76),
    "vasp/xdatcar/XDATCAR_traj_combine_test_2": (STEP, 100, 36),
    "vasp/xdatcar/XDATCAR_traj_combine_test_full": (STEP, 200, 76),
    "vasp/xdatcar/NaCl_800K_MD_XDATCAR": (STEP, 40, 216),
    "vasp/xdatcar/FePO4_variable_cell_XDATCAR.gz": (STEP, 1684, 24),
    "vasp/xdatcar/CeO2_CO_repeated_species_XDATCAR": (STEP, 75, 38),
    "vasp/xdatcar/BiMoO_blank_separator_XDATCAR": (STEP, 57, 210),
    "vasp/xdatcar/LLZO_ok_XDATCAR": (STEP, 2, 382),
    "vasp/restart_chain/run*/XDATCAR": (STEP, 6, 108),
    "vasp/restart_chain/run*/vasprun.xml.gz": ({}, 6, 108),
    "vasp/restart_chain/run*/OUTCAR.gz": ({}, 6, 108),
    "vasp/vasprun/vasprun.md.xml.gz": ({}, 10, 64),
    "vasp/vasprun/vasprun.h2o.md.10.xml": ({}, 10, 6),
    "vasp/vasprun/vasprun.h2o.md.tribox.xml": ({}, 3, 6),
    "vasp/outcar/OUTCAR.h2o.md.10": ({}, 10, 6),
    "vasp/vasprun/vasprun.ml_md.xml.gz": ({}, 100, 80),
    "vasp/vaspout/vaspout_Li6PS5Cl_synthetic.h5": ({}, 140, 416),
    "vasp/vaspout/vaspout_py4vasp_demo.h5": (STEP, 4, 7),
    "other/cp2k_npt/PROJECT-pos-1.xyz": ({}, 16, 57),
    "other/ipi/ref_simulation.pos_0.xyz": ({"timestep": "0.5 fs"}, 6, 648),
    "other/ase/example_ase.traj": (STEP, 200, 288),
    "other/extxyz/LiPS_first16.extxyz.gz": ({"frame_interval": "20 fs"}, 16, 2688),
    "other/extxyz/BaTiS3_gpumd_npt.extxyz.gz": ({}, 40, 640),
    "other/extxyz/extended_crlf.xyz": (STEP, 1, 2),
    "other/gpumd/dump.xyz": ({}, 10, 1536),
    "other/gpumd/dump_static_PbTe.xyz": (STEP, 1, 250),
    "lammps/caf2/dump.yaml.gz": (CAF2, 11, 375),
    "lammps/binary/scaled_traj.nc": ({"species": "X"}, 26, 1938),
    "lammps/binary/version-5.nc": ({"species": "X"}, 11, 1576),
    "lammps/moly_h5md_vs_text/lammps_moly_h5md.h5": ({"units": "real", "timestep": 0.001, "species": "type1"}, 11, 1024),
    "other/gromacs/traj.trr": ({"species": "X"}, 2, 648),
    "other/h5md_amber/cu_malformed.h5md": ({"species": "X"}, 20, 108),
    "other/h5md_amber/ace_tip3p.nc": ({"species": "X"}, 10, 1398),
    "other/h5md_amber/cpptraj_traj.nc": (PLAIN, 3, 84),
    "other/h5md_amber/cu.h5md": ({"species": "X"}, 20, 108),
}
# file -> (options, part of the refusal)
REFUSED = {
    "lammps/caf2/noid_unsorted.lammpstrj": (CAF2, "has no column id"),
    "lammps/caf2/atomstyle.lammpstrj": (CAF2, "too far to tell its image"),
    "lammps/caf2/lammps.extxyz.gz": (STEP, "too far to tell its image"),
    "lammps/caf2/varying_natoms_slab.lammpstrj": (CAF2, "holds 140 atoms, the first frame 138"),
    "lammps/caf2/plain.xyz": (STEP, "has no cell"),
    "lammps/bad/atom-duplicated-id.lammpstrj": (CAF2, "holds atom id 2 twice"),
    "lammps/bad/atom-not-enough-lines.lammpstrj": (CAF2, "no whole frame is left"),
    "lammps/dump/detect_best_pos_repr.lammpstrj": ({"units": "real", "species": "X"}, "holds 856 atoms, the first frame 854"),
    "lammps/dump/nacl.lammpstrj": (REAL, "has no column id"),
    "lammps/mda/albite_triclinic.dump": (REAL, "its last line has no line end"),
    "vasp/xdatcar/XDATCAR.bad_fmt.gz": (STEP, "too far to tell its image"),
    "vasp/bad_xdatcar/LLZO_cell_wrong_XDATCAR": (STEP, "is not a cell vector"),
    "vasp/bad_xdatcar/LLZO_composition_wrong_XDATCAR": (STEP, "is not a row of 4 chemical symbols"),
    "vasp/bad_xdatcar/LLZO_pos_wrong_XDATCAR": (STEP, "382 atoms are announced, 381 rows are there"),
    "vasp/bad_xdatcar/LLZO_scale_wrong_XDATCAR": (STEP, "is not a scale"),
    "other/extxyz/mixed_traj.xyz": (STEP, "holds 2 atoms, the first frame 1"),
    "other/cp2k_npt/PROJECT-vel-1.xyz": (STEP, "holds no positions"),
    "other/cp2k_npt/PROJECT-frc-1.xyz": (STEP, "holds no positions"),
    "other/ipi/ref_simulation.vel_0.xyz": (STEP, "not positions"),
    "other/gromacs/cobrotoxin.xtc": ({"species": "X"}, "too far to tell its image"),
}
# files that hold no trajectory, by pattern, and what they hold
NO_TRAJECTORY = {
    "*.md": "about the collection",
    "EXPECTED.json": "known numbers",
    "lammps/**/in.*": "input of LAMMPS",
    "lammps/**/pot.inc": "input of LAMMPS",
    "lammps/**/lmp.in": "input of LAMMPS",
    "lammps/**/log.*": "log of LAMMPS",
    "lammps/caf2/*ref_*.dat": "numbers that LAMMPS computed",
    "lammps/**/*.data": "topology",
    "lammps/data/*.lmp.gz": "topology",
    "lammps/**/lmp.struct*": "topology",
    "lammps/**/structure_moly.lammps": "topology",
    "vasp/xdatcar/*_frame_numbers.dat.gz": "steps of an XDATCAR",
    "vasp/**/*INCAR": "input of VASP",
    "other/cp2k_npt/cp2k.in": "input of CP2K",
    "other/cp2k_npt/*.cell": "cells of a CP2K run, read with its positions",
    "other/cp2k_npt/*.ener": "energies of a CP2K run",
}


def given(options):
    return {key: DATA / value if key == "topology" else value for key, value in options.items()}
