"""Read light curves as the archives and people give them.

References
----------
Kepler Archive Manual (KDMC-10008-006), sections 2.1.4 and 2.3: names and columns of files.
TESS Science Data Products Description Document (EXP-TESS-ARC-ICD-0014), sections 2 and 5.
"""

from __future__ import annotations

import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.detection import Recording, find_files, group_by_name
from models.errors import BadInput
from models.exoplanets.detection.flat_field import self_flat_field
from models.exoplanets.readers import COLUMNS, CURVE_FILE, GAPS
from models.types import JsonDict

SUFFIXES = (
    *(".fits", ".fits.gz", ".fit", ".parquet"),
    *(f"{suffix}{packed}" for suffix in (".csv", ".txt", ".dat", ".tsv") for packed in ("", ".gz")),
)

TIMES = ("time", "t", "bkjd", "btjd", "bjd", "jd", "days", "date")
FLUXES = (
    *("pdcsap_flux", "kspsap_flux", "det_flux", "cor_flux", "corrected_flux", "fcor"),
    *("flux_detrended", "detrended", "flux_corr", "flux", "sap_flux", "f"),
)
QUALITIES = ("sap_quality", "quality", "flags")
"""Names of columns, the preferred first; letters of either case."""

RAW = ("sap_flux",)
"""Fluxes that still have the telescope's drift."""

FLAGS = {"Kepler": 1130799, "K2": 1130799, "TESS": 17087}
"""Bits of a quality flag that drop a cadence: lightkurve's default. Unknown missions: any bit."""

FEWEST = 100
"""Cadences of the shortest curve that is searched."""

LONGEST_CADENCE = 0.25
"""Days."""

AGAIN = "Download the file again."
EXPECTED = "a light curve: time in days, and flux"

_NAMES = (
    (re.compile(r"(?:.*__)?kplr(\d{9})-\d{13}_[ls]lc"), "KIC"),
    (re.compile(r"ktwo(\d{9})-c\d+_[ls]lc"), "EPIC"),
    (re.compile(r"tess\d+-s\d+-(\d{16})-"), "TIC"),
    (re.compile(r"hlsp_.*(?:epic|ktwo)[_-]?(\d{9})"), "EPIC"),
    (re.compile(r"hlsp_.*(?:tic|tess)[a-z0-9_-]*?[_-]0*(\d{6,16})"), "TIC"),
    (re.compile(r"hlsp_.*kplr[_-]?(\d{9})"), "KIC"),
)
"""How archives name the files of a star."""


