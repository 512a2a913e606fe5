"""Read spectrograms from Gravity Spy's HDF5 file or from folders of pictures, block by block.

- ``trainingsetv1d1.h5`` holds ``/<label>/<split>/<id>/<duration>.png``, arrays (1, 140, 170) of
  values from 0 to 1.
- A folder holds pictures ``<detector>_<id>_spectrogram_<duration>.png`` in folders named for their
  class, below them perhaps in folders named for their split.
- Beside either may lie the published metadata, a CSV file with the columns ``gravityspy_id``,
  ``event_time`` (GPS seconds) and ``snr``.
"""

from __future__ import annotations

import csv
import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from models.arrays import Block, Blocks
from models.download import DownloadError, fetch
from models.errors import BadInput
from models.gravitational_waves.images import (
    DURATIONS,
    GREY,
    PARTS,
    SHAPE,
    blocks_of,
    columns,
)

if TYPE_CHECKING:
    import requests

ZENODO_API = "https://zenodo.org/api"
RECORD = 1476551
FILE = "trainingsetv1d1.h5"
METADATA = "trainingset_v1d1_metadata.csv"

PICTURE = re.compile(r"[A-Z]\d_(?P<id>[^_]+)_spectrogram_(?P<duration>\d\.\d)\.png")
PICTURE_SIZE = (800, 600)
CROP = (slice(66, 532), slice(105, 671))
"""Rows and columns of a picture within its axes."""

LONGEST_NAME = 22
"""Characters of an id or a class: with what is put before an id, they must fit their columns."""

METADATA = "*metadata*.csv"
AGAIN = "Download it again from Zenodo, record 1476551."
LAYOUT = "/<label>/<train, validation or test>/<id>/<duration>.png"


@dataclass(frozen=True)
class Example:
    """Where one spectrogram lies, and what its place says of it; ``part`` is -1 without a split."""

    label: str
    part: int
    id: str
    place: str


Known = dict[str, tuple[float, float]]
"""GPS time and signal-to-noise ratio by id, NaN where unknown."""


def read_hdf5(path: Path, duration: str = "0.5", *, official: bool = True) -> Blocks:
    """Stream the examples of a file laid out as ``trainingsetv1d1.h5``.

    Names are read first, and checked; then the images, one block at a time, so that memory doesn't
    grow with the file.

    Parameters
    ----------
    path
        The file; metadata beside it are used.
    duration
        Which of the four pictures, one of `DURATIONS`.
    official
        Whether to keep the file's splits; ``part`` is -1 throughout otherwise.

    Raises
    ------
    BadInput
        The file isn't HDF5, is truncated or damaged, has another layout, lacks a split (while
        ``official``), or holds an id twice; or, while it is read, an example lacks the duration or
        holds an array of another shape, NaN, or values outside 0 ... 1.
    """
    _require_duration(duration)
    examples = _hdf5_examples(path)
    if official:
        _require_splits(path, examples)

    def images() -> Iterator[Block]:
        with _opened(path) as file:
            yield from _blocks(
                path,
                examples,
                official,
                duration,
                lambda one: _hdf5_image(path, file, one, duration),
            )

    return Blocks(images())


def read_folder(path: Path, duration: str = "0.5", *, official: bool = True) -> Blocks:
    """Stream the pictures of a folder; parameters and errors are those of `read_hdf5`.

    A folder without splits is taken as it is, with ``part`` -1.
    """
    _require_duration(duration)
    examples = _folder_examples(path, duration)
    if official and any(one.part >= 0 for one in examples):
        _require_splits(path, examples)
    return Blocks(
        _blocks(path, examples, official, duration, lambda one: picture_values(path / one.place))
    )


