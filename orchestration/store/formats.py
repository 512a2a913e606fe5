"""How each kind of result is written to a file, read back, and known by its content.

A format turns one value into one file and gives the hash of its *content*: values, dtypes, shapes
and names, never bytes that vary from write to write such as a timestamp in a zip archive. Equal
content has an equal hash whatever the process, the chunking or the file's bytes. Nothing is
pickled. Where files lie and when they count as stored is `orchestration.store.storage`.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from models.arrays import Blocks

if TYPE_CHECKING:
    import h5py
    import pandas as pd
    from numpy.typing import NDArray

CHUNK_BYTES = 1 << 20
"""What one HDF5 chunk holds at most, and what is hashed at a time."""


class Written(NamedTuple):
    """What a format has to say of a value that it wrote.

    Parameters
    ----------
    content
        Hash of the content.
    rows
        Rows of arrays and tables; None for what has no rows.
    parts
        Type and shape of each array, column or layer with weights, by name.
    """

    content: str
    rows: int | None = None
    parts: Mapping[str, tuple[str, tuple[int, ...]]] = {}


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Parameters
    ----------
    name
        The ``io_manager_key`` that assets name.
    suffix
        File name ending, with its dot.
    write
        ``write(value, path)`` writes the value to a new file.
    read
        ``read(path or open file) -> value``; a lazy format keeps the file open.
    lazy
        Whether reading takes an open binary file and reads on demand; otherwise a local path.
    """

    name: str
    suffix: str
    write: Callable[[Any, Path], Written]
    read: Callable[[Any], Any]
    lazy: bool = False


def content_hash(*parts: object) -> str:
    """Hash of a sequence of strings, bytes and JSON-able values; 64 hex digits."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else canonical_json(part).encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces; NaN and infinity are errors (undefined is null)."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


# arrays ---------------------------------------------------------------------------------------


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
        """Read the rows asked for; an index array may have any order and repeats."""
        if isinstance(rows, np.ndarray) and rows.dtype != bool and rows.size:
            wanted = np.where(rows < 0, rows + len(self), rows)
            unique, inverse = np.unique(wanted, return_inverse=True)
            return self._decode(self._read_sorted(unique)[inverse])
        return self._decode(self._dataset[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read it whole."""
        return np.asarray(self[...], dtype=dtype)

    def _read_sorted(self, rows: NDArray[Any]) -> NDArray[Any]:
        # h5py's own index lists cost a millisecond a row: a contiguous read with a selection in
        # memory is faster unless the rows are few and far apart.
        first, last = int(rows[0]), int(rows[-1]) + 1
        if last - first <= 8 * len(rows):
            return np.asarray(np.asarray(self._dataset[first:last])[rows - first])
        return np.asarray([self._dataset[int(row)] for row in rows], dtype=self._dataset.dtype)

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
        kind = "string" if self._strings else self.dataset.dtype.str
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


def write_arrays(value: Blocks | Mapping[str, Any], path: Path) -> Written:
    """Write named arrays, whole or as a stream of blocks, to HDF5."""
    import h5py

    streamed = isinstance(value, Blocks)
    blocks = value if isinstance(value, Blocks) else [_whole(value)]
    writers: dict[str, _ArrayWriter] = {}
    with _Sink(path) as sink, h5py.File(sink, "w", libver="latest") as file:
        for block in blocks:
            if not writers:
                writers = {
                    name: _ArrayWriter(file, name, np.asarray(block[name]), streamed=streamed)
                    for name in block
                }
            if set(block) != set(writers):
                raise ValueError(
                    f"a block has the arrays {sorted(block)}, the first had {sorted(writers)}"
                )
            for name, writer in writers.items():
                writer.append(np.asarray(block[name]))
            sink.check()
        if not writers:
            raise ValueError("nothing to store: the stream of blocks is empty")
        return Written(
            content_hash("arrays", sorted(writer.hash() for writer in writers.values())),
            _common(len(writer.dataset) for writer in writers.values()),
            {name: writer.described() for name, writer in writers.items()},
        )


def _common(lengths: Iterable[int]) -> int | None:
    found = set(lengths)
    return found.pop() if len(found) == 1 else None


