"""The command line, made from the functions: names, options, defaults and help come from their signatures.

Exit codes: 0 done; 2 refused, with one line on stderr; a traceback is a bug.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from mdtools.cli.arguments import Refusal, parse
from mdtools.errors import NotEnoughData, TrajectoryError

__all__ = ["main"]

REFUSED = 2
STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        request = parse(words)
        if request is not None:
            from mdtools.cli.commands import execute

            execute(request)
    except KeyboardInterrupt:
        print("mdtools: stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # whoever read the table has seen enough; nothing may be written when Python ends either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as reason:
        if not _is_refusal(reason):
            raise
        print(f"mdtools: {_one_line(reason)}", file=sys.stderr)
        return REFUSED
    return 0


def _is_refusal(reason: Exception) -> bool:
    """Whether the request is at fault: our own refusals, our argument checks, files that cannot be opened."""
    if isinstance(reason, (Refusal, TrajectoryError, NotEnoughData)):
        return True
    if isinstance(reason, OSError):
        return reason.filename is not None
    if isinstance(reason, ValueError):
        # what Python itself or another package raises (float("x"), math.sqrt(-1)) is a bug of ours
        where = traceback.extract_tb(reason.__traceback__)[-1]
        return Path(__file__).parent.parent in Path(where.filename).parents and (where.line or "").startswith("raise ")
    return False


def _one_line(reason: Exception) -> str:
    if isinstance(reason, OSError):
        return f"{reason.filename}: {(reason.strerror or str(reason)).lower()}"
    return " ".join(str(reason).split())
