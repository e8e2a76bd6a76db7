"""What a file was when it was read: enough to tell later whether it is still the same."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["fingerprint", "fingerprints"]

_ENDS = 2**20
_PIECE, _PIECES = 2**16, 64


def fingerprint(path: Path) -> dict[str, Any]:
    """Name, size, time of last change (ns) and hash of a file.

    Hashed are its first and last megabyte and 64 pieces of 64 kB in between: a file that grew, was cut or was written anew
    differs, in a few milliseconds whatever its size. Hashing every byte would cost a quarter of the time of reading text.
    """
    about = path.stat()
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        digest.update(file.read(_ENDS))
        for k in range(1, _PIECES + 1):
            file.seek(k * about.st_size // (_PIECES + 1))
            digest.update(file.read(_PIECE))
        file.seek(max(0, about.st_size - _ENDS))
        digest.update(file.read(_ENDS))
    return {"path": str(path), "size": about.st_size, "mtime_ns": about.st_mtime_ns, "blake2b_of_samples": digest.hexdigest()}


def fingerprints(paths: Iterable[Any]) -> list[dict[str, Any]]:
    """Those of the files among what was passed to `read`."""
    files = [Path(path) for path in paths if isinstance(path, (str, Path))]
    return [fingerprint(path) for path in files if path.is_file()]