def _whole(value: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected named arrays (a dict or Blocks), got {type(value).__name__}")
    return {name: np.asarray(array) for name, array in value.items()}


# tables ---------------------------------------------------------------------------------------


def write_table(value: pd.DataFrame, path: Path) -> Written:
    """Write a data frame to Parquet; its index is not kept."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(value, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
    columns = {field.name: table.column(field.name) for field in table.schema}
    return Written(
        content_hash("table", *(_column_hash(name, column) for name, column in columns.items())),
        table.num_rows,
        {name: (str(column.type), (table.num_rows,)) for name, column in columns.items()},
    )


def _column_hash(name: str, column: Any) -> str:
    import pyarrow as pa

    array = column.combine_chunks()
    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type):
        missing = np.asarray(array.is_null())
        values = np.where(missing, 0, array.fill_null(0).to_numpy(zero_copy_only=False))
        return content_hash(name, str(array.type), missing.tobytes(), values.tobytes())
    return content_hash(name, str(array.type), json.dumps(array.to_pylist(), default=str))


def read_table(path: Path) -> pd.DataFrame:
    """Read a data frame."""
    import pandas as pd

    return pd.read_parquet(path)


# JSON and text --------------------------------------------------------------------------------


def write_json(value: object, path: Path) -> Written:
    """Write what JSON can hold and give back the same; undefined is null, never NaN."""
    _check_json(value, "$")
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Written(content_hash("json", canonical_json(value)))


def _check_json(value: object, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where} has the key {key!r}: JSON has only text as keys")
            _check_json(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_json(item, f"{where}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is {value}: store what is undefined as null (None)")
    elif not (value is None or isinstance(value, str | int | float)) or type(value).__module__ == (
        "numpy"
    ):
        raise TypeError(
            f"{where} is a {type(value).__module__}.{type(value).__qualname__}: JSON holds only "
            "text, numbers, true, false, null, lists and dicts with text as keys"
        )


def read_json(path: Path) -> Any:
    """Read a JSON value."""
    return json.loads(path.read_text(encoding="utf-8"))


# folders of files ------------------------------------------------------------------------------


def write_folder(value: Mapping[str, bytes], path: Path) -> Written:
    """Write files by relative path to one archive, the same bytes for the same files."""
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(value):
            archive.writestr(zipfile.ZipInfo(name), value[name])
    content = content_hash(
        "folder", *(part for name in sorted(value) for part in (name, value[name]))
    )
    return Written(content, None, {name: ("bytes", (len(value[name]),)) for name in sorted(value)})


def read_folder(path: Path) -> dict[str, bytes]:
    """Read files by relative path."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# networks and estimators ----------------------------------------------------------------------


def write_network(value: Any, path: Path) -> Written:
    """Write a Keras network; its content is its configuration and its weights."""
    value.save(path)
    weights = value.get_weights()
    hashes = (
        content_hash(list(array.shape), array.dtype.str, np.ascontiguousarray(array).tobytes())
        for array in weights
    )
    return Written(
        content_hash("network", _without_counters(value), *hashes),
        None,
        {
            variable.path: (str(array.dtype), array.shape)
            for variable, array in zip(value.weights, weights, strict=True)
        },
    )


def _without_counters(network: Any) -> Any:
    """A network's configuration with unnamed layers numbered from 0 within it.

    Keras numbers them through the whole process: the second network made there would differ.
    """
    config = {"class_name": type(network).__name__, "config": network.get_config()}
    names: dict[str, str] = {}

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            name = isinstance(node.get("config"), dict) and node["config"].get("name")
            base = _snake_case(str(node.get("class_name")))
            if isinstance(name, str) and re.fullmatch(rf"{base}(_\d+)?", name):
                names.setdefault(name, f"{base} {len(names)}")
        if isinstance(node, dict | list | tuple):
            for item in node.values() if isinstance(node, dict) else node:
                collect(item)

    def renamed(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: renamed(item) for key, item in node.items()}
        if isinstance(node, list | tuple):
            return [renamed(item) for item in node]
        return names.get(node, node) if isinstance(node, str) else node

    collect(config)
    return renamed(config)


def _snake_case(name: str) -> str:
    """Turn a class name into the name that Keras gives an unnamed layer of it."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def read_network(path: Path) -> Any:
    """Read a Keras network, uncompiled, refusing code in the file (safe mode)."""
    import zipfile
    from importlib import import_module

    import keras

    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    # Keras knows this project's own layers once the modules that define them are imported.
    for module in sorted(set(re.findall(r'"module": "(models\.[\w.]+)"', config))):
        import_module(module)
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def write_estimator(value: Any, path: Path) -> Written:
    """Write a scikit-learn estimator with skops."""
    import skops.io

    skops.io.dump(value, path)
    return Written(_skops_hash(path))


def _skops_hash(path: Path) -> str:
    # skops names members and nodes by memory address: number them in order of appearance.
    import zipfile

    with zipfile.ZipFile(path) as archive:
        schema = archive.read("schema.json").decode()
        order: dict[str, str] = {}

        def number(match: re.Match[str]) -> str:
            return match[1] + order.setdefault(match[2], str(len(order)))

        numbered = re.sub(r'("__id__": |"file": ")(\d+)', number, schema)
        tree = json.loads(numbered)
        tree.pop("_skops_version", None)
        members = sorted(
            (name for name in archive.namelist() if name != "schema.json"),
            key=lambda name: int(order.get(name.split(".")[0], "0")),
        )
        return content_hash("estimator", tree, *(archive.read(name) for name in members))


TRUSTED = ("sklearn.", "numpy.", "scipy.", "models.")
"""Where the types of a stored estimator may come from."""


def read_estimator(path: Path) -> Any:
    """Read a scikit-learn estimator; a type from anywhere unexpected is an error."""
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in unknown if not name.startswith(TRUSTED)]
    if foreign:
        raise ValueError(f"the stored estimator holds types that are not trusted: {foreign}")
    return skops.io.load(path, trusted=unknown)


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("arrays", ".h5", write_arrays, StoredArrays, lazy=True),
        Format("tables", ".parquet", write_table, read_table),
        Format("json", ".json", write_json, read_json),
        Format("folders", ".zip", write_folder, read_folder),
        Format("networks", ".keras", write_network, read_network),
        Format("estimators", ".skops", write_estimator, read_estimator),
    )
}
"""Every format, by the ``io_manager_key`` that assets name."""