def picture_values(path: Path) -> NDArray[np.float32]:
    """Turn a picture into the array that was published of it, shape (140, 170).

    The axes are cropped, the colours turned to grey, and the result is interpolated bilinearly at
    the centres of the pixels, without smoothing: bit for bit what the published file holds.

    Raises
    ------
    BadInput
        It isn't a picture, or of another size than Gravity Spy's 800 x 600.
    """
    from PIL import Image, UnidentifiedImageError

    expected = "an RGB or RGBA picture of 800 x 600, as Gravity Spy's"
    remedy = "Take the picture as published, neither cropped nor scaled."
    try:
        with Image.open(path) as picture:
            if picture.size != PICTURE_SIZE or picture.mode not in ("RGB", "RGBA"):
                problem = f"it is {picture.mode} of {picture.size[0]} x {picture.size[1]}"
                raise BadInput(problem, file=path, expected=expected, remedy=remedy)
            colours = np.asarray(picture)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        problem = f"it can't be read as a picture ({type(error).__name__})"
        raise BadInput(problem, file=path, expected=expected, remedy=remedy) from error
    grey = (colours[*CROP, :3] / 255.0) @ np.array(GREY)
    (row, down), (column, right) = (_between(grey.shape[axis], SHAPE[axis]) for axis in (0, 1))
    down = down[:, None]
    upper = (1 - right) * grey[row][:, column] + right * grey[row][:, column + 1]
    lower = (1 - right) * grey[row + 1][:, column] + right * grey[row + 1][:, column + 1]
    return np.asarray((1 - down) * upper + down * lower, dtype=np.float32)


