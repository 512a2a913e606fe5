"""Read real light curves: the Kaggle pair, and folders of Kepler quarters.

All sources, `models.exoplanets.simulation` included, give the same arrays:

========  ==========  ===============================================================
``flux``  float32     (n, 3197), e-/s, one value each 29.4 minutes
``label`` int8        1 with a planet, 0 without
``star``  str         name of the row, unique within the source
``host``  str         star that the noise comes from; rows of one host stay together
``part``  int8        0 training and validation, 1 the published test set
``kind``  str         quiet, planet, eclipsing_binary, flare, jump or unknown
``period`` float64    days; NaN if unknown
``depth``  float64    relative to the star's flux; NaN if unknown
``snr``    float64    signal-to-noise of all transits together; NaN if unknown or no transit
========  ==========  ===============================================================
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import logging
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Blocks
from models.download import KAGGLE_API, kaggle_dataset_file
from models.errors import BadInput

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)

CADENCES = 3197
"""Values in a curve of the Kaggle set, about 65 days."""

CADENCE_DAYS = 29.4244 / 60 / 24
"""Kepler's long cadence (Kepler Data Characteristics Handbook, section 2.1)."""

NAME = "U48"
"""Type of ``star`` and ``host``."""

KIND = "U16"
"""Type of ``kind``."""

READ_ROWS = 512
"""Rows read at a time: about 14 MB of text and 7 MB of numbers."""

KAGGLE_DATASET = "keplersmachines/kepler-labelled-time-series-data"

KAGGLE_FILES = {
    "exoTrain.csv": (
        262_223_348,
        "6f04167636d2fcdce44af6fd5cbef359d8af033ce8457d8c8e917fdb822e044c",
    ),
    "exoTest.csv": (
        28_907_068,
        "0b9f9aabcaf4058fd38d99431e61e29eeb031d5073c3b74f6139a917356bd163",
    ),
}
"""Length in bytes and SHA-256 of the published files, with Unix line ends."""

AGAIN = "Download the file again, or correct it."


