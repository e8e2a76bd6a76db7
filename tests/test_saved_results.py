"""What is done with saved results: drawn, exported, compared, cited; by function and by command."""

import csv
import json
import re

import matplotlib
import numpy as np
import pytest

import mdtools as md
from mdtools import chain, schema, synthetic
from mdtools.cli import main
from mdtools.reporting.citing import METHODS, literature

matplotlib.use("Agg")


def walk(seed, **more):
    return synthetic.brownian(n_atoms=32, n_frames=200, seed=seed, **more)


@pytest.fixture(scope="module")
def msd():
    return md.msd(walk(1), windows=2)


@pytest.fixture(scope="module")
def saved(msd, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "msd.nc"
    schema.to_netcdf(msd, path)
    return path


# -- drawn: every stage of a run is drawn in tests/test_report.py ---------------------------------------------------


def test_a_figure_is_drawn_where_it_is_asked_for(msd):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert md.plot(msd, ax=ax) is ax
    assert ax.get_xlabel() == "time (ps)"
    assert ax.get_ylabel() == "mean squared displacement (Å²)"
    labels = [line.get_label() for line in ax.lines]
    assert [name for name in msd.species.values if name in labels] == list(msd.species.values)


def test_what_stands_beside_is_drawn_with_it(msd):
    alone = len(md.plot(msd).lines)
    assert len(md.plot(msd, beside=md.self_diffusivity(md.msd(walk(1)))).lines) > alone


def test_a_figure_for_each_species_is_one_axes_or_all(msd):
    measured = md.van_hove_self(walk(1))
    axes = md.plot(measured)
    assert [ax.get_title(loc="left") or ax.get_title() for ax in axes] == list(measured.species.values)
    one = md.plot(measured, species=str(measured.species.values[0]), kind="map")
    assert one.collections
    with pytest.raises(md.TrajectoryError, match="pass species="):
        md.plot(measured, ax=one)
    with pytest.raises(md.TrajectoryError, match=r"no species Xe; it has"):
        md.plot(measured, species="Xe")
    with pytest.raises(md.TrajectoryError, match="msd has no map"):
        md.plot(msd, kind="map")
    with pytest.raises(md.TrajectoryError, match=r"is one for all: leave species= \(--species\) out"):
        md.plot(msd, species="A")
    with pytest.raises(md.TrajectoryError, match=r"one for each species: leave pair="):
        md.plot(measured, pair="A-B")


def test_several_runs_are_drawn_over_temperature():
    members = [md.self_diffusivity(md.msd(walk(k, temperature=600 + 100 * k))) for k in (1, 2, 3)]
    fit = md.activation_energy(members)
    ax = md.plot(members, beside=fit)
    assert ax.get_xlabel() == "1000 / T (1/K)"
    measured = fit.isel(species=0).where(fit.isel(species=0).extrapolated == 0, drop=True)
    [line] = [one for one in ax.get_lines() if one.get_linestyle() == "--"][:1]  # what the laws together say, as the band beside it
    np.testing.assert_allclose(line.get_ydata(), measured.predicted_diffusivity)
    np.testing.assert_allclose(line.get_xdata(), 1000 / measured.predicted_temperature)
    assert ax.get_yscale() == "log"
    with pytest.raises(md.TrajectoryError, match="several runs are drawn of one of"):
        md.plot([members[0], md.msd(walk(1))])
    with pytest.raises(md.TrajectoryError, match="leave species="):
        md.plot(members, species="A")


# -- exported -------------------------------------------------------------------------------------------------------


def table(path):
    rows = list(csv.reader(path.read_text().splitlines()))
    return rows[0], rows[1], rows[2:]


def test_a_curve_is_a_table_with_units_and_errors(msd, tmp_path):
    (path,) = md.export(msd, out=tmp_path / "a.csv")
    names, units, body = table(path)
    assert names[0], units[0] == ("lag", "ps")
    column = names.index("msd A")
    assert units[column] == "angstrom^2"
    values = msd.msd.sel(species="A")
    assert [float(row[column]) for row in body] == values.mean("window").values.tolist()
    error = names.index("msd_stderr A")
    assert np.allclose([float(row[error]) for row in body], values.std("window", ddof=1) / np.sqrt(2))
    assert not list(tmp_path.glob(".*"))


def test_numbers_by_label_are_rows_with_every_digit(tmp_path):
    found = md.self_diffusivity(md.msd(walk(1)))
    (path,) = md.export(found, out=tmp_path / "d.csv")
    names, _, body = table(path)
    assert [row[0] for row in body] == list(found.species.values)
    assert [float(row[names.index("self_diffusivity")]) for row in body] == found.self_diffusivity.values.tolist()
    assert {row[names.index("regime")] for row in body} == set(found.regime.values)


def test_everything_keeps_windows_and_terms_of_errors(msd, tmp_path):
    written = {path.name for path in md.export(msd, out=tmp_path / "a.csv", everything=True)}
    assert {"a.window-lag.csv", "a.block_lag-block.csv", "a.csv", "a.species.csv"} & written
    names, _, body = table(next(tmp_path.glob("a.window-lag.csv")))
    assert [float(row[names.index("msd A")]) for row in body] == msd.msd.sel(species="A").values.reshape(-1).tolist()


def test_json_holds_everything_and_no_nan(msd, tmp_path):
    found = md.self_diffusivity(msd)
    found["self_diffusivity"] = found.self_diffusivity * np.nan
    (path,) = md.export([found, msd], out=tmp_path / "a.json")
    results = {one["result"]: one for one in json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(word))}
    assert results["self_diffusivity"]["quantities"]["self_diffusivity"]["values"] == [None] * msd.sizes["species"]
    assert np.array_equal(results["msd"]["quantities"]["msd"]["values"], msd.msd.values)
    assert results["msd"]["quantities"]["msd"]["units"] == "angstrom^2"
    assert results["msd"]["history"] == schema.history(msd)