def _between(length: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sample before the centre of each wanted pixel, and how far beyond it the centre lies."""
    centre = (np.arange(wanted) + 0.5) * length / wanted - 0.5
    before = np.floor(centre).astype(np.int64)
    return before, centre - before


def read_metadata(folder: Path) -> Known:
    """Read GPS times and signal-to-noise ratios from the metadata in a folder, if there are any.

    Raises
    ------
    BadInput
        A column is missing, or a value isn't a number.
    """
    known: Known = {}
    for path in sorted(folder.glob(METADATA)):
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file)
            names = lines.fieldnames or ()
            for name in ("gravityspy_id", "event_time", "snr"):
                if name not in names:
                    raise BadInput(
                        f"column {name!r} is missing",
                        file=path,
                        expected="gravityspy_id, event_time and snr among the columns",
                        remedy=f"{AGAIN} Or take the file away: it is not needed.",
                    )
            for row, line in enumerate(lines, start=1):
                time, snr = (_number(path, row, name, line[name]) for name in ("event_time", "snr"))
                known[line["gravityspy_id"]] = (time, snr)
    return known


def _number(path: Path, row: int, column: str, text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        raise BadInput(
            f"{text!r} is not a number",
            file=path,
            row=row,
            column=column,
            expected="a number, or nothing",
            remedy=AGAIN,
        ) from None


def _blocks(
    path: Path,
    examples: list[Example],
    official: bool,
    duration: str,
    image_of: Callable[[Example], NDArray[np.float32]],
) -> Iterator[Block]:
    known = read_metadata(path if path.is_dir() else path.parent)
    for rows in blocks_of(len(examples)):
        chosen = [examples[row] for row in rows]
        images = np.empty((len(chosen), *SHAPE), dtype=np.float32)
        for row, one in enumerate(chosen):
            images[row] = image_of(one)
        facts = [known.get(one.id, (math.nan, math.nan)) for one in chosen]
        yield columns(
            images,
            [one.label for one in chosen],
            [one.id for one in chosen],
            [one.part if official else -1 for one in chosen],
            # What two detectors saw in one second may be the same event.
            [
                one.id if not math.isfinite(time) else f"gps-{math.floor(time)}"
                for one, (time, _) in zip(chosen, facts, strict=True)
            ],
            [snr for _, snr in facts],
            float(duration),
        )


def _require_duration(duration: str) -> None:
    if duration not in DURATIONS:
        raise ValueError(f"duration must be one of {', '.join(DURATIONS)}, not {duration!r}")


def _require_splits(path: Path, examples: Iterable[Example]) -> None:
    present = {one.part for one in examples}
    lacking = [name for code, name in enumerate(PARTS) if code not in present]
    if lacking:
        raise BadInput(
            f"no example is in split {' or '.join(map(repr, lacking))}",
            file=path,
            expected=f"examples in each of {', '.join(PARTS)}",
            remedy="Take the whole published file; or leave its splits aside (official_split = "
            "false), and the examples are shared out anew.",
        )


def _unique(path: Path, examples: list[Example]) -> list[Example]:
    first: dict[str, str] = {}
    for one in examples:
        if (longest := max(len(one.id), len(one.label))) > LONGEST_NAME:
            raise BadInput(
                f"{one.place} has a name of {longest} characters",
                file=path,
                expected=f"ids and classes of at most {LONGEST_NAME}",
                remedy="Rename it: the rest would be cut off.",
            )
        if (before := first.setdefault(one.id, one.place)) != one.place:
            raise BadInput(
                f"id {one.id!r} comes twice, at {before} and at {one.place}",
                file=path,
                expected="each id once: twice, it could be both in training and in test",
                remedy="Remove one of the two.",
            )
    if not examples:
        raise BadInput("it holds no spectrogram", file=path, expected=LAYOUT, remedy=AGAIN)
    return examples


def _opened(path: Path) -> Any:
    expected = "an HDF5 file, as trainingsetv1d1.h5"
    if not path.is_file():
        remedy = "Correct `path`, or download record 1476551 from Zenodo."
        raise BadInput("it is not there", file=path, expected=expected, remedy=remedy)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        problem = "it is not HDF5"
        if h5py.is_hdf5(path):
            problem = "it is truncated" if "truncated" in str(error) else f"it is damaged ({error})"
        raise BadInput(problem, file=path, expected=expected, remedy=AGAIN) from error
    # HDF5 otherwise keeps what it has seen of 30,000 groups and arrays, up to 32 MB.
    cache = file.id.get_mdc_config()
    cache.set_initial_size, cache.initial_size = True, 1 << 20
    cache.min_size = cache.max_size = 1 << 20
    file.id.set_mdc_config(cache)
    return file


def _hdf5_examples(path: Path) -> list[Example]:
    """Find all examples by their names, without reading any array."""
    examples = []
    with _opened(path) as file:
        for label, by_split in _groups(path, file, "/"):
            for split, by_id in _groups(path, by_split, f"/{label}"):
                if split not in PARTS:
                    raise BadInput(
                        f"{split!r} is not a split",
                        file=f"{path}:/{label}/{split}",
                        expected=LAYOUT,
                        remedy="Put the examples of a class into a group named for their split.",
                    )
                place, part = f"/{label}/{split}", PARTS.index(split)
                names = _guarded(path, place, functools.partial(list, by_id))
                examples += [Example(label, part, name, f"{place}/{name}") for name in names]
    return _unique(path, examples)


def _groups(path: Path, parent: Any, place: str) -> Iterator[tuple[str, Any]]:
    for name, child in _guarded(path, place, lambda: list(parent.items())):
        if not isinstance(child, h5py.Group):
            raise BadInput(
                "it is an array, not a group",
                file=f"{path}:{place.rstrip('/')}/{name}",
                expected=LAYOUT,
                remedy=AGAIN,
            )
        yield name, child


def _hdf5_image(path: Path, file: Any, one: Example, duration: str) -> NDArray[np.float32]:
    place = f"{one.place}/{duration}.png"
    expected = "an array (1, 140, 170) of values from 0 to 1"
    dataset = _guarded(path, place, lambda: file.get(place))
    if dataset is None:
        durations = _guarded(path, place, lambda: list(file[one.place]))
        raise BadInput(
            f"there is no picture of {duration} s, only {', '.join(durations) or 'nothing'}",
            file=f"{path}:{one.place}",
            expected=f"{duration}.png",
            remedy="Choose another `duration`, or download the whole file again.",
        )
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fui":
        problem = "it is not an array of numbers"
    elif dataset.shape not in ((1, *SHAPE), SHAPE):
        problem = f"it has shape {dataset.shape}"
    else:
        values = _guarded(path, place, lambda: dataset[()])
        image = np.asarray(values, dtype=np.float32).reshape(SHAPE)
        if np.isnan(image).any():
            problem = f"{int(np.isnan(image).sum())} of its values are NaN"
        elif image.min() < 0 or image.max() > 1:
            problem = f"its values span {image.min():g} ... {image.max():g}"
        else:
            return image
    raise BadInput(
        problem, file=f"{path}:{place}", expected=expected, remedy=f"{AGAIN} Or remove the example."
    )


def _guarded(path: Path, place: str, read: Callable[[], Any]) -> Any:
    """Read from an open HDF5 file, where damage within it shows; raises `BadInput`."""
    try:
        return read()
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise BadInput(
            f"it can't be read ({error})",
            file=f"{path}:{place}",
            expected="an undamaged HDF5 file",
            remedy=AGAIN,
        ) from error


def _folder_examples(path: Path, duration: str) -> list[Example]:
    examples = []
    for file in sorted(path.rglob("*.png")):
        where = file.relative_to(path).parts
        name = PICTURE.fullmatch(file.name)
        problem = ""
        if name is None:
            problem = "its name doesn't say which glitch it shows"
        elif len(where) not in (2, 3) or (len(where) == 3 and where[1] not in PARTS):
            problem = "its folder doesn't say which class it is of"
        elif name["duration"] == duration:
            part = PARTS.index(where[1]) if len(where) == 3 else -1
            examples.append(Example(where[0], part, name["id"], "/".join(where)))
        if problem:
            raise BadInput(
                problem,
                file=file,
                expected=f"<label>/<detector>_<id>_spectrogram_{duration}.png below {path}, or "
                f"<label>/<{', '.join(PARTS)}>/...",
                remedy="Sort the pictures into folders named for their classes.",
            )
    return _unique(path, examples)


def open_files(path: Path, duration: str = "0.5", *, official: bool = True) -> Blocks:
    """Stream the spectrograms of a path: a folder of pictures or an HDF5 file.

    Of a folder with the published HDF5 file that file is read.
    """
    if path.is_dir() and not (path / FILE).is_file():
        return read_folder(path, duration, official=official)
    return read_hdf5(path / FILE if path.is_dir() else path, duration, official=official)


def download_record(
    folder: Path,
    *,
    base_url: str = ZENODO_API,
    session: requests.Session | None = None,
    **options: Any,
) -> Path:
    """Download the published training set into ``folder``, and return the folder.

    Zenodo's description of the record is kept beside the files and gives their sizes and MD5 sums:
    complete files aren't downloaded again, and an interrupted download resumes. ``options`` are
    those of `models.download.fetch`.

    Raises
    ------
    DownloadError
        Zenodo can't be reached, doesn't list the file, or sent something else than it lists.
    """
    listing = folder / f"zenodo-{RECORD}.json"
    if not listing.is_file():
        fetch(f"{base_url}/records/{RECORD}", listing, session=session, **options)
    try:
        listed = {entry["key"]: entry for entry in json.loads(listing.read_text())["files"]}
        wanted = {FILE: listed[FILE]} | {key: listed[key] for key in (METADATA,) if key in listed}
        files = [
            (key, entry["links"]["self"], int(entry["size"]), _md5(entry["checksum"]))
            for key, entry in wanted.items()
        ]
    except (ValueError, KeyError, TypeError) as error:
        listing.unlink()
        raise DownloadError(
            f"{base_url}/records/{RECORD}: the record doesn't list {FILE} with its address, size "
            "and MD5 sum. Try again; or download the file by hand and read it with source 'files'."
        ) from error
    try:
        for key, url, size, md5 in files:
            fetch(url, folder / key, size=size, md5=md5, session=session, **options)
    except DownloadError:
        listing.unlink()  # the record may have changed since
        raise
    return folder


def _md5(checksum: str) -> str:
    kind, _, value = checksum.partition(":")
    if kind != "md5":
        raise ValueError(checksum)
    return value
