"""The matrix of files and readers as lines of text."""

from collections import Counter
from typing import Any

from agreement.collection import DATA, NO_TRAJECTORY

__all__ = ["lines"]


def lines(record: list[Any]) -> list[str]:
    """A block a file: what each peer makes of it, and why it differs. Then the files that hold no trajectory, and counts."""
    out: list[str] = []
    counts: Counter[tuple[str, str]] = Counter()
    before = ""
    for name, peer, outcome, whys in record:
        if name != before:
            out.append(name + (" (we refuse it)" if isinstance(outcome, str) else ""))
            before = name
        if isinstance(outcome, str):
            counts[peer, "of files we refuse: " + outcome.split()[0].rstrip(":")] += 1
            out.append(f"    {peer:11s} {outcome}")
            continue
        counts[peer, outcome.word] += 1
        out.append(f"    {peer:11s} {outcome.word} {outcome.text}".rstrip())
        out += [f"        because {why or 'NOBODY KNOWS WHY'}" for why in dict.fromkeys(whys.values())]
    out += [f"{pattern}: no trajectory, but {what} ({len(list(DATA.glob(pattern)))} files)" for pattern, what in NO_TRAJECTORY.items()]
    for peer in dict.fromkeys(peer for peer, _ in counts):
        out.append(f"{peer}: " + ", ".join(f"{number} {word}" for (who, word), number in sorted(counts.items()) if who == peer))
    return out