def group_files(paths: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Group files by star: by the archive's names, by a FITS file's header, others one by one."""
    files = find_files(paths, SUFFIXES)
    groups = group_by_name(files, _star)
    named: dict[str, tuple[Path, ...]] = {}
    for name, members in groups.items():
        if len(members) > 1 and not name.startswith(("KIC", "EPIC", "TIC", "star ")):
            # Tables with the same name in different folders are different stars.
            named |= {_unique(f"{file.parent.name} {name}", named): (file,) for file in members}
        else:
            named[_unique(name.removeprefix("star "), named)] = members
    return named


def _unique(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name} ({number})", number + 1
    return unique


def _star(file: Path) -> str:
    for pattern, catalogue in _NAMES:
        if match := pattern.match(file.name):
            return f"{catalogue} {int(match[1])}"
    stem = re.sub(rf"({'|'.join(map(re.escape, SUFFIXES))})$", "", file.name, flags=re.IGNORECASE)
    if ".fit" in file.name.lower() and (star := _object(file)):
        return f"star {star}"
    return stem or file.name


def _object(file: Path) -> str | None:
    """Return the star that a FITS file's header names; None where it can't be read."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            with fits.open(file, memmap=False, lazy_load_hdus=True) as pack:
                name = str(pack[0].header.get("OBJECT") or "").strip()
    except (OSError, EOFError, zlib.error, ValueError, TypeError, IndexError):
        return None
    return re.sub(r"[^\w.+ -]", "_", name) or None


# one star ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Piece:
    """What one file holds, clean and in order."""

    file: Path
    time: NDArray[np.float64]
    flux: NDArray[np.float64]  # relative to its median
    facts: JsonDict


def read_recording(name: str, files: Sequence[Path]) -> Recording:
    """Read all that was observed of a star.

    Parameters
    ----------
    name
        The star.
    files
        Its files. One that overlaps others in time is left out, and named in the notes.

    Returns
    -------
    Recording
        ``time`` (days, as in the files) and ``flux`` (relative to its file's median), float64,
        and ``file`` (the number of its file), int64; all of shape (cadences,), in order of time.
        ``facts``: mission, files, cadence (minutes), span (days), zero of time.

    Raises
    ------
    BadInput
        A file can't be read, or holds no usable light curve.
    """
    notes: list[str] = []
    pieces: list[_Piece] = []
    # Long cadence comes before short cadence of the same quarter.
    for file in sorted(files, key=lambda file: ("_slc" in file.name, file.name)):
        piece = _read(file, notes)
        for other in pieces:
            if piece.time[0] <= other.time[-1] and other.time[0] <= piece.time[-1]:
                notes.append(
                    f"{file.name} is left out: it overlaps {other.file.name} in time "
                    f"(day {piece.time[0]:.1f} to {piece.time[-1]:.1f})."
                )
                break
        else:
            pieces.append(piece)
    pieces.sort(key=lambda piece: float(piece.time[0]))
    time = np.concatenate([piece.time for piece in pieces])
    cadence = float(np.median(np.concatenate([np.diff(piece.time) for piece in pieces])))
    facts = {
        "mission": pieces[0].facts["mission"],
        "zero": pieces[0].facts["zero"],
        "files": [piece.file.name for piece in pieces],
        "column": pieces[0].facts["column"],
        "cadence": cadence * 1440,
        "span": float(time[-1] - time[0]),
        "cadences": len(time),
    }
    arrays = {
        "time": time,
        "flux": np.concatenate([piece.flux for piece in pieces]),
        "file": np.repeat(np.arange(len(pieces)), [len(piece.time) for piece in pieces]),
    }
    return Recording(name, arrays, facts, tuple(dict.fromkeys(notes)))


def _read(file: Path, notes: list[str]) -> _Piece:
    before = _identity(file)
    if before[1] == 0:
        raise BadInput("it is empty", file=file, expected=EXPECTED, remedy="Copy it again.")
    try:
        content = file.read_bytes()
    except PermissionError as error:
        raise BadInput(
            "it may not be read: permission denied",
            file=file,
            expected="a file that you may read",
            remedy="Change its permissions.",
        ) from error
    if _identity(file) != before:
        raise BadInput(
            "it was replaced while it was read",
            file=file,
            expected="a file at rest",
            remedy="Try again when it is complete.",
        )
    columns, facts = _columns(file, content)
    return _cleaned(file, columns, facts, notes)


def _identity(file: Path) -> tuple[int, int, int]:
    if not file.exists():
        raise BadInput("it is not there", file=file, expected=EXPECTED, remedy="Check the path.")
    if not file.is_file():
        raise BadInput("it is no file", file=file, expected=EXPECTED, remedy="Name its files.")
    status = file.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _columns(file: Path, content: bytes) -> tuple[dict[str, NDArray[Any]], JsonDict]:
    """Parse a file to its columns by lower-case name, and what it says of itself."""
    lower = file.name.lower()
    try:
        if lower.endswith(".gz"):
            content = gzip.decompress(content)
        if ".fit" in lower or content.startswith(b"SIMPLE  ="):
            return _fits(file, content)
        if lower.endswith(".parquet") or content.startswith(b"PAR1"):
            import pandas as pd

            table = pd.read_parquet(io.BytesIO(content))
            return {str(n).lower(): table[n].to_numpy() for n in table.columns}, {}
        return _table(file, content), {}
    except BadInput:
        raise
    except (OSError, EOFError, zlib.error, LookupError, TypeError, ValueError) as error:
        raise BadInput(
            f"damaged, cut off or no light curve ({type(error).__name__}: {error})",
            file=file,
            expected=EXPECTED,
            remedy=AGAIN,
        ) from error


def _fits(file: Path, content: bytes) -> tuple[dict[str, NDArray[Any]], JsonDict]:
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # what matters raises
        with fits.open(io.BytesIO(content)) as pack:
            table = next((part for part in pack if isinstance(part, fits.BinTableHDU)), None)
            if table is None:
                raise BadInput(
                    "it has no table: an image or a bare header",
                    file=file,
                    expected="a FITS file with a light curve as table",
                    remedy="Use the archive's light curve files (_llc, _lc).",
                )
            data = table.data
            columns = {
                name.lower(): np.array(data[name], dtype=data[name].dtype.newbyteorder("="))
                for name in table.columns.names
                if data[name].ndim == 1 and data[name].dtype.kind in "fiu"
            }
            head = {**pack[0].header, **table.header}
    mission = str(head.get("MISSION") or head.get("TELESCOP") or "")
    zero = head.get("BJDREFI")
    facts: JsonDict = {
        "mission": next((m for m in ("K2", "Kepler", "TESS") if m.lower() in mission.lower()), ""),
        "zero": float(zero) + float(head.get("BJDREFF") or 0) if zero is not None else None,
    }
    return columns, facts


def _table(file: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """Parse a text table: with a header, in the archive's order, or of time and flux."""
    text = content.decode("utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise BadInput("it has no rows", file=file, expected=EXPECTED, remedy="Copy it again.")
    mark = next((mark for mark in (",", ";", "\t") if mark in lines[0]), None)
    rows = [[cell.strip() for cell in line.split(mark)] for line in lines]
    head = [cell.strip('"').lower() for cell in rows[0]]
    if _numbers(head) is not None:
        names = _unnamed(file, len(head))
        first = 1
    else:
        names, rows, first = head, rows[1:], 2
    if "label" in names and "flux.1" in names:
        raise BadInput(
            "it is a table of many stars, one a row, without times",
            file=file,
            expected=EXPECTED,
            remedy="To train on it, set source and path of exoplanets/curves.",
        )
    wanted = [*(_chosen(names, among) for among in (TIMES, FLUXES, QUALITIES)), *_places(names)]
    columns: dict[str, NDArray[Any]] = {name: np.zeros(0) for name in names}
    for name in filter(None, wanted):
        place = names.index(name)
        values = _numbers([row[place] if place < len(row) else "" for row in rows])
        if values is None:
            at = next(k for k, row in enumerate(rows) if _numbers(row[place : place + 1]) is None)
            raise BadInput(
                f"{rows[at][place]!r} is not a number",
                file=file,
                row=at + first,
                column=name,
                expected="a number, or nothing for a gap",
                remedy="Correct the row.",
            )
        columns[name] = values
    return columns


def _numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Parse cells, NaN for a gap; None if one is text."""
    try:
        return np.array([np.nan if cell in GAPS else float(cell) for cell in cells], np.float64)
    except ValueError:
        return None


def _unnamed(file: Path, count: int) -> list[str]:
    if count == len(COLUMNS) and CURVE_FILE.fullmatch(file.name):
        return [name.lower() for name in COLUMNS]
    known = ["time", "flux", "flux_err", "quality"]
    if not 2 <= count <= len(known):
        raise BadInput(
            f"it has {count} columns without names",
            file=file,
            expected="a header that names time and flux",
            remedy="Add a first line such as time,flux.",
        )
    return known[:count]


def _chosen(names: Iterable[str], among: Sequence[str]) -> str | None:
    have = set(names)
    return next((name for name in among if name in have), None)


def _cleaned(
    file: Path, columns: Mapping[str, NDArray[Any]], facts: JsonDict, notes: list[str]
) -> _Piece:
    """Choose columns, and drop what has no time, no flux or a flag."""
    clock = _chosen(columns, TIMES)
    listed = ", ".join(list(columns)[:8]) or "none"
    if clock is None:
        raise BadInput(
            f"it has no column of times among {listed}",
            file=file,
            expected=EXPECTED,
            remedy="Name the column of times TIME.",
        )
    # The corrected flux may be empty: then the next that isn't.
    have = [name for name in FLUXES if name in columns]
    light = next((name for name in have if np.isfinite(_float(columns[name])).any()), None)
    if not have:
        raise BadInput(
            f"it has no column of flux among {listed}",
            file=file,
            expected=EXPECTED,
            remedy="Name the column FLUX.",
        )
    if light is None:
        raise BadInput(
            f"none of its {len(columns[clock])} fluxes is there",
            file=file,
            column=have[0],
            expected="a light curve",
            remedy="Remove the file, or download it again.",
        )
    mission = facts.get("mission") or _mission(file)
    time, flux = _float(columns[clock]), _float(columns[light])
    good = np.isfinite(time) & np.isfinite(flux)
    flag = _chosen(columns, QUALITIES)
    if flag is not None:
        bits = np.nan_to_num(_float(columns[flag])).astype(np.int64)
        good &= (bits & FLAGS.get(mission, -1)) == 0
    places = [_float(columns[n])[good] for n in _places(columns)]
    time, flux = time[good], flux[good]
    _check_length(file, time, flag)
    steady = bool(np.all(np.diff(time) > 0))
    if light in RAW or light != have[0]:
        said = f"{file.name}: {light.upper()} is read, "
        if mission == "K2" and light in RAW and steady and len(places) == 2:
            flux = self_flat_field(time, flux, *places)
            notes.append(f"{said}and the telescope's drift removed by the star's place.")
        else:
            notes.append(f"{said}which still has the telescope's drift.")
    if np.any(np.diff(time) <= 0):
        order = np.argsort(time, kind="stable")
        time, flux = time[order], flux[order]
        new = np.concatenate([[True], np.diff(time) > 0])
        repeated = len(time) - int(new.sum())
        time, flux = time[new], flux[new]
        notes.append(
            f"{file.name}: rows were put in order of time"
            + (f", {repeated} with a time that was there already left out." if repeated else ".")
        )
    cadence = float(np.median(np.diff(time)))
    if not cadence <= LONGEST_CADENCE:
        raise BadInput(
            f"there is a value every {cadence:.6g} days",
            file=file,
            column=clock,
            expected=f"times in days, at most {LONGEST_CADENCE * 24:g} hours apart",
            remedy="Convert the times to days.",
        )
    return _Piece(
        file,
        time,
        _relative(file, flux, light, notes),
        {
            "mission": mission,
            "zero": facts.get("zero"),
            "column": light,
        },
    )


def _float(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)


def _mission(file: Path) -> str:
    return "Kepler" if CURVE_FILE.fullmatch(file.name) else ""


def _places(columns: Iterable[str]) -> tuple[str, ...]:
    """Name the columns with the star's place on the detector, if there are any."""
    have = set(columns)
    pairs = (("pos_corr1", "pos_corr2"), ("mom_centr1", "mom_centr2"))
    return next((pair for pair in pairs if have.issuperset(pair)), ())


def _check_length(file: Path, time: NDArray[np.float64], flag: str | None) -> None:
    if len(time) >= FEWEST:
        return
    raise BadInput(
        f"{len(time)} cadences have a time, a flux" + (" and a clean flag" if flag else ""),
        file=file,
        expected=f"at least {FEWEST}",
        remedy="Give a longer curve, or check its quality flags.",
    )


def _relative(
    file: Path, flux: NDArray[np.float64], column: str, notes: list[str]
) -> NDArray[np.float64]:
    """Divide by the median."""
    level = float(np.median(flux))
    scatter = 1.4826 * float(np.median(np.abs(flux - level)))
    if not scatter > 1e-9 * abs(level) and float(np.ptp(flux)) == 0:
        raise BadInput(
            f"all of its {len(flux)} fluxes are {level:g}",
            file=file,
            column=column,
            expected="a light curve",
            remedy=AGAIN,
        )
    if level > 5 * scatter:
        return flux / level
    if float(np.abs(flux).max()) < 1:
        notes.append(f"{file.name}: the flux lies about 0, and is taken as relative to the star's.")
        return flux - level + 1
    raise BadInput(
        f"its median flux of {level:.4g} is not above its scatter of {scatter:.4g}",
        file=file,
        column=column,
        expected="the star's light with its level, or relative to it",
        remedy="Give the flux before its mean is subtracted.",
    )