def test_other_suffixes_are_refused(msd, tmp_path):
    with pytest.raises(md.TrajectoryError, match=r"NAME.csv or NAME.json, not as a.xlsx"):
        md.export(msd, out=tmp_path / "a.xlsx")


# -- compared -------------------------------------------------------------------------------------------------------


def test_runs_of_one_model_agree_and_of_two_do_not():
    same = [md.self_diffusivity(md.msd(walk(k))) for k in (1, 2)]
    found = md.compare(*same).sel(check="self_diffusivity of A")
    error = np.hypot(*(float(one.self_diffusivity_stderr[0]) for one in same))
    assert float(found.difference) == float(same[0].self_diffusivity[0] - same[1].self_diffusivity[0])
    assert float(found.z_score) == pytest.approx(float(found.difference) / error)
    assert abs(float(found.z_score)) < 4
    faster = md.self_diffusivity(md.msd(walk(3, diffusivity=2.0)))
    assert float(md.compare(same[0], faster).z_score.sel(check="self_diffusivity of A")) < -4


def test_results_of_one_run_have_no_z_and_name_the_setting():
    run = walk(1)
    found = md.compare(md.msd(run, windows=2), md.msd(run, windows=4))
    assert np.isnan(found.z_score).all()
    rows = json.loads(found.attrs["settings_that_differ"])
    assert ["msd", "windows", "2", "4"] in rows


def test_curves_are_compared_where_they_differ_most(msd):
    other = msd.copy(deep=True)
    other.attrs["history"] = other.attrs["history"].replace('"checksum": "', '"checksum": "0')
    other["msd"] = msd.msd.copy()
    other["msd"] += 5.0 * (other.lag == other.lag[7]) * (other.species == "A")
    found = md.compare(msd, other)
    names = [str(name) for name in found.check.values if str(name).startswith("msd of A")]
    assert names == [f"msd of A at most, at lag {float(msd.lag[7]):.4g}"]
    assert float(found.difference.sel(check=names[0])) == pytest.approx(-5.0)


def test_nothing_in_common_is_refused(msd):
    with pytest.raises(md.TrajectoryError, match="no number that is in both"):
        md.compare(msd, md.self_diffusivity(msd))


# -- cited ----------------------------------------------------------------------------------------------------------


def test_every_stage_is_described_and_every_paper_is_there():
    assert set(METHODS) == set(chain.STAGES)
    keys = [key for _, papers in METHODS.values() for key in papers]
    assert set(keys) == set(literature())
    for key, entry in literature().items():
        assert entry.startswith(f"@article{{{key},\n")
        assert entry.count("{") == entry.count("}")
        assert re.search(r"volume = \{\d+\},\n  pages = \{\w+\},\n  year = \{\d{4}\}", entry)


def test_the_paragraph_names_every_setting_and_the_papers(msd):
    text = md.cite(md.self_diffusivity(msd))
    assert "windows 2; " in text
    assert "[bullerjahn2020, mccluskey2025]" in text
    assert "@article{bullerjahn2020," in text
    assert text.index("Mean squared") < text.index("Self-diffusion")


# -- by command -----------------------------------------------------------------------------------------------------


def test_the_commands_write_and_print(saved, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plot", str(saved)]) == 0
    assert (tmp_path / "msd.svg").read_text().startswith("<?xml")
    assert main(["export", str(saved), "--out", "msd.csv"]) == 0
    assert "written to msd.csv" in capsys.readouterr().out
    assert main(["compare", str(saved), str(saved)]) == 0
    assert "by settings, not by chance" in capsys.readouterr().out
    assert main(["cite", str(saved)]) == 0
    assert "Mean squared displacements" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plot", "SAVED", "--out", "a.bmp"], "NAME.svg, NAME.pdf, NAME.png, NAME.eps, not as a.bmp"),
        (["plot", "SAVED", "--result", "haven-ratio"], "no haven_ratio in these files; they hold msd"),
        (["plot", "none.nc"], "there is no file none.nc"),
        (["export", "SAVED"], "--out"),
        (["compare", "SAVED"], "see mdtools compare --help"),
        (["cite", __file__], "takes results that mdtools saved"),
    ],
)
def test_mistakes_are_told_in_one_line(saved, capsys, words, says):
    assert main([str(saved) if word == "SAVED" else word for word in words]) == 2
    line = capsys.readouterr().err
    assert says in line
    assert line.count("\n") == 1
