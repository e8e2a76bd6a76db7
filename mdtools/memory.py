"""How much memory the large arrays of a job may take: one number, decided here and nowhere else.

What `limited(...)` says inside its block, else the environment variable MDTOOLS_MEMORY, else the smallest of 2 GiB, a
quarter of the memory of the machine, and half of what a batch system or container allows this job. The interpreter and
its libraries (0.3 to 0.5 GB with JAX) come on top, and so does the second process that `report` of a long run starts (0.15 to 0.3 GB).
"""

import contextlib
import contextvars
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["available", "block", "block_alone", "cores", "in_words", "is_said", "limit", "limited", "shared", "size"]

VARIABLE = "MDTOOLS_MEMORY"
SMALLEST = 2**20
_MOST = 2**31
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_abreast: contextvars.ContextVar[int] = contextvars.ContextVar("abreast", default=1)
_said: contextvars.ContextVar[int | None] = contextvars.ContextVar("memory", default=None)


def limit() -> int:
    """Bytes that the large arrays of a job may take. Raises ValueError where MDTOOLS_MEMORY is not understood.

    >>> with limited("500 MB"):
    ...     limit()
    500000000
    """
    said = _said.get()
    if said is not None:
        return said
    if os.environ.get(VARIABLE):
        return size(os.environ[VARIABLE], VARIABLE)
    return _default()


def is_said() -> bool:
    """Whether somebody has set the limit, which is a default otherwise."""
    return _said.get() is not None or bool(os.environ.get(VARIABLE))


def block() -> int:
    """Bytes that one block of an analysis may take, copies included: what it has alone, or of two that run side by side half of it."""
    return block_alone() // _abreast.get()


def block_alone() -> int:
    """An eighth of the limit, by which is refused what cannot be cut into blocks: whatever runs beside it.

    The rest is for what is read ahead, for results, and for what libraries copy.
    """
    return limit() // 8


@contextlib.contextmanager
def shared(n: int) -> Iterator[None]:
    """Inside, n analyses that run side by side have a block between them."""
    token = _abreast.set(n)
    try:
        yield
    finally:
        _abreast.reset(token)


def cores() -> int:
    """Processor cores that this process may use, as the scheduler says: each holds a piece of a block."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def limited(most: int | float | str) -> Iterator[None]:
    """Inside, large arrays take at most so many bytes; "500 MB" and "2 GiB" are understood. Raises ValueError for what is not.

    >>> with limited("1 GiB"):
    ...     block() == 2**27
    True
    """
    token = _said.set(size(most, "memory"))
    try:
        yield
    finally:
        _said.reset(token)


def size(value: int | float | str, name: str) -> int:
    """Bytes that a number or a text such as "2 GiB" stands for. Raises ValueError, with what to write.

    >>> size("1.5 kB", "memory")
    Traceback (most recent call last):
    ...
    ValueError: memory='1.5 kB' is less than 1 MiB, in which nothing can be done; write for instance 500MB or 2GiB
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*(?:[eE]\+?\d+)?)\s*([kmgt]i?|)b?\s*", str(value), re.IGNORECASE)
    if not found:
        raise ValueError(f"{name}={value!r} is not an amount of memory; write for instance 500MB or 2GiB")
    n_bytes = float(found[1]) * _UNITS[found[2].lower()]
    if n_bytes < SMALLEST:
        raise ValueError(f"{name}={value!r} is less than 1 MiB, in which nothing can be done; write for instance 500MB or 2GiB")
    return int(n_bytes)


def in_words(n_bytes: float) -> str:
    """
    >>> in_words(2.5e9)
    '2.5 GB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"


@cache
def _default() -> int:
    allowed = _allowed()
    return max(SMALLEST, min([_MOST, *([] if (total := _machine("SC_PHYS_PAGES")) is None else [total // 4]), *(one // 2 for one in allowed)]))


def available() -> int | None:
    """Bytes that this process could still take: of the machine, and of what the batch system or container allows. None where nothing says so."""
    free = _meminfo("MemAvailable") or _machine("SC_AVPHYS_PAGES")
    return min([*([] if free is None else [free]), *_allowed()], default=None)


def _machine(what: str) -> int | None:
    try:
        return os.sysconf(what) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


def _meminfo(what: str) -> int | None:
    try:
        found = re.search(rf"^{what}:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _allowed() -> list[int]:
    """What SLURM and control groups allow this process."""
    number = re.compile(r"\d+")
    allowed = []
    per_node, per_cpu, cpus = (os.environ.get(name, "") for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"))
    if number.fullmatch(per_node) and int(per_node):
        allowed.append(int(per_node) * 2**20)
    if number.fullmatch(per_cpu) and number.fullmatch(cpus):
        allowed.append(int(per_cpu) * int(cpus) * 2**20)
    try:
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return allowed
    for _, kind, group in groups:
        if kind in ("", "memory"):
            top, name = ("/sys/fs/cgroup", "memory.max") if kind == "" else ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            here = Path(top + group)
            for folder in (here, *here.parents):
                with contextlib.suppress(OSError):
                    text = (folder / name).read_text().strip()
                    if number.fullmatch(text) and int(text) < 2**60:  # more is no limit
                        allowed.append(int(text))
    return allowed
