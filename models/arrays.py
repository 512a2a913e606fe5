"""Arrays that need not fit in memory: how a stage passes rows to the next.

Rows are a mapping of named arrays of equal length, or a stream of blocks of such rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 1024
"""Default rows of a block: 13 MB of float32 Kepler curves."""
DISK_CHUNK = 1 << 18
"""Bytes that a temporary file of `on_disk` is read and written by."""


@runtime_checkable
class ArrayLike(Protocol):
    """A stored or in-memory array; slicing a stored one reads only those rows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""

    def __len__(self) -> int:
        """Rows, the length of the first axis."""

    def __getitem__(self, rows: Any) -> Any:
        """The chosen rows: a slice, or an index array in any order, with repeats or without."""


Arrays = Mapping[str, ArrayLike]
"""Named arrays with the same number of rows."""

Block = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Blocks:
    """A stream of blocks of rows, for arrays that need not fit in memory.

    Parameters
    ----------
    source : iterable of Block
        Blocks in order; arrays have equal lengths within a block, and the same names, dtypes and
        trailing shapes in all blocks. It is read once.
    """

    source: Iterable[Block]

    def __iter__(self) -> Iterator[Block]:
        """Iterate over the blocks."""
        return iter(self.source)


def on_disk(blocks: Iterable[Block]) -> dict[str, ArrayLike]:
    """Write a stream of blocks to a temporary file, which goes with the last of its arrays.

    Memory holds one block, and then what is read.

    Raises
    ------
    ValueError
        There is no block.
    """
    import h5py

    arrays: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        file = h5py.File(Path(folder) / "arrays.h5", "w")  # outlives its name while it is open
    for block in blocks:
        for name, values in block.items():
            if name not in arrays:
                rows = max(1, DISK_CHUNK // max(1, values[:1].nbytes))
                arrays[name] = file.create_dataset(
                    name,
                    (0, *values.shape[1:]),
                    values.dtype,
                    maxshape=(None, *values.shape[1:]),
                    chunks=(rows, *values.shape[1:]),
                )
            end = len(arrays[name])
            arrays[name].resize(end + len(values), axis=0)
            arrays[name][end:] = values
    if not arrays:
        raise ValueError("the stream of blocks is empty")
    return arrays


def iter_blocks(
    arrays: Arrays,
    *,
    rows: int = BLOCK_ROWS,
    names: Iterable[str] | None = None,
    only: NDArray[np.int64] | None = None,
) -> Iterator[dict[str, NDArray[Any]]]:
    """Read ``arrays`` block by block.

    Parameters
    ----------
    arrays : Arrays
        Named arrays with the same number of rows.
    rows : int
        Maximum rows of a block.
    names : iterable of str, optional
        The arrays to read; all by default.
    only : int array of shape (m,), optional
        Indices of the rows to read, in their order; all by default.

    Raises
    ------
    ValueError
        The arrays differ in their number of rows.

    Examples
    --------
    >>> [block["x"].tolist() for block in iter_blocks({"x": np.arange(5)}, rows=2)]
    [[0, 1], [2, 3], [4]]
    >>> [block["x"].tolist() for block in iter_blocks({"x": np.arange(5)}, only=np.array([4, 1]))]
    [[4, 1]]
    """
    chosen = list(arrays if names is None else names)
    lengths = {name: len(arrays[name]) for name in chosen}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"arrays differ in their number of rows: {lengths}")
    for start in range(0, next(iter(lengths.values()), 0) if only is None else len(only), rows):
        part = slice(start, start + rows) if only is None else only[start : start + rows]
        yield {name: np.asarray(arrays[name][part]) for name in chosen}


def map_blocks(
    arrays: Arrays,
    function: Callable[[dict[str, NDArray[Any]]], Block],
    *,
    rows: int = BLOCK_ROWS,
    names: Iterable[str] | None = None,
    only: NDArray[np.int64] | None = None,
) -> Blocks:
    """Apply ``function`` to each block of ``arrays``, lazily; parameters as of `iter_blocks`."""
    return Blocks(
        function(block) for block in iter_blocks(arrays, rows=rows, names=names, only=only)
    )
