"""Every file of the collection as ASE, MDAnalysis and OVITO see it: equal to the precision of the file, or the reason is written down.

scripts/test-data prints the matrix. OVITO is asked where it is installed, or where MDTOOLS_OVITO_PYTHON names a Python that has it.
"""

import pytest
from agreement.collection import DATA, NO_TRAJECTORY, READ, REFUSED, given
from agreement.matrix import DIFFERS, compare, reason_of
from agreement.peers import PEERS, CannotRead, NotInstalled, read_with

from mdtools.readers import read

# of a file that it cannot read, MDAnalysis leaves a half-made reader behind that complains when it goes
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("name", READ)
def test_others_see_the_same_or_differ_for_a_known_reason(name, agreement):
    path = sorted(DATA.glob(name))[0]
    ours = read(path, precision="float64", **given(READ[name][0]))
    unexplained = []
    for peer in PEERS:
        outcome = compare(peer, path, ours)
        whys = {aspect: reason_of(name, peer, aspect) for aspect in outcome.aspects}
        agreement.append((name, peer, outcome, whys))
        unexplained += [f"{peer}: {aspect} ({outcome.text})" for aspect, why in whys.items() if why is None]
    assert unexplained == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_others_make_of_a_file_that_we_refuse(name, agreement):
    for peer in PEERS:
        try:
            seen = read_with(peer, sorted(DATA.glob(name))[0])
            text = f"reads {seen.n_frames} frames of {seen.positions.shape[1]} atoms"
        except (CannotRead, NotInstalled) as reason:
            text = f"cannot: {reason}"
        agreement.append((name, peer, text, {}))
    assert REFUSED[name][1]


def test_every_reason_is_needed(agreement):
    """Comes last: a row of the table that no file shows any more is taken out."""
    asked = {peer for _, peer, outcome, _ in agreement if not isinstance(outcome, str) and outcome.word != "absent"}
    given_reasons = {why for _, _, _, whys in agreement for why in whys.values()}
    if {name for name, *_ in agreement} < set(READ):
        pytest.skip("only a part of the collection was compared")
    idle = [row for row in DIFFERS if (row[1] == "*" or row[1] in asked) and row[3] not in given_reasons]
    assert idle == []


def test_no_file_is_missing_from_the_matrix(agreement):
    shown = {path for name in (*READ, *REFUSED, *NO_TRAJECTORY) for path in DATA.glob(name)}
    assert {path for path in DATA.rglob("*") if path.is_file()} == shown
