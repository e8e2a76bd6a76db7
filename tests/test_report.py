"""The report: one page that needs nothing from outside, its numbers beside it, from a trajectory or from saved results."""

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr

import mdtools as md
from mdtools import chain, schema, synthetic
from mdtools.reporting import figures, style
from mdtools.reporting.closure import _Check, closure
from mdtools.reporting.numbers import plain, with_error
from mdtools.reporting.tables import rows
from mdtools.units import BOLTZMANN

HOSTILE = "<script>alert('A')</script>$&\""


@pytest.fixture(scope="module")
def gas():
    return synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, seed=1)


@pytest.fixture(scope="module")
def runs(gas):
    made = chain.chains_of(gas)
    made.make_all()
    return made


@pytest.fixture(scope="module")
def page(runs, tmp_path_factory):
    return md.report(runs, out=tmp_path_factory.mktemp("report") / "gas.html")


class Tags(HTMLParser):
    """Every tag with its attributes, and whether each that was opened was closed."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"


# -- the page -------------------------------------------------------------------------------------------------------


def test_the_page_asks_for_nothing_from_outside(page):
    text = page.read_text()
    assert not re.search(r"https?://|//\w+\.\w+/|@import|url\(", text)
    found = Tags(text)
    assert not found.open
    for tag, attributes in found.tags:
        assert tag not in ("script", "link", "iframe", "object")
        assert attributes.get("src", "data:").startswith("data:")


def test_figures_are_svg_that_ask_for_nothing_and_say_what_they_show(page):
    images = [attributes for tag, attributes in Tags(page.read_text()).tags if tag == "img"]
    assert len(images) >= 8
    for image in images:
        drawn = base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")).decode()
        assert drawn.startswith("<?xml")
        assert not re.search(r'(href|src)="(?!#|data:)', drawn)
        assert image["alt"]


def test_every_figure_of_a_run_is_there(page):
    ids = {attributes["id"] for tag, attributes in Tags(page.read_text()).tags if tag == "figure"}
    expected = {"msd", "van-hove-self-0", "van-hove-map-1", "van-hove-distinct-2", "phonon-dos", "charge-current-acf", "melting-indicators"}
    expected |= {"structure-factor", "intermediate-scattering", "intermediate-scattering-self-1", "dynamic-structure-factor", "quasielastic-width"}
    assert {f"run1-{name}" for name in (*expected, "ionic-conductivity")} <= ids


def test_every_result_of_a_run_can_be_drawn_alone(runs):
    import matplotlib.pyplot as plt

    made = runs.members[0].made
    assert len(made) > 25
    for name, data in made.items():
        axes = np.atleast_1d(
            md.plot(data, beside=[one for other, one in made.items() if other in ("charge_current_acf", "self_diffusivity") if other != name])
        )
        for ax in axes:
            assert ax.get_xlabel(), name
            assert ax.has_data() or ax.texts, name
            assert ax.get_ylabel() or ax.get_yticklabels(), name
        plt.close(axes[0].figure)


def test_the_order_is_verdict_evidence_numbers_figures_closure_history(page):
    ids = [attributes["id"] for tag, attributes in Tags(page.read_text()).tags if tag == "section"]
    wanted = ["verdict", "evidence", "diffusivity", "conductivity", "quasielastic", "figures", "closure", "history"]
    assert [one for one in ids if one in wanted] == wanted


def test_a_hostile_species_name_is_text(gas, tmp_path):
    named = gas.relabel({HOSTILE: gas.indices("A")})
    text = md.report([md.msd(named), md.phonon_dos(named)], out=tmp_path / "hostile.html", title=HOSTILE).read_text()
    assert HOSTILE not in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not Tags(text).open


def test_what_cannot_be_made_is_listed_with_the_reason(tmp_path):
    walk = synthetic.brownian(n_atoms=32, n_frames=200)
    text = md.report(walk, out=tmp_path / "walk.html").read_text()
    assert "What could not be made" in text
    assert "phonon_dos needs velocities" in text
    assert "mean squared displacement" in text.lower()


def test_nothing_to_show_is_refused(tmp_path):
    with pytest.raises(md.TrajectoryError, match="msd needs at least"):
        md.report(synthetic.brownian(n_atoms=4, n_frames=1), out=tmp_path / "none.html")
    assert not list(tmp_path.iterdir())


# -- the numbers beside it ------------------------------------------------------------------------------------------


def test_every_number_is_beside_the_page_and_makes_the_same_page_again(page, runs, tmp_path):
    numbers = page.with_suffix(".nc")
    saved = {chain.stage_of(data): data for _, data in chain.load(numbers)}
    assert saved.keys() == runs.members[0].made.keys()
    for name, data in runs.members[0].made.items():
        xr.testing.assert_identical(saved[name].drop_attrs(), data.drop_attrs())
    again = md.report(numbers, out=tmp_path / "gas.html").read_text()

    def body(text):
        return re.sub(r"<h2>What could not be made.*?</section>", "", text, flags=re.DOTALL)

    assert body(again) == body(page.read_text())


def test_a_series_has_arrhenius_and_dashboard(tmp_path):
    series = [
        synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, temperature=kelvin, seed=k)
        for k, kelvin in enumerate((800.0, 1000.0, 1200.0))
    ]
    members = [chain.Chain(name=f"{one.temperature:g} K", traj=one) for one in series]
    for one in members:
        for stage in ("msd", "phonon_dos", "melting_indicators", "charge_displacement_msd", "charge_current_acf"):
            one.make(stage)
        one.traj = None
    text = md.report(chain.Chains(members=members), out=tmp_path / "series.html").read_text()
    ids = {attributes["id"] for tag, attributes in Tags(text).tags if tag == "figure"}
    assert {"arrhenius", "series-msd-0", "series-phonon-dos-1", "dashboard-probability", "dashboard-lindemann"} <= ids
    assert {name for name, _ in chain.load(tmp_path / "series.nc")} == {"", "800 K", "1000 K", "1200 K"}


def test_what_a_series_says_of_barriers_and_masses_is_in_the_page_with_what_it_cannot_prove(tmp_path):
    kelvin, masses = (700.0, 900.0, 1100.0), (6.0, 7.0, 24.0)
    walks = [
        synthetic.brownian(n_atoms=32, n_frames=300, diffusivity=float(np.exp(-0.3 / (BOLTZMANN * t))), temperature=t, seed=int(t)) for t in kelvin
    ]
    found = [md.self_diffusivity(md.msd(walk, reference="none")) for walk in walks]
    defects = [float(np.exp(-0.1 / (BOLTZMANN * t))) for t in kelvin]
    barrier = md.activation_energy(found, jump_length=2.0, attempt_frequency=1.5, jump_neighbours=1, defect_fraction=defects, temperatures=[300.0])
    alike = [synthetic.brownian(n_atoms=32, n_frames=300, diffusivity=m**-0.5, temperature=600.0, seed=int(m)) for m in masses]
    heavy = [one.replace(step={"step": "masses"}, masses=np.full(one.n_atoms, m)) for one, m in zip(alike, masses, strict=True)]
    exponent = md.isotope_exponent([md.self_diffusivity(md.msd(one, reference="none")) for one in heavy])
    text = md.report([barrier, exponent], out=tmp_path / "series.html").read_text()
    assert "local activation energy of A" in text
    assert text.count("(extrapolated)") == 1
    one = barrier.sel(species="A")
    assert f"{plain(float(one.prefactor_ratio), 3)} ({plain(float(one.prefactor_ratio_lower), 3)} to " in text  # the true one is 1
    assert with_error(float(one.defect_energy), float(one.defect_energy_stderr)) in text
    assert one.mobility_energy.item() == pytest.approx(0.2, abs=4 * one.mobility_energy_stderr.item())
    assert "no sign of zero-point motion" in text


def test_datasets_of_two_runs_are_told_apart_by_their_histories(tmp_path):
    cold, hot = (
        synthetic.brownian(n_atoms=8, n_frames=60, temperature=kelvin).replace(step={"step": "read", "source": f"{kelvin}.dump"})
        for kelvin in (900.0, 1000.0)
    )
    made = chain.chains_of([md.msd(cold), md.msd(hot), md.van_hove_self(hot)])
    assert [sorted(run.made) for run in made] == [["msd"], ["msd", "van_hove_self"]]
    with pytest.raises(md.TrajectoryError, match="two MSD of the same run"):
        chain.chains_of([md.msd(cold), md.msd(cold, windows=2)])


def test_a_file_that_is_not_ours_is_refused(tmp_path):
    xr.Dataset({"x": 1.0}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(md.TrajectoryError, match="no history"):
        md.report(tmp_path / "other.nc")
    (tmp_path / "text.nc").write_text("no")
    with pytest.raises(md.TrajectoryError, match="not a netCDF file"):
        md.report(tmp_path / "text.nc")


# -- closure --------------------------------------------------------------------------------------------------------


def test_the_numbers_of_an_exact_model_agree_with_each_other(runs):
    found = closure(runs.members[0].made)
    words = " ".join(map(str, found.check.values))
    for part in ("integral of the DOS", "kinetic = stated", "second moment", "sum of the pairs", "sum rule"):
        assert part in words
    assert float(np.abs(found.z_score).max()) < 4.0


def test_routes_that_differ_are_found_and_those_that_agree_are_not():
    def routes(first, second):
        names = {"ionic_conductivity_einstein_helfand": first, "ionic_conductivity_green_kubo": second}
        return schema.dataset({**names, **{f"{name}_stderr": 10.0 for name in names}})

    assert float(closure({"ionic_conductivity": routes(100.0, 120.0)}).z_score.item()) == pytest.approx(-(2**0.5))
    apart = closure({"ionic_conductivity": routes(100.0, 160.0)})
    assert float(apart.z_score.item()) == pytest.approx(-3 * 2**0.5)
    assert "frames too far apart" in apart.culprit.item()
    assert closure({"ionic_conductivity": routes(np.nan, 160.0)}) is None
    alike = routes(100.0, 120.0).assign(routes_difference=-3.5)  # the errors of one run have much in common
    assert float(closure({"ionic_conductivity": alike}).z_score.item()) == pytest.approx(-3.5)


def test_the_density_of_states_and_the_displacement_give_one_diffusivity():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=4000, frame_interval=0.05, seed=3)
    exact = 8.617333262e-5 * 1000 / (1.0364269656e-4 * 20 * 5.0)  # k_B T / (m friction)
    known = schema.dataset(
        {
            "species": ["A", "B"],
            "self_diffusivity": ("species", [exact, 3 * exact]),
            "self_diffusivity_stderr": ("species", [0.0, 0.0]),
        }
    )
    found = closure({"phonon_dos": md.phonon_dos(gas), "self_diffusivity": known})
    right, wrong = (found.sel(check=f"D from DOS(0) = D from the MSD, {name} (angstrom^2/ps)") for name in "AB")
    assert abs(float(right.z_score)) < 3.0
    assert float(wrong.z_score) < -4.0


@pytest.mark.parametrize(("t", "windows", "z"), [(2.0, 4, 1.48), (16.46, 4, 3.49), (-4.23, 8, -2.88), (3.0, 101, 2.94)])
def test_a_spread_over_few_windows_counts_as_students_t(t, windows, z):
    # z of the same two-sided probability, from scipy.stats: norm.isf(t.sf(t, windows - 1))
    from scipy import stats

    assert _Check("", t, 0.0, 1.0, "", windows).z == pytest.approx(z, abs=0.1)
    assert abs(z) == pytest.approx(stats.norm.isf(stats.t.sf(abs(t), windows - 1)), abs=0.02)


def test_a_wrong_temperature_is_found_and_named(gas):
    wrong = gas.replace(step={"step": "wrong"}, temperature=700.0)
    found = closure({"phonon_dos": md.phonon_dos(wrong)})
    assert float(np.abs(found.z_score).min()) > 3.0
    assert all("temperature" in str(culprit) for culprit in found.culprit.values)


# -- numbers and figures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (3.14159, 0.0271, "3.142 ± 0.027"),
        (3.14159, 0.0371, "3.14 ± 0.04"),
        (1234.0, 56.0, "1230 ± 60"),
        (0.0, 0.1, "0.00 ± 0.10"),
        (-2.0, 0.5, "-2.0 ± 0.5"),
        (2.5e-5, 4e-7, "(2.50 ± 0.04)e-5"),
        (99.6, 0.0999, "99.60 ± 0.10"),
        (1.0, 1e-14, "1"),
        (1.0, np.nan, "1"),
        (np.nan, 1.0, "not known"),
    ],
)
def test_a_number_is_rounded_to_the_digits_of_its_error(value, error, text):
    assert with_error(value, error) == text


def test_plain_numbers_keep_what_counts():
    assert [plain(x) for x in (0.0, 1.0, 1 / 3, 123456.7, 1.5e-9, -np.inf)] == ["0", "1", "0.3333", "123457", "1.5e-9", "-infinite"]


def test_a_table_has_a_row_for_each_label():
    data = schema.dataset(
        {
            "species": ["A", "B"],
            "self_diffusivity": ("species", [1.0, np.nan]),
            "self_diffusivity_stderr": ("species", [0.1, np.nan]),
        }
    )
    assert [(row.of, row.value) for row in rows(data)] == [("A", "1.00 ± 0.10"), ("B", "not known")]


def test_reduced_runs_have_no_units_in_labels():
    walk = synthetic.brownian(n_atoms=8, n_frames=60)
    reduced = walk.replace(step={"step": "lj"}, reduced=True)
    for traj, expected in ((walk, "mean squared displacement (Å²)"), (reduced, "mean squared displacement")):
        _, axes = style.figure()
        figures.msd(md.msd(traj), axes[0, 0])
        assert axes[0, 0].get_ylabel() == expected


def test_a_figure_has_the_numbers_of_its_dataset():
    data = md.msd(synthetic.brownian(n_atoms=8, n_frames=60), windows=2)
    _, axes = style.figure()
    figures.msd(data, axes[0, 0])
    drawn = axes[0, 0].lines[0].get_ydata()
    assert drawn == pytest.approx(data.msd.sel(species="A").mean("window").values[1:])


def test_motion_taken_apart_is_drawn_and_adds_up_to_the_haven_ratio(tmp_path):
    """Asked for, the distinct part by distance has a figure, whose last point with what lies beyond is 1 / H; so have protons."""
    gas = synthetic.grouped_walkers(group=4, n_atoms=16, n_frames=300, seed=2)
    chained = synthetic.grotthuss_chain(n_frames=300, carrier_charge=-0.2, seed=1)
    apart = md.charge_displacement_by_distance(gas, windows=1, lags=[0.5], reference="none")
    with style.styled():
        _, axes = style.figure()
        figures.charge_displacement_by_distance(apart, axes[0, 0])
        drawn = {line.get_label(): line for line in axes[0, 0].get_lines()}
    alone = float(apart.charge_displacement_msd_self.sum())
    seen = drawn["1 / H, pairs up to r"].get_ydata()[-1] + float(apart.charge_displacement_beyond.sum()) / alone
    assert seen == pytest.approx(drawn["1 / H, all pairs"].get_ydata()[0], rel=1e-9)
    page = md.report([apart, md.proton_displacement(chained, carriers=["O"])], out=tmp_path / "parts.html").read_text()
    assert "Where the Haven ratio H comes from" in page
    assert "motion of their carriers and hand-over" in page


def test_a_frame_of_reference_that_is_not_known_is_told_beside_the_conductivity(tmp_path):
    gas = synthetic.brownian(n_atoms=16, n_frames=400, temperature=900.0, seed=2)
    parts = (gas.select(["A"]), "none"), (gas, None)
    pages = [md.report([md.charge_displacement_msd(run, reference=frame)], out=tmp_path / "one.html").read_text() for run, frame in parts]
    assert "unknown: the charges do not sum to zero" in pages[0].split("History of every number")[0]
    assert "unknown: the charges" not in pages[1]


def test_drawing_leaves_the_settings_of_the_user_alone(tmp_path):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    md.report([md.msd(synthetic.brownian(n_atoms=8, n_frames=60))], out=tmp_path / "walk.html")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("first", ["import mdtools.reporting.page", "import mdtools.reporting", "import mdtools"])
def test_report_is_the_function_whatever_is_imported_first(first):
    code = f"{first}\nimport mdtools as md\nassert callable(md.report), md.report\nimport mdtools.reporting\nassert callable(md.report)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_report_needs_no_display_and_no_pyplot(tmp_path):
    code = (
        "import sys\nimport mdtools as md\nfrom mdtools import synthetic\n"
        "md.report([md.msd(synthetic.brownian(n_atoms=4, n_frames=30))], out=sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "walk.html")], check=True)
