"""Runs cases in a process of their own, which is ended where a case takes too long or takes the process with it."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fuzzing.worker import Case

__all__ = ["Runner"]

_HERE = Path(__file__).parents[1]


class Runner:
    """`run(case)` says what is wrong with what `read` made of it, in words; empty where all is well. A context manager."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.seconds = seconds
        self._process: Any = None
        self._met: set[str] = set()
        self._folder = Path(tempfile.mkdtemp(prefix="mdtools-fuzz-"))

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *reason: object) -> None:
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, case: Case) -> str:
        return self._ask(case.__dict__)

    def run_content(self, case: Case, content: bytes) -> str:
        """The same for a file that was made smaller: what crashes, and nothing else, is wrong."""
        return self._ask(case.__dict__ | {"content": content.hex()})

    def _ask(self, question: dict[str, Any]) -> str:
        if self._process is None:
            self._start()
        # the first case of a file reads it unharmed, and loads and compiles what that takes
        fresh = question["specimen"] not in self._met
        self._met.add(question["specimen"])
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], self.seconds + 120 * fresh)
        if not ready:
            self._end()
            return f"hang: no answer within {self.seconds:g} s"
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._end()
            return f"crash: the process ended with {code}"
        wrong: str = json.loads(line)["wrong"]
        return wrong

    def _start(self) -> None:
        self._end()
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        path = os.pathsep.join([str(_HERE), str(_HERE.parent), os.environ.get("PYTHONPATH", "")])
        # one thread: the memory of the others counts
        alone = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzzing.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **alone, "PYTHONPATH": path, "TMPDIR": str(folder)},
        )

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                stream.close()
        self._process = None
        self._met = set()
