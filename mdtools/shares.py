"""One measurement on several processes (`--distributed` inside srun): each visits its share of the blocks, and what they have summed
is added once, at the end of a visit, in the order of the processes. Without `begin` there is one process, and nothing is done.
"""

import contextlib
from collections.abc import Iterator

import numpy as np

from mdtools.errors import TrajectoryError

__all__ = ["begun", "count", "mine", "number", "summed"]

_of_all = [0, 1]  # the number of this process, and how many there are


@contextlib.contextmanager
def begun() -> Iterator[None]:
    """Inside, this process is one of those that the batch system has started together (SLURM, Open MPI, Cloud TPU: whatever JAX knows).

    Raises TrajectoryError where it was not started among others.
    """
    import jax

    if not jax.distributed.is_initialized():
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        try:
            jax.distributed.initialize()
        except (ValueError, RuntimeError) as reason:
            raise TrajectoryError(
                f"distributed (--distributed) needs processes that were started together, for instance by srun --ntasks=2 mdtools ...: {reason}"
            ) from None
    _of_all[:] = jax.process_index(), jax.process_count()
    try:
        yield
    finally:
        _of_all[:] = 0, 1


def number() -> int:
    """Of this process, from 0; the first one writes."""
    return _of_all[0]


def count() -> int:
    return _of_all[1]


def mine(n: int) -> tuple[int, int]:
    """First and last (excluded) of n things that are this process's; none where there are fewer things than processes.

    >>> mine(10)
    (0, 10)
    """
    return n * number() // count(), n * (number() + 1) // count()


def summed(values: np.ndarray) -> np.ndarray:
    """The sum over all processes, the same in each, bit for bit. Whatever JAX's precision: bytes are sent."""
    if count() == 1:
        return values
    from jax.experimental import multihost_utils

    values = np.ascontiguousarray(values)
    parts = np.asarray(multihost_utils.process_allgather(values.reshape(-1).view(np.uint32)))
    total = np.zeros_like(values)
    for part in parts.view(values.dtype).reshape(count(), *values.shape):
        total += part
    return total
