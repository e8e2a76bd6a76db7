"""What a file was when it was read: enough to tell later whether it is still the same."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["fingerprint", "fingerprints", "in_short"]

_ENDS = 2**20
_PIECE, _PIECES = 2**16, 64
_MANY = 100


def fingerprint(path: Path) -> dict[str, Any]:
    """Name, size, time of last change (ns) and hash of a file.

    Hashed are its first and last megabyte and 64 pieces of 64 kB in between: a file that grew, was cut or was written anew
    differs, in a few milliseconds whatever its size. A small file is hashed whole. Hashing every byte would cost a quarter of
    the time of reading text.
    """
    about = path.stat()
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        if about.st_size <= 2 * _ENDS + _PIECES * _PIECE:
            digest.update(file.read())
        else:
            digest.update(file.read(_ENDS))
            for k in range(1, _PIECES + 1):
                file.seek(k * about.st_size // (_PIECES + 1))
                digest.update(file.read(_PIECE))
            file.seek(about.st_size - _ENDS)
            digest.update(file.read(_ENDS))
    return {"path": str(path), "size": about.st_size, "mtime_ns": about.st_mtime_ns, "blake2b_of_samples": digest.hexdigest()}


def in_short(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, or for more than a hundred files the first, the last, and all of them in one."""
    if len(found) <= _MANY:
        return found
    digest = hashlib.blake2b(json.dumps(found).encode(), digest_size=16)
    return [found[0], {"files": len(found), "size": sum(one["size"] for one in found), "blake2b": digest.hexdigest()}, found[-1]]


def fingerprints(paths: Iterable[Any]) -> list[dict[str, Any]]:
    """Those of the files among what was passed to `read`."""
    files = [Path(path) for path in paths if isinstance(path, (str, Path))]
    return [fingerprint(path) for path in files if path.is_file()]
