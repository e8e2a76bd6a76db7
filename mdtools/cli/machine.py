"""Where a command computes: device, memory, processes, and the place where compiled programs are kept."""

import contextlib
import dataclasses
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from mdtools import memory, progress, shares
from mdtools.cli.arguments import Refusal, Request

__all__ = ["chosen"]

CACHE = "MDTOOLS_CACHE"


@contextlib.contextmanager
def chosen(request: Request) -> Iterator[Request]:
    """Inside, everything is done as the request says of the machine; what is yielded is the request as this process is to do it."""
    _keep_compiled(request.cache)
    with contextlib.ExitStack() as stack:
        if request.memory is not None:
            stack.enter_context(memory.limited(request.memory))
        if request.distributed:
            stack.enter_context(shares.begun())
        stack.enter_context(_device(request.device))
        if shares.number() == 0:
            stack.enter_context(progress.bar())
            yield request
            return
        # all processes know every result; one writes and speaks
        silence = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(silence))
        stack.enter_context(contextlib.redirect_stderr(silence))
        yield _written_to(Path(stack.enter_context(tempfile.TemporaryDirectory())), request)


def _written_to(folder: Path, request: Request) -> Request:
    options = dict(request.options)
    if request.function in ("run", "slurm"):
        return dataclasses.replace(request, options={**options, "folder": str(folder)})
    out = str(folder / Path(request.out or options.get("out") or f"{request.function}.{'html' if request.stage == 'show' else 'nc'}").name)
    if request.stage == "show":
        return dataclasses.replace(request, options={**options, "out": out})
    return dataclasses.replace(request, out=out)


def _keep_compiled(place: str | None) -> None:
    """Let JAX keep what it compiles for later commands, in a folder of this version and kind of processor, unless it was told where.

    place : a folder, or "none". A Python session that has loaded JAX already keeps its own settings.
    """
    place = place or os.environ.get(CACHE)
    if place == "none" or "jax" in sys.modules or (place is None and os.environ.get("JAX_COMPILATION_CACHE_DIR")):
        return
    home = Path(place) if place else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mdtools"
    folder = home / f"jax-{metadata.version('jaxlib')}-{_processor()}"
    with contextlib.suppress(OSError):  # a home that cannot be written in: nothing is kept
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def _processor() -> str:
    """What tells kinds of processors apart: on a cluster with one home, programs of one need not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        told = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    except OSError:
        told = [platform.processor()]
    return f"{platform.machine()}-{hashlib.blake2b(''.join(told).encode(), digest_size=4).hexdigest()}"


@contextlib.contextmanager
def _device(name: str | None) -> Iterator[None]:
    """Compute on the named device, or for "cpu" or "cuda" on all of that kind that this process has. Raises Refusal where there is none."""
    if name is None:
        yield
        return
    import jax

    kind, colon, number = name.partition(":")
    try:
        found = jax.local_devices(backend=kind)
    except RuntimeError:
        found = []
    which = int(number) if number.isdecimal() else -1 if colon else 0
    if not 0 <= which < len(found):
        there = ", ".join(sorted({f"{one.platform}:{one.id}" for one in jax.local_devices()}))
        raise Refusal(f"there is no device {name} here; JAX sees {there} (for NVIDIA GPUs install mdtools-jax[cuda])")
    if not colon and found == jax.local_devices():  # those that are taken anyhow: JAX knows one kind by several names, as gpu and cuda
        yield
        return
    with jax.default_device(found[which] if colon else found[0].platform):
        yield
