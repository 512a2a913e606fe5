"""Named arrays in HDF5, read on demand."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestration.store.formats.base import Written, content_hash

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

CHUNK_BYTES = 1 << 20
"""Size of an HDF5 chunk at most."""

PART_BYTES = 1 << 24
"""Size of a part of an array on disk that is copied at a time."""

READ_GAP = 8
"""Chosen rows this close together are read in one slice, and those between them dropped."""

EXPECTED = "expected named arrays (a dict, or a stream of blocks)"


class StoredArray:
    """One array of a stored file; slicing reads only the rows asked for.

    Strings come back as NumPy ``U`` arrays.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self._width = dataset.attrs.get("characters")

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(self._dataset.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return np.dtype(f"U{self._width}") if self._width is not None else self._dataset.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        """Rows."""
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Any:
        """Read the chosen rows; an index array may have any order and repeats."""
        if isinstance(rows, np.ndarray) and rows.dtype != bool and rows.size:
            wanted = np.where(rows < 0, rows + len(self), rows)
            unique, inverse = np.unique(wanted, return_inverse=True)
            return self._decode(self._read_sorted(unique)[inverse])
        return self._decode(self._dataset[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read it whole."""
        return np.asarray(self[...], dtype=dtype)

    def _read_sorted(self, rows: NDArray[Any]) -> NDArray[Any]:
        # h5py's own index lists cost a millisecond a row: near rows are read in one slice.
        result = np.empty((rows.size, *self._dataset.shape[1:]), dtype=self._dataset.dtype)
        starts = np.flatnonzero(np.diff(rows, prepend=-READ_GAP - 1) > READ_GAP)
        for start, stop in zip(starts, [*starts[1:], rows.size], strict=True):
            first, last = int(rows[start]), int(rows[stop - 1])
            result[start:stop] = self._dataset[first : last + 1][rows[start:stop] - first]
        return result

    def _decode(self, values: Any) -> Any:
        if self._width is None:
            return values
        encoded = np.asarray(values, dtype=f"S{max(1, self._dataset.dtype.itemsize)}")
        return np.asarray(np.char.decode(encoded, "utf-8").astype(self.dtype))


class StoredArrays(dict[str, StoredArray]):
    """The named arrays of one stored file, by name in alphabetical order, read on demand.

    A dict because Dagster checks inputs annotated as mappings to be one.
    """

    def __init__(self, file: Any) -> None:
        import h5py

        self._file = h5py.File(file, "r")
        super().__init__({name: StoredArray(self._file[name]) for name in sorted(self._file)})

    def __missing__(self, name: str) -> StoredArray:
        """Say what there is."""
        raise KeyError(f"no array {name!r}; there are {sorted(self)}")


class _ArrayWriter:
    """One growing dataset with the hash of all its values in order."""

    def __init__(self, file: h5py.File, name: str, first: NDArray[Any], *, streamed: bool) -> None:
        self._strings = first.dtype.kind == "U"
        encoded = self._encode(name, first)
        if self._strings and streamed:  # room for the longest text that later blocks may hold
            encoded = encoded.astype(f"S{first.dtype.itemsize}")
        row = max(1, int(np.prod(encoded.shape[1:])) * max(1, encoded.dtype.itemsize))
        self._digest = hashlib.sha256()
        self._rows = 0
        self._kind = first.dtype.kind
        self.name = name
        self.dataset = file.create_dataset(
            name,
            shape=(0, *encoded.shape[1:]),
            maxshape=(None, *encoded.shape[1:]),
            dtype=encoded.dtype,
            chunks=(
                max(1, min(len(encoded) or CHUNK_BYTES, CHUNK_BYTES // row)),
                *(max(1, length) for length in encoded.shape[1:]),
            ),
            track_times=False,
        )
        if self._strings:
            self.dataset.attrs["characters"] = first.dtype.itemsize // 4

    def append(self, block: NDArray[Any]) -> None:
        values = self._encode(self.name, block)
        if values.shape[1:] != self.dataset.shape[1:] or block.dtype.kind != self._kind:
            raise ValueError(
                f"array {self.name!r}: a block has rows of {values.dtype} {values.shape[1:]}, the "
                f"blocks before it {self.dataset.dtype} {self.dataset.shape[1:]}"
            )
        if self._strings:
            if values.dtype.itemsize > self.dataset.dtype.itemsize:
                raise ValueError(
                    f"array {self.name!r}: a later block has longer strings than the first; "
                    "give the array a fixed width, such as dtype 'U32'"
                )
            for text in block.ravel():
                data = str(text).encode()
                self._digest.update(len(data).to_bytes(4, "little"))
                self._digest.update(data)
        else:
            if values.dtype != self.dataset.dtype:
                raise ValueError(
                    f"array {self.name!r}: a block is {values.dtype}, the blocks before it "
                    f"{self.dataset.dtype}"
                )
            self._digest.update(values.data.cast("B") if values.size else b"")
        end = self._rows + len(values)
        self.dataset.resize(end, axis=0)
        self.dataset[self._rows : end] = values
        self._rows = end

    def hash(self) -> str:
        # The width of strings is part of the type that is read back.
        kind = f"U{self.dataset.attrs['characters']}" if self._strings else self.dataset.dtype.str
        return content_hash(self.name, kind, list(self.dataset.shape), self._digest.hexdigest())

    def described(self) -> tuple[str, tuple[int, ...]]:
        """Type and shape."""
        return "string" if self._strings else str(self.dataset.dtype), self.dataset.shape

    @staticmethod
    def _encode(name: str, values: NDArray[Any]) -> NDArray[Any]:
        if values.ndim == 0:
            raise ValueError(f"array {name!r} has no rows: it is a single value")
        if values.dtype.kind == "U":
            return np.char.encode(values, "utf-8") if values.size else values.astype("S1")
        if values.dtype.kind not in "biufcS":
            raise ValueError(
                f"array {name!r} holds {values.dtype}: only numbers, booleans and strings (dtype "
                "'U') are stored"
            )
        return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))


class _Sink(io.FileIO):
    """A file for HDF5 that keeps errors to itself until it is asked or left.

    A full disk in the middle of HDF5's own writing leaves the library unusable: later files crash.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of it, or pretend to."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._error is None and done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self._error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the file's length, or pretend to."""
        try:
            return super().truncate(size) if self._error is None else size or 0
        except OSError as error:
            self._error = error
            return size or 0

    def check(self) -> None:
        """Raise what went wrong."""
        if self._error is not None:
            raise self._error

    def __exit__(self, kind: Any, *rest: Any) -> None:
        super().__exit__(kind, *rest)
        if kind is None:
            self.check()


def write_arrays(value: Mapping[str, Any] | Iterable[Mapping[str, Any]], path: Path) -> Written:
    """Write named arrays to HDF5: whole, or as a stream of blocks that each map names to arrays."""
    import h5py

    streamed = not isinstance(value, Mapping)
    blocks = [value] if isinstance(value, Mapping) else _blocks(value)
    writers: dict[str, _ArrayWriter] = {}
    with _Sink(path) as sink, h5py.File(sink, "w", libver="latest") as file:
        for block in blocks:
            if not writers:
                writers = {
                    name: _ArrayWriter(file, name, next(_parts(block[name])), streamed=streamed)
                    for name in block
                }
            if set(block) != set(writers):
                raise ValueError(
                    f"a block has the arrays {sorted(block)}, the first had {sorted(writers)}"
                )
            for name, writer in writers.items():
                for part in _parts(block[name]):
                    writer.append(part)
            sink.check()
        if not writers:
            raise ValueError("nothing to store: the stream of blocks is empty")
        return Written(
            content_hash("arrays", sorted(writer.hash() for writer in writers.values())),
            _common(len(writer.dataset) for writer in writers.values()),
            {name: writer.described() for name, writer in writers.items()},
        )


def _parts(values: Any) -> Iterator[NDArray[Any]]:
    """Give an array whole, or, if it lies on disk, as parts of some megabytes."""
    import h5py

    if not isinstance(values, h5py.Dataset | StoredArray):
        yield np.asarray(values)
        return
    row = max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize)
    rows = max(1, PART_BYTES // row)
    for start in range(0, max(1, len(values)), rows):
        yield np.asarray(values[start : start + rows])


def _common(lengths: Iterable[int]) -> int | None:
    distinct = set(lengths)
    return distinct.pop() if len(distinct) == 1 else None


def _blocks(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, str | bytes | np.ndarray) or not isinstance(value, Iterable):
        raise TypeError(f"{EXPECTED}, got {type(value).__name__}")
    for block in value:
        if not isinstance(block, Mapping):
            raise TypeError(f"{EXPECTED}, got {type(value).__name__} of {type(block).__name__}")
        yield block
