"""The page of a report as a browser shows it: Debian's chromium, without a screen."""

import html
import json
import re
import subprocess

import pytest
from debian import found, lacking

import mdtools as md
from mdtools import synthetic

HOSTILE = "<img src=x onerror=alert(1)><script>alert('A')</script>$&\""
# what the page is when everything is loaded and every part is open, told in its title
PROBE = """<script>
addEventListener("load", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  const images = [...document.images];
  document.title = JSON.stringify({
    images: images.length,
    drawn: images.filter((one) => one.complete && one.naturalWidth > 50 && one.getBoundingClientRect().width > 50).length,
    labelled: images.filter((one) => one.alt).length,
    asked: performance.getEntriesByType("resource").map((one) => one.name).filter((one) => !one.startsWith("data:")),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    parts: document.querySelectorAll("details").length,
    text: document.body.innerText,
  });
});
</script></head>"""


@pytest.fixture(scope="module")
def chromium():
    reason = lacking(["chromium"], ["chromium"])
    if reason:
        pytest.skip(f"THE PAGE IS NOT TESTED IN A BROWSER: {reason}")
    return found("chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    run = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, seed=1)
    named = run.relabel({HOSTILE: run.indices("A")})
    results = [md.msd(named), md.van_hove_self(named), md.charge_current_acf(named), md.phonon_dos(named)]
    results += [md.self_diffusivity(results[0]), md.detect_melting(md.melting_indicators(named))]
    return md.report(results, out=tmp_path_factory.mktemp("page") / "page.html", title=HOSTILE)


def shown(chromium, page, folder, *more, width=1200):
    """Run the browser on a page; returns what it printed and its messages."""
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    words += ["--disable-sync", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", f"--window-size={width},900", *more]
    answer = subprocess.run([chromium, *words, f"file://{page}"], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout, [line for line in answer.stderr.splitlines() if "CONSOLE" in line]


def probed(chromium, page, folder, *, width):
    """What the page says of itself; its policy, which forbids every script, is taken out of the copy."""
    text, n = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    assert n == 1
    copy = folder / "probed.html"
    copy.write_text(text.replace("</head>", PROBE))
    dom, console = shown(chromium, copy, folder, "--dump-dom", "--virtual-time-budget=5000", width=width)
    assert not console
    return json.loads(html.unescape(re.search(r"<title>(.*?)</title>", dom, re.S)[1]))


def test_the_page_says_nothing_on_the_console(chromium, page, tmp_path):
    dom, console = shown(chromium, page, tmp_path, "--dump-dom")
    assert not console
    assert "Content-Security-Policy" in dom


@pytest.mark.parametrize("width", [500, 1200])
def test_figures_are_drawn_text_stays_text_and_the_page_fits(chromium, page, tmp_path, width):
    found = probed(chromium, page, tmp_path, width=width)
    assert found["images"] >= 7
    assert found["drawn"] == found["labelled"] == found["images"]
    assert found["asked"] == []
    assert found["wide"] <= 0
    assert found["parts"] >= 3
    assert HOSTILE in found["text"]


def test_the_page_prints(chromium, page, tmp_path):
    shown(chromium, page, tmp_path, f"--print-to-pdf={tmp_path / 'page.pdf'}")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) < 40
