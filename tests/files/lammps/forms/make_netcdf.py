"""The run of in.forms as `dump netcdf` lays it out, written by the netCDF4 library (not needed by mdtools): python make_netcdf.py

id type q x y z ix iy iz vx vy vz as LAMMPS of 2023 writes them: times as step numbers with the step as scale_factor, lengths and
angles of the cell, its origin, units. Also as AMBER would: unwrapped coordinates, velocities in 20.455 angstrom/ps.
"""

import gzip
from pathlib import Path

import netCDF4
import numpy as np

HERE = Path(__file__).parent


def frames():
    """Step, box lines and rows of each frame of the text dump, sorted by id."""
    lines = gzip.decompress((HERE / "forms.lammpstrj.gz").read_bytes()).decode().split("\n")
    starts = [i for i, line in enumerate(lines) if line == "ITEM: TIMESTEP"]
    for start in starts:
        step, number = int(lines[start + 1]), int(lines[start + 3])
        box = np.array([line.split() for line in lines[start + 5 : start + 8]], dtype=float)
        names = lines[start + 8].split()[2:]
        rows = [dict(zip(names, line.split(), strict=True)) for line in lines[start + 9 : start + 9 + number]]
        yield step, box, rows


def cell_of(box):
    low, high, (xy, xz, yz) = box[:, 0].copy(), box[:, 1].copy(), box[:, 2]
    low -= (min(0, xy, xz, xy + xz), min(0, yz), 0)
    high -= (max(0, xy, xz, xy + xz), max(0, yz), 0)
    lx, ly, lz = high - low
    a, b, c = np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]])
    lengths = [np.linalg.norm(v) for v in (a, b, c)]
    angle = lambda u, v: np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))  # noqa: E731
    return low, lengths, [angle(b, c), angle(a, c), angle(a, b)]


def write(name, form, *, real="f4", amber=False):
    run = list(frames())
    file = netCDF4.Dataset(HERE / name, "w", format=form)
    file.setncatts({"Conventions": "AMBER", "ConventionVersion": "1.0", "program": "pmemd" if amber else "LAMMPS", "programVersion": "22 Jul 2025"})
    for dim, length in {"frame": None, "atom": len(run[0][2]), "cell_spatial": 3, "cell_angular": 3, "label": 10, "spatial": 3}.items():
        file.createDimension(dim, length)
    file.createVariable("spatial", "S1", ("spatial",))[:] = list("xyz")
    time = file.createVariable("time", real, ("frame",))
    time.units = "picosecond"
    if not amber:
        time.setncattr("scale_factor", np.float32(0.001))
    vectors = {"coordinates": ("xu", "yu", "zu") if amber else ("x", "y", "z"), "velocities": ("vx", "vy", "vz")}
    made = {"time": time}
    for quantity in ("cell_lengths", "cell_angles", *(() if amber else ("cell_origin",))):
        made[quantity] = file.createVariable(quantity, real if not amber else "f8", ("frame", "cell_spatial"))
        made[quantity].units = "degree" if "angles" in quantity else "angstrom"
    for quantity in vectors:
        made[quantity] = file.createVariable(quantity, real, ("frame", "atom", "spatial"))
        made[quantity].units = "angstrom" if quantity == "coordinates" else "angstrom/picosecond"
    if amber:
        made["velocities"].setncattr("scale_factor", 20.455)
    scalars = () if amber else ("id", "type", "q", "ix", "iy", "iz")
    for quantity in scalars:
        made[quantity] = file.createVariable(quantity, real if quantity == "q" else "i4", ("frame", "atom"))
    file.set_auto_maskandscale(False)
    for t, (step, box, rows) in enumerate(run):
        low, lengths, angles = cell_of(box)
        made["time"][t] = step * 0.001 if amber else step
        made["cell_lengths"][t], made["cell_angles"][t] = lengths, angles
        if not amber:
            made["cell_origin"][t] = low
        for quantity, names in vectors.items():
            values = np.array([[float(row[n]) for n in names] for row in rows])
            if amber and quantity == "coordinates":
                values -= low
            made[quantity][t] = values / (20.455 if amber and quantity == "velocities" else 1.0)
        for quantity in scalars:
            made[quantity][t] = [float(row[quantity]) for row in rows]
    file.close()


write("forms.cdf1.nc", "NETCDF3_CLASSIC")
write("forms.cdf2.nc", "NETCDF3_64BIT_OFFSET", real="f8")
write("forms.cdf5.nc", "NETCDF3_64BIT_DATA")
write("forms.hdf5.nc", "NETCDF4")
write("amber.nc", "NETCDF3_64BIT_OFFSET", amber=True)
