"""What can be known of a GPU without one: every kernel, as the analyses call it there, can be written for it; nothing in it is of another
precision than the history says, or goes back to the host; and what is cut as for an accelerator gives the numbers of a processor.
"""

import re

import every_analysis
import jax
import numpy as np
import pytest
from accelerator import Call, jitted, pretended, recorded
from every_analysis import NAMES, measured

import mdtools as md

# what is cut otherwise for an accelerator
CUT = (
    "msd",
    "msd of the ions",
    "msd of uneven frames",
    "velocity_acf",
    "charge_current_acf",
    "charge_current_acf under a taper",
    "van_hove_self",
    "van_hove_distinct",
    "structure_factor",
    "spectral_energy_density",
)


@pytest.fixture(scope="module")
def runs():
    return every_analysis.runs()


@pytest.fixture(scope="module")
def calls(runs):
    """What every analysis calls where it takes the processor for an accelerator, and what it finds there."""
    found = {}
    with pretended(), recorded() as calls:
        for calls.now in NAMES:
            found[calls.now] = measured(calls.now, runs)
    return calls, found


def test_every_kernel_is_called_by_some_analysis(calls):
    assert set(jitted()) == calls[0].reached


@pytest.mark.parametrize("name", NAMES)
def test_its_kernels_can_be_written_for_a_gpu_and_keep_their_precision_there(name, calls):
    noted, found = calls
    single = "float32" in md.history(found[name])[-1]["arithmetic"]
    for call in noted.of.get(name, ()):
        program, given_back = call.exported("cuda")
        assert "stablehlo." in program
        assert "custom_call" not in program, f"{call.name} calls a library, or back to the host"
        narrow = [line.strip() for line in program.splitlines() if computes(line) and re.search(r"x?f(16|32)>", line)]
        assert single or not narrow, f"{call.name}: {narrow[0]}"
        assert not {"float16", "bfloat16", "float32", "complex64"} & set(given_back), f"{call.name}: sums over tiles are of {given_back}"
        coarse = [line.strip() for line in narrow if "dot_general" in line and "[HIGHEST, HIGHEST]" not in line]
        assert not coarse, f"{call.name}: ten bits of a TF32 product: {coarse[0]}"


MOVES = (
    "broadcast_in_dim|concatenate|constant|convert|dynamic_slice|dynamic_update_slice|gather|iota|optimization_barrier|pad|reshape|return|reverse|"
    "select|slice|transpose|while"
)


def computes(line: str) -> bool:
    """Whether a line of a program makes new numbers, and does not move or widen those that there are."""
    operation = re.search(r"\bstablehlo\.(\w+)", line)
    return operation is not None and not re.fullmatch(MOVES, operation[1])


def test_a_program_that_would_not_do_is_found():
    given = (jax.ShapeDtypeStruct((4, 4), np.dtype(np.float32)),)
    back, library, product = (
        Call("", jax.jit(made), given, (), True) for made in (lambda x: jax.pure_callback(np.sin, x, x), jax.numpy.linalg.eigvalsh, lambda x: x @ x)
    )
    with pytest.raises(ValueError, match="platform"):
        back.exported("cuda")
    assert "custom_call" in library.exported("cuda")[0]
    program, given_back = product.exported("cuda")
    assert given_back == ["float32"]
    assert [line for line in program.splitlines() if computes(line) and "f32>" in line and "HIGHEST" not in line]


@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_as_for_an_accelerator_is_what_a_processor_finds(name, calls, runs):
    here, there = measured(name, runs), calls[1][name]
    for label, variable in here.data_vars.items():
        if variable.dtype.kind in "fi":
            scale = np.nanmax(np.abs(variable.values), initial=0.0)
            np.testing.assert_allclose(there[label], variable, rtol=1e-9, atol=1e-11 * scale, err_msg=label)
