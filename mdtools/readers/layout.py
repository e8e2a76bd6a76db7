"""How a large array lies on disk: chunks of frames x atoms, many of them in one file (a shard), whole shards written at once.

A chunk is what is read at least; a shard holds all atoms of some frames, so that a run of a terabyte is some ten thousand
files. Whole histories of some atoms and whole frames of some times then both read little more than they need.
"""

from dataclasses import dataclass
from typing import Any

from mdtools import memory

__all__ = ["Layout", "layout_of"]

_CHUNK_FRAMES = 256
_CHUNK_BYTES = 2**20
_FEWEST = 16  # atoms of a chunk
_SHARD_BYTES = 2**26
_SHARES = 32  # of the memory of the job: shards are buffered, encoded and written of several arrays at once


@dataclass(frozen=True, kw_only=True)
class Layout:
    """shape : of the whole array. chunk, shard : (frame, atom, 3); a shard holds whole chunks and all atoms."""

    shape: tuple[int, int, int]
    chunk: tuple[int, int, int]
    shard: tuple[int, int, int]

    @property
    def row(self) -> int:
        """Frames in a shard: what is written at once."""
        return self.shard[0]

    def create(self, group: Any, name: str, dtype: Any) -> Any:
        """The empty array, uncompressed: positions of a run hardly compress, and reading is twice as fast without."""
        return group.create_array(
            name, shape=self.shape, dtype=dtype, chunks=self.chunk, shards=self.shard, compressors=None, overwrite=True, fill_value=0.0
        )


def layout_of(n_frames: int, n_atoms: int, itemsize: int) -> Layout:
    """Chunks of about a megabyte and shards of at most 64, fewer where the job may not take so much memory.

    Of a long run a chunk holds fewer atoms, so that their whole histories take no more than the job should hold at once.
    """
    frame_bytes = 3 * itemsize * n_atoms
    shard_bytes = min(_SHARD_BYTES, memory.limit() // _SHARES)
    frames = min(max(shard_bytes // frame_bytes, 1), _CHUNK_FRAMES, n_frames)
    in_row = min(max(shard_bytes // (frame_bytes * frames), 1), -(-n_frames // frames))
    in_chunk = min(_CHUNK_BYTES // (3 * itemsize * frames), memory.limit() // _SHARES // (3 * itemsize * n_frames))
    columns = -(-n_atoms // max(in_chunk, min(_FEWEST, n_atoms)))
    atoms = -(-n_atoms // columns)
    return Layout(shape=(n_frames, n_atoms, 3), chunk=(frames, atoms, 3), shard=(frames * in_row, atoms * columns, 3))
