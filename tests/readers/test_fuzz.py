"""Damaged files of every format: the intact prefix and a note, every number, or a refusal in one line; nothing else.

A fixed and bounded part of what `scripts/fuzz_readers` runs for hours; tests/fuzzing/mutations.py says what is done to the files.
"""

import pytest
from fuzzing.runner import Runner
from fuzzing.specimens import SPECIMENS
from fuzzing.worker import Case, cases_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

EVERY = [(specimen.key, mutation) for specimen in SPECIMENS for mutation in cases_of(specimen)]


@pytest.fixture(scope="module")
def runner():
    with Runner(seconds=60) as running:
        yield running


@settings(max_examples=400, derandomize=True, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.sampled_from(EVERY), st.integers(0, 2**32 - 1))
def test_damage_gives_the_intact_prefix_or_a_refusal(runner, which, seed):
    case = Case(*which, seed)
    assert runner.run(case) == "", f"scripts/fuzz_readers --case '{case}'"


@pytest.mark.parametrize("mutation", sorted({mutation for _, mutation in EVERY}))
def test_every_kind_of_damage_is_done_once(runner, mutation):
    key = next(key for key, name in EVERY if name == mutation)
    case = Case(key, mutation, 1)
    assert runner.run(case) == "", f"scripts/fuzz_readers --case '{case}'"


def test_the_judge_tells_wrong_numbers_from_right_ones(tmp_path):
    """The oracle itself: a file whose digit was changed is told from the unharmed one."""
    from fuzzing.mutations import Damaged
    from fuzzing.worker import Judge, specimen_of

    judge = Judge(tmp_path)
    specimen = specimen_of(Case("lammps:lammps/dump/dump.rdx.gz", "", 0))
    whole = judge.whole(specimen)
    changed = specimen.content.replace(b"0.326273", b"0.326274")
    assert "scaled_positions" in judge.judge_file(specimen, Damaged(changed, "sound", 0), whole)
    assert "5 of 6 frames came and nothing was said" in judge.judge_file(
        specimen, Damaged(specimen.content[: specimen.layout[5].start], "same"), whole
    ).replace("of a file that is sound", "and nothing was said")
    assert judge.judge_file(specimen, Damaged(b"", "same"), whole).startswith("refusal: of a file that is sound")
    assert judge.judge_file(specimen, Damaged(specimen.content, "same"), whole) == ""
