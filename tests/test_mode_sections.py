"""What the page and the shell say of modes is what stands in the Datasets: verdict, T_c, frequency in each run."""

import numpy as np
import pytest

from mdtools.chain import Chain, Chains
from mdtools.cli.shown import show_results
from mdtools.detection.soft_modes import detect_soft_modes
from mdtools.estimates.modes import mode_frequencies
from mdtools.reporting.mode_sections import frequencies, softening
from mdtools.reporting.page import report
from mdtools.reporting.plotting import plot
from tests.langevin import oscillator, spectra

KELVIN = (1.9, 1.2, 2.4, 1.5)  # not in the order of the temperatures, as names of files may have it


def fits(stiffness):
    out = []
    for t in KELVIN:
        x = oscillator(np.sqrt(stiffness(t)), 1.0, t, 4096, 0.05, 1, 3)
        out.append(mode_frequencies(spectra(x[:, :, 0], x[:, :, 1], 0.05, temperature=t, reduced=True)))
    return out


@pytest.fixture(scope="module")
def soft():
    found = fits(lambda t: 9.0 * (t - 1.0))
    members = [Chain(name=f"at {t}", made={"mode_frequencies": one}) for t, one in zip(KELVIN, found, strict=True)]
    return Chains(members=members, made={"detect_soft_modes": detect_soft_modes(found)})


def test_the_verdict_stands_with_its_critical_temperatures_and_reasons(soft):
    table, [(mode, reason)] = softening(soft)
    verdict = soft.made["detect_soft_modes"]
    [row] = table.rows
    assert row[0] == mode == "q = 0, 0, 0; band 1"
    assert row[1] == "softens to zero"
    for text, value in zip(row[3:], verdict.critical_temperature.values[0], strict=True):
        assert float(text.split()[0]) == pytest.approx(value, abs=0.5 * 10.0 ** -len(text.split()[0].partition(".")[2]))
        assert "±" in text
        assert " to " in text
    assert reason == verdict.reason.item()


def test_a_mode_without_a_verdict_says_what_is_likeliest():
    found = fits(lambda t: 9.0 * (t + 3.0))
    verdict = detect_soft_modes(found)
    unsure = verdict.assign(probability=verdict.probability.copy(data=[[0.0, 0.0, 0.6, 0.4]]), verdict=("mode", ["undecided"]))
    table, _ = softening(Chains(members=[], made={"detect_soft_modes": unsure}))
    assert table.rows[0][1:3] == ("undecided (softens but stays finite?)", "0.6")
    assert table.rows[0][3:] == ("–", "–")


def test_frequencies_are_listed_by_temperature(soft):
    rows = frequencies(soft).rows
    assert [row[1] for row in rows] == ["1.2", "1.5", "1.9", "2.4"]
    assert [row[0] for row in rows] == ["at 1.2", "at 1.5", "at 1.9", "at 2.4"]
    for row, member in zip(rows, sorted(soft, key=lambda one: one.name), strict=True):
        assert float(row[5].split()[0]) == pytest.approx(float(member.made["mode_frequencies"].mode_frequency[0]), rel=0.02)


def test_the_page_begins_with_the_verdict_and_the_shell_prints_it(soft, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = report(soft, out="soft.html", everything=False).read_text()
    assert "No verdict could be made" not in page
    assert page.index("softens to zero") < page.index("Single modes") < page.index("History of every number")
    assert "Stiffness of the mode q = 0, 0, 0; band 1 over temperature" in page
    assert "q = 0, 0, 0; band 1" in plot(soft.made["detect_soft_modes"]).get_title(loc="left")
    show_results(soft, ["detect_soft_modes"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("  ")[:2] == ["q = 0, 0, 0; band 1", "softens to zero"]
    assert any(line.startswith("q = 0, 0, 0; band 1: stiffness W^2 falls to") for line in lines)
