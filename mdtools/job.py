"""A recipe carried out: whole in one job, or one run of its table at a time and then gathered."""

from pathlib import Path

from mdtools import batch, progress
from mdtools.recipe import Recipe, opened, read_recipe, written

__all__ = ["run"]


def run(recipe: str | Path, *, folder: str | None = None, member: int | None = None, gather: bool = False) -> Path | None:
    """Everything a recipe asks for, in one job: a .nc for each section, and the report.

    folder : where the results are written; the folder of the recipe if not given. member : make one run of the series alone,
    by its row in the table from 0, and keep it in the folder: what is there already is not made again. gather : make the
    same of the runs that were kept.

    Everything is checked before anything starts. Paths in a recipe are meant from its own folder. Returns the path of
    the report, or None with member. Raises ValueError for a word that is not understood, what the functions raise, and
    for a section that no run allows its reason, when all others are written.
    """
    asked = read_recipe(recipe)
    target = Path(recipe).parent if folder is None else Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if gather or member is not None:
        return _in_parts(asked, target, member, gather)
    with progress.bar():
        runs = opened(asked)
        runs.set_options(asked.stages)
        out, refused = written(runs, asked, target)
    for name, reason in refused.items():
        raise type(reason)(f"[{name}] could not be made, everything else was: {reason}")
    return out


def _in_parts(asked: Recipe, target: Path, member: int | None, gather: bool) -> Path | None:
    if member is None:
        return batch.gathered(asked, target)
    if gather:
        raise ValueError("member= (--member) makes one run and gather= (--gather) puts runs together; pass one of them")
    found = batch.tasks(asked, target)
    if not 0 <= member < len(found):
        raise ValueError(f"there is no member {member}: the recipe has {len(found)} runs, counted from 0")
    with progress.bar():
        batch.made(found[member])
    return None
