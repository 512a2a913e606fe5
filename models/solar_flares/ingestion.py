"""Read records from files of JSON lines that need not fit in memory.

A random sample of each fold is read, by one of two engines; broken lines stop the reading or are
skipped. `models.solar_flares.json_lines` parses a line.
"""

from __future__ import annotations

import gzip
import os
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import BLOCK_ROWS, Block, Blocks
from models.errors import BadInput
from models.solar_flares.json_lines import Layout, Parsed, Piece, parse
from models.solar_flares.records import ID_LENGTH, REGION_LENGTH, rebatched
from models.threads import in_order

PIECE_BYTES = 1 << 20  # parsed at once: what fits the processor's cache, yet few changes of threads
READ_BYTES = 1 << 22
LINE_BYTES = 1 << 24  # a record takes about 40 kB; a longer line is no record
NAMED_LINES = 20  # broken lines whose reason is kept

_GIVEN = "a record on one line: id, classNum (0 or 1), values with 25 parameters of 60 samples"


@dataclass(frozen=True)
class FoldFile:
    """A fold's file and the share of its records to take.

    Parameters
    ----------
    path
        JSON lines; plain, gzip, or a zip with one file in it.
    fold
        Number of the fold, 1 to 127.
    fraction
        Share of the lines to take, above 0 and up to 1.
    """

    path: Path
    fold: int
    fraction: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction must be above 0 and up to 1, not {self.fraction}")
        if not 0 < self.fold < 128:
            raise ValueError(f"fold must be 1 to 127, not {self.fold}")


@dataclass
class Tally:
    """What became of a file's lines; complete when the last block has been read.

    Attributes
    ----------
    lines
        Lines in the file that are not blank.
    records
        Records taken.
    bad
        Lines found broken and skipped.
    bad_lines
        The first of them, each with its number and reason.
    """

    lines: int = 0
    records: int = 0
    bad: int = 0
    bad_lines: list[str] = field(default_factory=list)


def in_sample(lines: NDArray[np.int64], fraction: float, *, seed: int, fold: int) -> NDArray[Any]:
    """Decide for each line number whether it belongs to the sample.

    The decision is a hash of seed, fold and line number (splitmix64; Steele, Lea and Flood 2014,
    OOPSLA) against the fraction: it is the same in whatever order, in how many pieces and by
    which engine the lines are read, and a larger fraction keeps what a smaller one took.

    Parameters
    ----------
    lines
        Line numbers from 1, blank lines counted.
    fraction
        Share to take.
    seed
        Seed of the sample, 0 or more.
    fold
        Folds are sampled independently.

    Returns
    -------
    bool array of the shape of ``lines``.
    """
    if fraction >= 1:
        return np.ones(len(lines), dtype=bool)
    start = _mixed(_mixed(np.array([seed], np.uint64)) ^ np.uint64(fold))
    draws = _mixed(start + np.asarray(lines).astype(np.uint64))
    return np.asarray((draws >> np.uint64(11)) * 2.0**-53 < fraction)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def read_json_lines(
    files: Iterable[FoldFile],
    tallies: dict[int, Tally],
    *,
    seed: int = 0,
    on_bad: str = "stop",
    limit: int = 100,
    engine: str = "arrow",
    workers: int = 2,
    master: str = "local[2]",
    piece_bytes: int = PIECE_BYTES,
) -> Blocks:
    """Stream the sampled records of JSON-lines files, in the order of the files and lines.

    Values, sample and order don't depend on engine, workers or piece size, and memory doesn't
    grow with the files. Lines outside the sample are not parsed: they are only checked to begin
    with ``{`` and end with ``}``, which a truncated file doesn't pass.

    Parameters
    ----------
    files
        One file per fold.
    tallies
        Filled while the blocks are read: a `Tally` per fold.
    seed
        Seed of the sample.
    on_bad
        ``"stop"`` raises at the first broken line; ``"skip"`` leaves broken lines out.
    limit
        Broken lines of a file that ``"skip"`` leaves out before it raises.
    engine
        ``"arrow"``: threads of this process. ``"spark"``: executors of a Spark cluster, which
        must reach the files under the same paths and have this package installed.
    workers
        Threads of the arrow engine.
    master
        Spark's master URL.
    piece_bytes
        Bytes that a thread parses at once.

    Raises
    ------
    BadInput
        A line is broken (naming file and line), more than ``limit`` are, or a file is not what
        its name says. Raised while the blocks are read.
    """
    if on_bad not in {"stop", "skip"}:
        raise ValueError(f"on_bad must be 'stop' or 'skip', not {on_bad!r}")
    if engine not in {"arrow", "spark"}:
        raise ValueError(f"engine must be 'arrow' or 'spark', not {engine!r}")
    chosen = list(files)
    if len({file.fold for file in chosen}) < len(chosen):
        raise ValueError("two files have the same fold number: their ids would be mixed up")

    def parsed(file: FoldFile) -> Iterator[Parsed]:
        if engine == "spark":
            return _parsed_by_spark(file, seed, master)
        return _parsed_by_threads(file, seed, workers, piece_bytes)

    def blocks() -> Iterator[Block]:
        for file in chosen:
            tally = tallies[file.fold] = Tally()
            for part in parsed(file):
                _count(file, part, tally, stop=on_bad == "stop", limit=limit)
                if part.ids:
                    yield _block(part, file.fold)

    return Blocks(rebatched(blocks(), BLOCK_ROWS))


