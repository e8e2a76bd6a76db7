"""A recipe as a SLURM job array, one task for each run, and a job after it that gathers them. SLURM does the scheduling."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from mdtools import batch
from mdtools.errors import TrajectoryError
from mdtools.recipe import read_recipe

__all__ = ["slurm"]


def slurm(
    recipe: str | Path,
    *,
    folder: str | None = None,
    submit: bool = False,
    device: Literal["cuda", "cpu"] = "cuda",
    cpus: int = 8,
    memory: str = "32G",
    time: str = "02:00:00",
    at_once: int | None = None,
    sbatch: Mapping[str, str] | None = None,
    setup: str | None = None,
) -> Path:
    """A recipe as a SLURM job array (one run of the series a task), and a job that gathers the report.

    folder : where scripts, logs and results are written; the folder of the recipe if not given. submit : hand them to sbatch
    (else the command is shown). device : "cuda" (a GPU for each task) or "cpu". cpus : of a task. memory : of a task, as
    sbatch takes it. time : that a task may take, as sbatch takes it. at_once : most tasks that run at the same time.
    sbatch : other options of sbatch, as partition=gpu,account=me. setup : a line of shell before each task, such as
    "module load cuda".

    The same stands in the recipe as [slurm]; what is given here wins. Tasks whose result is there are not submitted again,
    and a task that was killed goes on from its last result: after a failure give the same command once more. The gathering
    job runs whatever became of the tasks, lists what is missing, and ends with exit code 2 where something is.
    Returns the script of the array. Raises ValueError for a word that is not understood, and TrajectoryError where files
    are missing or sbatch refuses.
    """
    asked = read_recipe(recipe)
    target = (Path(recipe).parent if folder is None else Path(folder)).resolve()
    found = batch.tasks(asked, target)
    left = [task.number for task in found if not task.is_finished()]
    (target / "logs").mkdir(parents=True, exist_ok=True)
    common = {"cpus-per-task": str(cpus), "mem": memory, "time": time, **(sbatch or {})}
    numbers = _ranges(left or [0]) + (f"%{at_once}" if at_once else "")
    gpu = {"gpus-per-task": "1"} if device == "cuda" else {}
    name = Path(recipe).stem
    job = [sys.executable, "-m", "mdtools", "run", str(Path(recipe).resolve()), "--folder", str(target)]
    array = target / "array.slurm"
    array.write_text(
        _script(
            {"job-name": name, "array": numbers, "ntasks": "1", "output": f"{target}/logs/%a.log", "open-mode": "append", **gpu, **common},
            f"# the runs: {', '.join(f'{task.number} {task.name}' for task in found)}",
            setup,
            f'exec {shlex.join(job)} --member "$SLURM_ARRAY_TASK_ID" --device {"cuda:0" if gpu else "cpu"}',
        )
    )
    gather = target / "gather.slurm"
    gather.write_text(
        _script(
            {"job-name": f"{name}-gather", "ntasks": "1", "output": f"{target}/logs/gather.log", "open-mode": "append", **common},
            "# of whatever is finished when every task has ended; it needs no GPU",
            setup,
            f"exec {shlex.join(job)} --gather --device cpu",
        )
    )
    print(f"{len(found)} runs, of which {len(found) - len(left)} are finished; written to {array} and {gather}")
    if submit:
        after = []
        if left:
            number = _submitted([str(array)])
            print(f"submitted as job {number}: tasks {numbers}")
            after = [f"--dependency=afterany:{number}"]
        print(f"submitted as job {_submitted([*after, str(gather)])}: the gathering of the report")
    else:
        first = f"--dependency=afterany:$(sbatch --parsable {shlex.quote(str(array))}) " if left else ""
        print(f"sbatch {first}{shlex.quote(str(gather))}")
    return array


def _script(options: Mapping[str, str], comment: str, setup: str | None, command: str) -> str:
    heads = [f'#SBATCH --{name}="{value}"' if " " in value else f"#SBATCH --{name}={value}" for name, value in options.items()]
    return "\n".join(["#!/bin/bash", *heads, comment, "set -euo pipefail", *([setup] if setup else []), command, ""])


def _ranges(numbers: Sequence[int]) -> str:
    """
    >>> _ranges([0, 1, 2, 5, 7, 8])
    '0-2,5,7-8'
    """
    starts = [k for k in numbers if k - 1 not in numbers]
    ends = [k for k in numbers if k + 1 not in numbers]
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in zip(starts, ends, strict=True))


def _submitted(words: Sequence[str]) -> str:
    """Hand a script to sbatch; the number of the job. Raises TrajectoryError where that cannot be."""
    if shutil.which("sbatch") is None:
        raise TrajectoryError("there is no sbatch here: give the same command where jobs are submitted, or leave submit (--submit) out")
    answer = subprocess.run(["sbatch", "--parsable", *words], capture_output=True, text=True)
    if answer.returncode:
        raise TrajectoryError(f"sbatch refuses: {' '.join(answer.stderr.split())}; mend [slurm] in the recipe, or the options of mdtools slurm")
    return answer.stdout.strip().split(";")[0]
