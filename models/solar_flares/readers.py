"""Find and open records: JSON lines of the folds, SWAN-SF series, the competition's files.

`models.solar_flares.ingestion` and `models.solar_flares.swan_sf` read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from models.arrays import Blocks
from models.download import KAGGLE_API, DownloadError, fetch, kaggle_credentials
from models.errors import BadInput
from models.solar_flares.ingestion import FoldFile, Tally, read_json_lines
from models.solar_flares.splits import FOLDS
from models.solar_flares.swan_sf import read_swan_sf

if TYPE_CHECKING:
    import requests

COMPETITION = "bigdata2019-flare-prediction"
FOLD_FILE = "fold{fold}Training.json"
SUFFIXES = ("", ".zip", ".gz")


def fold_files(path: Path, fractions: Mapping[int, float]) -> list[FoldFile]:
    """Find the JSON lines of the folds.

    Parameters
    ----------
    path
        A folder with ``fold1Training.json`` and so on, each plain, ``.zip`` or ``.gz``; folds may
        be missing. Or one file, taken for fold 1.
    fractions
        Share of the records to take, by fold.

    Raises
    ------
    BadInput
        There is no such file.
    """
    if path.is_file():
        return [FoldFile(path, 1, fractions[1])]
    folds = [
        FoldFile(file, fold, fraction)
        for fold, fraction in fractions.items()
        for file in [next(_present(path, fold), None)]
        if file is not None
    ]
    if not folds:
        raise BadInput(
            "it holds neither records nor series" if path.is_dir() else "it is not there",
            file=path,
            expected=f"{FOLD_FILE.format(fold=1)} and so on (plain, .zip or .gz), a file of JSON "
            "lines, or a folder of SWAN-SF series",
            remedy=f"Download them from kaggle.com/c/{COMPETITION}/data, or correct `path`.",
        )
    return folds


def open_files(
    path: Path,
    fractions: Mapping[int, float],
    tallies: dict[int, Tally],
    *,
    seed: int,
    on_bad: str,
    limit: int,
    engine: str,
    master: str,
) -> Blocks:
    """Stream the records of a path: JSON lines of the folds, or SWAN-SF series.

    Series are read whole, as fold 1; fractions, broken lines and engines are those of
    `models.solar_flares.ingestion.read_json_lines`.
    """
    if path.is_dir() and any(path.glob("lab*.csv")):
        return read_swan_sf(path, fold=1)
    files = fold_files(path, fractions)
    return read_json_lines(
        files, tallies, seed=seed, on_bad=on_bad, limit=limit, engine=engine, master=master
    )


def download_competition(
    folder: Path, *, base_url: str = KAGGLE_API, session: requests.Session | None = None
) -> Path:
    """Download the competition's three fold files into ``folder``, and return it.

    Existing files are kept; an interrupted download resumes. Kaggle sends zip files, which are kept
    as they are: the reader recognises them by their first bytes.

    Raises
    ------
    DownloadError
        There are no credentials (see `models.download.kaggle_credentials`), or Kaggle refuses:
        each user must accept the competition's rules on its site first.
    """
    for fold in FOLDS:
        if next(_present(folder, fold), None) is None:
            name = FOLD_FILE.format(fold=fold)
            url = f"{base_url}/competitions/data/download/{COMPETITION}/{name}"
            try:
                fetch(url, folder / name, auth=kaggle_credentials(), session=session)
            except DownloadError as error:
                raise DownloadError(
                    f"{error} If Kaggle refuses, accept the rules on kaggle.com/c/{COMPETITION}; "
                    f"or download {name}.zip there by hand and put it into {folder}."
                ) from error
    return folder


def _present(folder: Path, fold: int) -> Iterator[Path]:
    for suffix in SUFFIXES:
        path = folder / (FOLD_FILE.format(fold=fold) + suffix)
        if path.is_file():
            yield path