def _count(file: FoldFile, part: Parsed, tally: Tally, *, stop: bool, limit: int) -> None:
    tally.lines += part.lines
    tally.records += len(part.ids)
    for number, reason in part.bad:
        tally.bad += 1
        if len(tally.bad_lines) < NAMED_LINES:
            tally.bad_lines.append(f"{file.path.name}, line {number}: {reason}")
        if stop:
            raise BadInput(
                f"line {number} is broken: {reason}",
                file=file.path,
                row=number,
                expected=_GIVEN,
                remedy="Repair the file or download it again, or skip broken lines.",
            )
        if tally.bad > limit:
            raise BadInput(
                f"line {number} is broken ({reason}), and with it more than {limit} lines",
                file=file.path,
                row=number,
                expected=f"at most {limit} broken lines to skip",
                remedy="Repair the file or download it again, or raise the limit.",
            )


def _block(part: Parsed, fold: int) -> Block:
    return {
        "values": part.values,
        "label": np.array(part.labels, dtype=np.int8),
        "id": np.array(part.ids, dtype=f"U{ID_LENGTH}"),
        "region": np.array([f"fold{fold}-{one}" for one in part.ids], dtype=f"U{REGION_LENGTH}"),
        "fold": np.full(len(part.ids), fold, dtype=np.int8),
    }


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open a plain, gzip or zip file, told apart by its first bytes rather than its name."""
    with path.open("rb") as handle:
        magic = handle.read(4)
    if magic[:2] == b"\x1f\x8b":
        with gzip.open(path) as stream:
            yield stream
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/")]
            if len(members) != 1:
                raise BadInput(
                    f"the archive holds {len(members)} files",
                    file=path,
                    expected="one file of JSON lines",
                    remedy="Unpack it and name the file.",
                )
            with archive.open(members[0]) as member:
                yield member
    else:
        with path.open("rb", buffering=0) as plain:
            yield plain


def _lines(path: Path) -> Iterator[list[bytes]]:
    """Read whole lines, some megabytes at a time, without their line feeds."""
    rest = b""
    number = 0
    try:
        with _opened(path) as stream:
            while chunk := stream.read(READ_BYTES):
                lines = (rest + chunk).split(b"\n")
                rest = lines.pop()
                if len(rest) > LINE_BYTES:
                    raise BadInput(
                        f"line {number + len(lines) + 1} is longer than {LINE_BYTES:,} bytes",
                        file=path,
                        row=number + len(lines) + 1,
                        expected=_GIVEN,
                        remedy="Write one record per line.",
                    )
                if number == 0 and lines:
                    lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
                number += len(lines)
                yield lines
    except (EOFError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(
            f"it cannot be unpacked: {error}",
            file=path,
            expected="a whole gzip or zip file",
            remedy="Download it again.",
        ) from error
    if rest:
        yield [rest if number else rest.removeprefix(b"\xef\xbb\xbf")]


def _pieces(file: FoldFile, seed: int, piece_bytes: int) -> Iterator[Piece]:
    piece, size, number = Piece(), 0, 0
    for lines in _lines(file.path):
        numbers = np.arange(number + 1, number + len(lines) + 1)
        number += len(lines)
        sampled = in_sample(numbers, file.fraction, seed=seed, fold=file.fold).tolist()
        for one, line, take in zip(numbers.tolist(), lines, sampled, strict=True):
            size += piece.add(one, line, take)
            if size >= piece_bytes:
                yield piece
                piece, size = Piece(), 0
    if piece.seen:
        yield piece


def _parsed_by_threads(
    file: FoldFile, seed: int, workers: int, piece_bytes: int
) -> Iterator[Parsed]:
    """Parse a file's pieces in threads; NumPy and Arrow release the interpreter's lock."""
    layout: Layout | None = None
    # Each piece is parsed with the layout that the last finished one had.
    tasks = (partial(parse, piece, layout) for piece in _pieces(file, seed, piece_bytes))
    for part, latest in in_order(tasks, workers=workers, name="records"):
        layout = latest
        yield part


def _parsed_by_spark(file: FoldFile, seed: int, master: str) -> Iterator[Parsed]:
    """Let Spark split and read the file, and parse each line as the threads do."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ModuleNotFoundError(
            "engine 'spark' needs pyspark and Java 17: install the 'spark' extra, or use "
            "engine 'arrow'"
        ) from error
    with file.path.open("rb") as handle:
        magic = handle.read(2)
    if magic == b"PK" or (magic == b"\x1f\x8b") != (file.path.suffix == ".gz"):
        raise BadInput(
            "Spark cannot unpack it",
            file=file.path,
            expected="plain JSON lines, or gzip with a name that ends in .gz",
            remedy="Unpack it, or use engine 'arrow'.",
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master(master)
        .appName("faint-signals")
        .config("spark.executorEnv.PYTHONPATH", str(Path(__file__).resolve().parents[2]))
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    fraction, fold = file.fraction, file.fold

    def parse_lines(numbered: Iterable[tuple[str, int]]) -> Iterator[tuple[Any, ...]]:
        layout: Layout | None = None
        for line, index in numbered:
            piece = Piece()
            take = in_sample(np.array([index + 1]), fraction, seed=seed, fold=fold)
            piece.add(index + 1, line.encode(), bool(take[0]))
            part, layout = parse(piece, layout)
            yield part.values, part.labels, part.ids, part.bad, part.lines

    # Spark's own row order is no order; the index of a line within the file is.
    lines = session.sparkContext.textFile(str(file.path)).zipWithIndex()
    for values, labels, ids, bad, seen in lines.mapPartitions(parse_lines).toLocalIterator(True):
        yield Parsed(values, labels, ids, bad, seen)