def rows(
    flux: NDArray[np.float32],
    label: NDArray[np.int8],
    star: NDArray[np.str_],
    *,
    part: int,
    host: NDArray[np.str_] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a source (see the module); what is unknown of the rows is NaN."""
    n = len(flux)
    unknown = np.full(n, np.nan)
    return {
        "flux": flux,
        "label": label,
        "star": star.astype(NAME),
        "host": (star if host is None else host).astype(NAME),
        "part": np.full(n, part, np.int8),
        "kind": np.where(label == 1, "planet", "unknown").astype(KIND),
        "period": unknown,
        "depth": unknown.copy(),
        "snr": unknown.copy(),
    }


def read_files(path: Path, *, block_rows: int = READ_ROWS) -> Blocks:
    """Read the Kaggle set or a folder of light curves, whichever ``path`` holds.

    Parameters
    ----------
    path : Path
        A CSV file in the Kaggle layout (plain, ``.gz``, or in a ``.zip``), a folder that holds
        ``exoTrain`` and ``exoTest``, or a folder of Kepler light curves.
    block_rows : int
        Maximum rows of a block.

    Returns
    -------
    Blocks
        Rows as the module says.

    Raises
    ------
    BadInput
        There is no such file, or, while the blocks are read, its content is bad.
    """
    if _is_curves_folder(path):
        return read_light_curves(path, block_rows=block_rows)
    return read_kaggle(path, block_rows=block_rows)


# The Kaggle set


def download_kaggle(
    folder: Path,
    *,
    base_url: str = KAGGLE_API,
    session: requests.Session | None = None,
) -> Path:
    """Download ``exoTrain.csv`` and ``exoTest.csv`` into ``folder``, verified, and return it.

    Credentials come from the environment: see `models.download.kaggle_credentials`. Files already
    there and right are kept.
    """
    for name, (size, sha256) in KAGGLE_FILES.items():
        kaggle_dataset_file(
            *(KAGGLE_DATASET, name, folder / name),
            size=size,
            sha256=sha256,
            base_url=base_url,
            session=session,
        )
    return folder


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """Open a plain or gzipped file."""
    with ExitStack() as stack:
        raw: IO[bytes] = stack.enter_context(file.open("rb", buffering=1 << 20))
        if file.suffix == ".gz":
            raw = io.BufferedReader(stack.enter_context(gzip.open(raw)))
        yield raw


@dataclass(frozen=True)
class _Table:
    """A CSV file, or a member of a zip file, and the part of the set that it holds."""

    path: Path
    member: str | None
    part: int

    @property
    def title(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"

    @property
    def stem(self) -> str:
        return Path(self.member or self.path).name.partition(".")[0]

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        with ExitStack() as stack:
            if self.member is not None:
                pack = stack.enter_context(zipfile.ZipFile(self.path))
                yield stack.enter_context(pack.open(self.member))
            else:
                yield stack.enter_context(_opened(self.path))


def read_kaggle(path: Path, *, block_rows: int = READ_ROWS) -> Blocks:
    """Read the Kaggle set: ``LABEL`` (2 planet, 1 none), then ``FLUX.1`` to ``FLUX.3197``.

    Parameters
    ----------
    path : Path
        The folder or zip file with ``exoTrain.csv`` and ``exoTest.csv`` (or ``.csv.gz``); the
        latter becomes part 1. Or one such file alone: all part 0.
    block_rows : int
        Maximum rows of a block.

    Returns
    -------
    Blocks
        Rows as the module says; ``star`` is ``exoTrain:<row>``, counted from 1.

    Raises
    ------
    BadInput
        Names file, row and column: a missing or misplaced column, a wrong number of values, text
        for a number, NaN or infinity, a label other than 1 and 2, a file without planets or
        without other stars, an empty, damaged or truncated file.
    """
    tables = _kaggle_tables(path)
    return Blocks(block for table in tables for block in _read_table(table, block_rows))


def _kaggle_tables(path: Path) -> list[_Table]:
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file())
        names: dict[str, tuple[Path, str | None]] = {file.name: (file, None) for file in files}
        for file in files:
            if file.suffix == ".zip":
                names = {**{member: (file, member) for member in _members(file)}, **names}
    elif path.suffix == ".zip":
        names = {member: (path, member) for member in _members(path)}
    elif path.is_file():
        return [_Table(path, None, 0)]
    else:
        raise BadInput(
            "it is not there",
            file=path,
            expected="a CSV file in the Kaggle layout, or a folder of light curves",
            remedy="Check the path.",
        )
    tables = {
        stem: place
        for stem in ("exoTrain", "exoTest")
        for name, place in sorted(names.items(), reverse=True)  # .csv before .csv.gz at the end
        if re.fullmatch(rf"(.*/)?{stem}\.csv(\.gz)?", name)
    }
    if not tables:
        raise BadInput(
            "neither exoTrain.csv nor exoTest.csv is in it, and no Kepler light curve either",
            file=path,
            expected="exoTrain.csv and exoTest.csv (or .csv.gz), or files *_llc.fits",
            remedy="Check the path.",
        )
    parts = {"exoTrain": 0, "exoTest": 1 if "exoTrain" in tables else 0}
    return [_Table(*place, parts[stem]) for stem, place in tables.items()]


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as pack:
            return pack.namelist()
    except zipfile.BadZipFile as error:
        raise BadInput(
            f"damaged zip file ({error})", file=path, expected="a zip file", remedy=AGAIN
        ) from error


def _read_table(table: _Table, block_rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the blocks of one CSV; raises as `read_kaggle`."""
    done = planets = 0
    with table.open() as file:
        lines = _lines(table, file)
        _check_header(table, next(lines, b""))
        while chunk := list(itertools.islice(lines, block_rows)):
            values = _parse(table, chunk, first=done + 1)
            label = (values[:, 0] == 2).astype(np.int8)
            planets += int(label.sum())
            numbers = range(done + 1, done + len(chunk) + 1)
            star = np.array([f"{table.stem[:36]}:{row}" for row in numbers])
            yield rows(np.ascontiguousarray(values[:, 1:]), label, star, part=table.part)
            done += len(chunk)
    if done == 0:
        raise BadInput(
            "there is no row under the header",
            file=table.title,
            expected="one star a row",
            remedy=AGAIN,
        )
    for count, label_value, what in ((planets, 2, "with"), (done - planets, 1, "without")):
        if count == 0:
            raise BadInput(
                f"none of the {done} rows has label {label_value}",
                file=table.title,
                column="LABEL",
                expected=f"at least one star {what} a planet",
                remedy="Neither training nor evaluation works without both; check the file.",
            )


def _lines(table: _Table, file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines that are not blank; an error for a damaged archive names the last row."""
    count = 0
    try:
        for line in file:
            if line.strip():
                yield line
                count += 1
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise BadInput(
            f"the compressed data end early or are damaged after row {max(count - 1, 0)} ({error})",
            file=table.title,
            expected="a whole file",
            remedy="Download the file again.",
        ) from error


def _check_header(table: _Table, line: bytes) -> None:
    if not line:
        raise BadInput(
            "the file is empty",
            file=table.title,
            expected=f"a header LABEL, FLUX.1 to FLUX.{CADENCES}",
            remedy=AGAIN,
        )
    text = line.decode("utf-8-sig", "replace").strip()
    header = [name.strip().strip('"') for name in text.split(",")]
    wanted = ["LABEL", *(f"FLUX.{i}" for i in range(1, CADENCES + 1))]
    if header == wanted:
        return
    missing = [name for name in wanted if name not in set(header)]
    if missing:
        column, problem = missing[0], "the header has no such column"
        if len(missing) > 1:
            problem += f" ({len(missing)} are missing)"
    else:
        place = next(
            i for i, (a, b) in enumerate(zip([*header, ""], [*wanted, ""], strict=False)) if a != b
        )
        column = header[place]
        problem = f"column {place + 1} of {len(header)} is out of place"
    raise BadInput(
        problem,
        file=table.title,
        column=column,
        expected=f"LABEL, then FLUX.1 to FLUX.{CADENCES}, in this order",
        remedy="Check that this is the Kaggle layout, and one value each 29.4 minutes.",
    )


def _parse(table: _Table, lines: list[bytes], *, first: int) -> NDArray[np.float32]:
    """Parse lines to shape (rows, 3198): label, then flux; rows are numbered from ``first``."""
    values = np.empty((len(lines), CADENCES + 1), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy warns if it stopped before the line's end
        for i, line in enumerate(lines):
            try:
                # As fast per core as other parsers, and the only one that names the row.
                row = np.fromstring(line, np.float32, sep=",")
            except (ValueError, Warning):
                raise _fault(table, line, first + i) from None
            # NumPy reads a -1 after a comma at the end.
            whole = len(row) == CADENCES + 1 and not line.rstrip().endswith(b",")
            if not whole or row[0] not in (1, 2) or not np.isfinite(row).all():
                raise _fault(table, line, first + i)
            values[i] = row
    return values


def _fault(table: _Table, line: bytes, row: int) -> BadInput:
    """Find the first fault of a line, value by value."""
    cells = next(csv.reader([line.decode("utf-8", "replace").strip("\r\n")]))
    if len(cells) != CADENCES + 1:
        return BadInput(
            f"{len(cells)} values",
            file=table.title,
            row=row,
            expected=f"{CADENCES + 1}: LABEL and {CADENCES} fluxes",
            remedy="If it is the last row, the file is cut off: download it again.",
        )
    for i, cell in enumerate(cells):
        try:
            value = float(cell)
        except ValueError:
            value = np.nan
        if i == 0 and value not in (1, 2):
            return BadInput(
                f"the label is {cell!r}",
                file=table.title,
                row=row,
                column="LABEL",
                expected="2 (with a planet) or 1 (without)",
                remedy="Correct the label or remove the row.",
            )
        if not abs(value) <= float(np.finfo(np.float32).max):  # nor if it is NaN
            return BadInput(
                f"the flux is {cell!r}",
                file=table.title,
                row=row,
                column=f"FLUX.{i}",
                expected="a finite number in e-/s",
                remedy="Fill the gap by interpolation or remove the row.",
            )
    return BadInput(
        "there are quotes or other marks around the numbers",
        file=table.title,
        row=row,
        expected=f"{CADENCES + 1} plain numbers, separated by commas",
        remedy=AGAIN,
    )


# Kepler quarters


@dataclass(frozen=True)
class Quarter:
    """One star over one quarter, or part of one, as released by the mission.

    Parameters
    ----------
    kic : int
        Number in the Kepler Input Catalog.
    name : str
        The file's time stamp, ``2009259160929``: when the quarter ended.
    time : ndarray of shape (n,), float64
        Days, BKJD (barycentric Julian date - 2454833); NaN if missing.
    flux : ndarray of shape (n,), float64
        PDCSAP_FLUX, e-/s, corrected for the spacecraft's systematics; NaN in gaps.
    quality : ndarray of shape (n,), int32
        SAP_QUALITY bits (Kepler Archive Manual, table 2-3).
    disposition : str
        ``CONFIRMED``, ``FALSE-POSITIVE`` or another prefix of the file name; "" if none.
    file : Path
        The file read.
    """

    kic: int
    name: str
    time: NDArray[np.float64]
    flux: NDArray[np.float64]
    quality: NDArray[np.int32]
    disposition: str
    file: Path


CURVE_FILE = re.compile(
    r"(?:(?P<disposition>[A-Z-]+)__)?kplr(?P<kic>\d{9})-(?P<stamp>\d{13})_llc"
    r"(?P<form>.*\.fits|.*\.(?:txt|csv))(?:\.gz)?"
)
"""The archive's names of long-cadence files, with an optional disposition in front."""

COLUMNS = (
    *("TIME", "TIMECORR", "CADENCENO", "SAP_FLUX", "SAP_FLUX_ERR", "SAP_BKG", "SAP_BKG_ERR"),
    *("PDCSAP_FLUX", "PDCSAP_FLUX_ERR", "SAP_QUALITY", "PSF_CENTR1", "PSF_CENTR1_ERR"),
    *("PSF_CENTR2", "PSF_CENTR2_ERR", "MOM_CENTR1", "MOM_CENTR1_ERR", "MOM_CENTR2"),
    *("MOM_CENTR2_ERR", "POS_CORR1", "POS_CORR2"),
)
"""Columns of a light curve file, in order (Kepler Archive Manual, section 2.3.1)."""

WANTED = ("TIME", "PDCSAP_FLUX", "SAP_QUALITY")

GAPS = frozenset({"", "NULL", "nan", "NaN", "NAN"})
"""A missing value in a CSV."""


def read_kepler_quarters(folder: Path) -> list[Quarter]:
    """Read all light curves of a folder, by star and time.

    Raises
    ------
    BadInput
        As `iter_kepler_quarters`.
    """
    return list(iter_kepler_quarters(folder))


def iter_kepler_quarters(folder: Path) -> Iterator[Quarter]:
    """Read the light curves of a folder one at a time, by star and time.

    Files are FITS (``kplr*_llc.fits``, as in the archive) or CSV with the same columns
    (``.csv`` or ``.txt``), with a header or, without, in the archive's order; either may be
    gzipped. Other files are ignored.

    Raises
    ------
    BadInput
        Names file, row and column: there is no light curve, a column is missing, a value is not a
        number, or a file is empty, damaged or truncated.
    """
    matches = [
        (match, file)
        for file in folder.iterdir()
        if file.is_file() and (match := CURVE_FILE.fullmatch(file.name))
    ]
    if not matches:
        raise BadInput(
            "there is no Kepler light curve in it",
            file=folder,
            expected="files such as kplr010666592-2009166043257_llc.fits",
            remedy="Check the path.",
        )
    for match, file in sorted(matches, key=lambda pair: (pair[0]["kic"], pair[0]["stamp"])):
        read = _read_fits if match["form"].endswith(".fits") else _read_csv
        values = read(file)
        time, flux = values["TIME"], values["PDCSAP_FLUX"]
        for column, array in (("TIME", time), ("PDCSAP_FLUX", flux)):
            infinite = np.flatnonzero(np.isinf(array))
            if len(infinite):
                raise BadInput(
                    "the value is infinite",
                    file=file,
                    row=int(infinite[0]) + 1,
                    column=column,
                    expected="a finite number, or nothing for a gap",
                    remedy=AGAIN,
                )
        if not np.isfinite(flux[:CADENCES]).any():
            raise BadInput(
                f"none of the first {CADENCES} values is there",
                file=file,
                column="PDCSAP_FLUX",
                expected="a light curve",
                remedy="Remove the file, or download it again.",
            )
        yield Quarter(
            kic=int(match["kic"]),
            name=match["stamp"],
            time=time.astype(np.float64),
            flux=flux.astype(np.float64),
            quality=values["SAP_QUALITY"].astype(np.int32),
            disposition=match["disposition"] or "",
            file=file,
        )


def _read_fits(file: Path) -> dict[str, NDArray[Any]]:
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    try:
        with _opened(file) as raw, warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # what matters raises later
            # From memory: astropy leaves a faulty file open.
            with fits.open(io.BytesIO(raw.read())) as pack:
                table = pack[1].data
                # FITS is big-endian; NumPy's native order makes the rest fast.
                values = {
                    name: np.array(table[name], dtype=table[name].dtype.newbyteorder("="))
                    for name in table.columns.names
                    if name in WANTED
                }
                have = list(table.columns.names)
    except (
        OSError,
        EOFError,
        zlib.error,
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
    ) as error:
        raise BadInput(
            f"damaged, cut off or no light curve ({type(error).__name__}: {error})",
            file=file,
            expected="a FITS file with a table in its first extension",
            remedy="Download the file again.",
        ) from error
    _check_columns(file, have)
    return values


def _read_csv(file: Path) -> dict[str, NDArray[Any]]:
    values: dict[str, list[float]] = {name: [] for name in WANTED}
    row = 0
    try:
        with _opened(file) as raw, io.TextIOWrapper(raw, newline="") as text:
            lines = csv.reader(text)
            head = [cell.strip() for cell in next(lines, [])]
            if not head:
                raise BadInput(
                    "the file is empty", file=file, expected="a light curve", remedy=AGAIN
                )
            named = "TIME" in head or _number(head[0]) is None
            columns = head if named else list(COLUMNS)
            _check_columns(file, columns)
            places = [columns.index(name) for name in WANTED]
            for row, cells in enumerate(lines if named else itertools.chain([head], lines), 1):
                if len(cells) != len(columns):
                    raise BadInput(
                        f"{len(cells)} values",
                        file=file,
                        row=row,
                        expected=f"{len(columns)}, of which column 1 is {columns[0]}",
                        remedy="If it is the last row, the file is cut off: download it again.",
                    )
                for name, place in zip(WANTED, places, strict=True):
                    value = _number(cells[place])
                    if value is None:
                        raise BadInput(
                            f"{cells[place].strip()!r} is not a number",
                            file=file,
                            row=row,
                            column=name,
                            expected="a number, or nothing for a gap",
                            remedy=AGAIN,
                        )
                    values[name].append(value)
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise BadInput(
            f"the data end early or are damaged after row {row} ({error})",
            file=file,
            expected="a whole file",
            remedy="Download the file again.",
        ) from error
    return {
        name: np.nan_to_num(v) if name == "SAP_QUALITY" else np.array(v)
        for name, v in values.items()
    }


def _number(cell: str) -> float | None:
    """Parse a cell: NaN for a gap, None for text."""
    cell = cell.strip()
    if cell in GAPS:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return None


def _check_columns(file: Path, have: list[str]) -> None:
    for name in WANTED:
        if name not in have:
            raise BadInput(
                f"there is no such column among {', '.join(have) or 'none'}",
                file=file,
                column=name,
                expected=f"the columns {', '.join(WANTED)}",
                remedy="Use the archive's light curve files (_llc), not pixel or other files.",
            )


def read_light_curves(folder: Path, *, block_rows: int = READ_ROWS) -> Blocks:
    """Read a folder of Kepler quarters as rows of the Kaggle layout, one per star and quarter.

    Gaps are filled by linear interpolation over cadences, the first 3197 cadences are kept and
    their median is subtracted. Shorter files (quarters 0, 1 and 17) are skipped and named in the
    log.

    Parameters
    ----------
    folder : Path
        See `iter_kepler_quarters`. Labels come from ``labels.csv`` in the folder (columns ``kic``
        and ``label``, 2 with a planet, 1 without), else from the prefix ``CONFIRMED__`` or
        ``FALSE-POSITIVE__`` of the file's name.
    block_rows : int
        Maximum rows of a block.

    Returns
    -------
    Blocks
        Rows as the module says; ``star`` is ``KIC <number> <time stamp>``, ``host``
        ``KIC <number>``, ``part`` 0.

    Raises
    ------
    BadInput
        While the blocks are read: as `iter_kepler_quarters`; a star has no label; no row, no
        planet or nothing but planets is left.
    """
    return Blocks(_light_curve_blocks(folder, block_rows))


def _light_curve_blocks(folder: Path, block_rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    labels = _read_labels(folder / "labels.csv")
    kept: list[tuple[NDArray[np.float32], int, str, str]] = []
    skipped: list[str] = []
    counts = [0, 0]

    def block() -> dict[str, NDArray[Any]]:
        flux, label, star, host = zip(*kept, strict=True)
        kept.clear()
        names = np.array(star), np.array(host)
        return rows(np.stack(flux), np.array(label, np.int8), names[0], host=names[1], part=0)

    for quarter in iter_kepler_quarters(folder):
        label = _label_of(quarter, labels)
        if len(quarter.flux) < CADENCES:
            skipped.append(quarter.file.name)
            continue
        counts[label] += 1
        host = f"KIC {quarter.kic}"
        kept.append((to_row(quarter.flux), label, f"{host} {quarter.name}", host))
        if len(kept) == block_rows:
            yield block()
    if kept:
        yield block()
    if skipped:
        logger.warning(
            "skipped %d light curves with fewer than %d cadences: %s",
            *(len(skipped), CADENCES, ", ".join(skipped)),
        )
    for count, what in zip(counts, ("without", "with"), strict=True):
        if count == 0:
            raise BadInput(
                f"no star {what} a planet has a light curve of {CADENCES} cadences",
                file=folder,
                column="label",
                expected="both kinds of star",
                remedy="Add light curves of full quarters, or check labels.csv.",
            )


def to_row(flux: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the first 3197 values, gaps interpolated, minus their median, in e-/s.

    The result equals the published rows of the Kaggle set, to their last digit.
    """
    kept = flux[:CADENCES]
    there = np.flatnonzero(np.isfinite(kept))
    filled = np.interp(np.arange(CADENCES), there, kept[there])
    row: NDArray[np.float32] = (filled - np.median(filled)).astype(np.float32)
    return row


def _read_labels(file: Path) -> dict[int, int]:
    if not file.is_file():
        return {}
    labels = {}
    with file.open(newline="") as text:
        reader = csv.DictReader(text)
        for name in ("kic", "label"):
            if name not in (reader.fieldnames or ()):
                raise BadInput(
                    "there is no such column",
                    file=file,
                    column=name,
                    expected="the columns kic and label",
                    remedy="Add it.",
                )
        for row, cells in enumerate(reader, 1):
            if not re.fullmatch(r"\s*\d+\s*", cells["kic"] or ""):
                raise BadInput(
                    f"{cells['kic']!r} is not a number",
                    file=file,
                    row=row,
                    column="kic",
                    expected="a number of the Kepler Input Catalog",
                    remedy="Correct it.",
                )
            if (cells["label"] or "").strip() not in ("1", "2"):
                raise BadInput(
                    f"the label is {cells['label']!r}",
                    file=file,
                    row=row,
                    column="label",
                    expected="2 (with a planet) or 1 (without)",
                    remedy="Correct the label or remove the row.",
                )
            labels[int(cells["kic"])] = int(cells["label"]) - 1
    return labels


def _label_of(quarter: Quarter, labels: dict[int, int]) -> int:
    label = labels.get(quarter.kic)
    if label is None:
        label = {"CONFIRMED": 1, "FALSE-POSITIVE": 0}.get(quarter.disposition)
    if label is None:
        raise BadInput(
            f"nothing says whether KIC {quarter.kic} has a planet",
            file=quarter.file,
            column="label",
            expected="a row in labels.csv, or CONFIRMED__ or FALSE-POSITIVE__ before the name",
            remedy=f"Add to labels.csv {quarter.kic},2 for a planet or {quarter.kic},1 for none.",
        )
    return label


def _is_curves_folder(path: Path) -> bool:
    return path.is_dir() and any(CURVE_FILE.fullmatch(file.name) for file in path.iterdir())
