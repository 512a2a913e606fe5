"""Read records from a folder of SWAN-SF's tab-separated series.

As published, each record is a file, with its class and patch in the file's name.
"""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np

from models.arrays import BLOCK_ROWS, Block, Blocks
from models.errors import BadInput
from models.solar_flares.records import (
    ID_LENGTH,
    LARGEST,
    PARAMETERS,
    REGION_LENGTH,
    SAMPLES,
    rebatched,
)

_SWAN_NAME = re.compile(
    r"lab\[(?P<flare>NF|[ABCMX])\](?P<size>[\d.]+)?(?:@(?P<event>\d+))?"
    r"_id\[(?P<patch>\d+)\]_st\[(?P<start>[^\]]+)\]_et\[(?P<stop>[^\]]+)\]\.csv"
)


def read_swan_sf(folder: Path, *, fold: int) -> Blocks:
    """Stream the SWAN-SF series of a folder (one partition of the data set), by file name.

    A series is a tab-separated file of 60 rows 12 minutes apart, its class and patch in its name:
    ``lab[M]1.5@7571_id[3686]_st[2014-02-03T17:00:00]_et[2014-02-04T04:48:00].csv`` (Angryk et al.
    2020, Scientific Data 7, 227). The patch (HARP) is the region; classes M and X are flares, as
    in the Kaggle set; the id is ``<patch>-<start>``.

    Parameters
    ----------
    folder
        Files in it that don't end in ``.csv`` are passed over.
    fold
        Number of the fold that they make up: partitions don't overlap in time.

    Raises
    ------
    BadInput
        A name, a column, the number of rows or a value is not as it should be. Raised while the
        blocks are read, except where the folder holds no series.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise BadInput(
            "it holds no .csv file",
            file=folder,
            expected="a folder of SWAN-SF series",
            remedy="Name the folder of one partition.",
        )
    return Blocks(rebatched((_swan_series(path, fold) for path in paths), BLOCK_ROWS))


def _swan_series(path: Path, fold: int) -> Block:
    name = _SWAN_NAME.fullmatch(path.name)
    if name is None:
        raise BadInput(
            "its name tells no flare class and patch",
            file=path,
            expected="a name such as lab[M]1.5@7571_id[3686]_st[...]_et[...].csv",
            remedy="Restore the published name, or move the file away.",
        )
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.reader(handle, delimiter="\t"))
    header = rows[0] if rows else []
    for parameter in PARAMETERS:
        if parameter not in header:
            raise BadInput(
                f"it has no column {parameter}",
                file=path,
                column=parameter,
                expected="a header with the 25 parameters, tab separated",
                remedy="Download the file again.",
            )
    if len(rows) != SAMPLES + 1:
        raise BadInput(
            f"it has {max(len(rows) - 1, 0)} rows",
            file=path,
            expected=f"{SAMPLES} rows 12 minutes apart",
            remedy="Download the file again.",
        )
    columns = [header.index(parameter) for parameter in PARAMETERS]
    values = np.empty((1, SAMPLES, len(PARAMETERS)), dtype=np.float32)
    for number, row in enumerate(rows[1:], start=1):
        for place, column in enumerate(columns):
            text = row[column] if column < len(row) else ""
            values[0, number - 1, place] = sample_value(
                text, path, number, PARAMETERS[place], "Download the file again."
            )
    return {
        "values": values,
        "label": np.array([name["flare"] in "MX"], dtype=np.int8),
        "id": np.array([f"{name['patch']}-{name['start']}"], dtype=f"U{ID_LENGTH}"),
        "region": np.array([f"HARP{name['patch']}"], dtype=f"U{REGION_LENGTH}"),
        "fold": np.array([fold], dtype=np.int8),
    }


def sample_value(text: str, file: Path, row: int, column: str, remedy: str) -> float:
    """Parse a cell of a table; NaN where the sample is missing.

    Raises
    ------
    BadInput
        It is no number, or none that ``values`` can hold.
    """
    if text.lower() in {"", "na", "nan", "none", "missing"}:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if math.isnan(value) or abs(value) > LARGEST:
        raise BadInput(
            f"{text!r} is not a finite number",
            file=file,
            row=row,
            column=column,
            expected="a number, or nothing for a missing sample",
            remedy=remedy,
        )
    return value
