"""Stream scans: simulate or read them in parallel, retry and skip failures."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.arrays import Block, Blocks
from models.buried_objects.gprmax import run_scan
from models.buried_objects.readers import SCENES, TEST, find_scans, read_scan, read_scenes
from models.buried_objects.scans import Scene
from models.buried_objects.simulation import draw_scene, simulate_scan
from models.errors import BadInput
from models.threads import in_order
from models.types import JsonDict

logger = logging.getLogger(__name__)

READ = "read"
"""Status of a scan that was not skipped."""


@dataclass(frozen=True)
class Job:
    """A scan to simulate or read.

    Attributes
    ----------
    name, scene
        Its name, and what lies below it.
    read
        Returns it, (traces, samples).
    test
        Whether it is for the test alone.
    """

    name: str
    scene: Scene
    read: Callable[[], NDArray[np.float32]]
    test: bool = False


def simulated(scans: int, test: int = 0, *, seed: int, step: int) -> Iterator[Job]:
    """Scans of the fast model, and more for the test alone.

    Scan k depends on ``seed``, ``step`` and k alone.
    """
    for scan in range(scans + test):
        scene = draw_scene(scan, seed)
        read = partial(simulate_scan, scene, step=step)
        yield Job(f"simulated_{scan:05d}", scene, read, test=scan >= scans)


def solved(
    scans: int,
    folder: Path,
    test: int = 0,
    *,
    seed: int,
    step: int,
    python: str = sys.executable,
) -> Iterator[Job]:
    """Scans of the same scenes by gprMax, kept in ``folder`` (`models.buried_objects.gprmax`)."""
    for scan in range(scans + test):
        scene = draw_scene(scan, seed)
        read = partial(run_scan, scene, folder, step=step, python=python)
        yield Job(f"gprmax_{scan:05d}", scene, read, test=scan >= scans)


def from_files(folder: Path, *, step: int) -> Iterator[Job]:
    """Scans that ``folder`` holds; those of its folder ``test`` are for the test alone.

    See `models.buried_objects.readers`.

    Raises
    ------
    BadInput
        A folder holds no scan, or its ``scenes.csv`` is missing or wrong.
    """
    test = folder / TEST
    for one in (folder, test) if test.is_dir() else (folder,):
        paths, scenes = find_scans(one), read_scenes(one)
        for name, path in paths:
            read = partial(read_scan, path, step=step)
            if name not in scenes:
                read = partial(_unknown, one, name)
            scene = scenes.get(name, Scene(float("nan")))
            yield Job(str(path.relative_to(folder).with_name(name)), scene, read, one == test)


def _unknown(folder: Path, name: str) -> NDArray[np.float32]:
    raise BadInput(
        f"there is no scan {name!r}",
        file=folder / SCENES,
        expected="a row for every scan",
        remedy="Add it, with the cylinder's radius.",
    )


def stream(
    jobs: Iterable[Job],
    rows: list[JsonDict],
    *,
    workers: int = 2,
    retries: int = 2,
    wait: float = 0.2,
    limit: int = 10,
) -> Blocks:
    """Stream scans, one block each, in their order, simulated or read by several threads.

    A scan that fails is tried again, and left out if it still does. Memory holds two scans a
    worker, however many there are.

    Parameters
    ----------
    jobs
        The scans; they are numbered from 0, whether left out or not.
    rows
        Filled while the blocks are read: what `models.buried_objects.scans.table_of` takes.
    workers
        Threads.
    retries
        How often to try again.
    wait
        Seconds before the first new try; each further one waits twice as long.
    limit
        Scans that may be left out.

    Returns
    -------
    Blocks of ``ez``, float32 (traces, samples).

    Raises
    ------
    BadInput
        More than ``limit`` scans fail, or none is left. Raised while the blocks are read.
    """

    def blocks() -> Iterator[Block]:
        samples = 0
        tasks = (partial(_read, job, retries, wait) for job in jobs)
        results = in_order(tasks, workers=workers, name="scans")
        for number, (job, ez, why) in enumerate(results):
            if ez is not None and samples and ez.shape[1] != samples:
                why = f"it has {ez.shape[1]} samples, the scans before it {samples}"
                ez = None
            status = READ if ez is not None else f"skipped: {why}"
            traces = 0 if ez is None else len(ez)
            named = {"scan": number, "name": job.name, "traces": traces, "status": status}
            named["test"] = job.test
            rows.append(named | asdict(job.scene))
            if ez is None:
                logger.warning("scan %s is %s", job.name, status)
                _require_within(limit, rows)
            else:
                samples = ez.shape[1]
                yield {"ez": ez}
        if not samples:
            _require_within(-1, rows)

    return Blocks(blocks())


def _require_within(limit: int, rows: list[JsonDict]) -> None:
    skipped = [row for row in rows if row["status"] != READ]
    if len(skipped) > limit:
        raise BadInput(
            f"{len(skipped)} of {len(rows)} scans can't be read, the last one because: "
            f"{skipped[-1]['status'].removeprefix('skipped: ')}"
            if skipped
            else "there are no scans",
            file=", ".join(row["name"] for row in skipped[-5:]),
            expected=f"at most {max(limit, 0)} scans to skip, and one to keep",
            remedy="Mend or remove them, or raise `limit`.",
        )


def _read(job: Job, retries: int, wait: float) -> tuple[Job, NDArray[np.float32] | None, str]:
    for attempt in range(retries + 1):
        try:
            return job, job.read(), ""
        except (OSError, RuntimeError, BadInput) as error:
            why = str(error)
            if attempt < retries:
                time.sleep(wait * 2**attempt)
    return job, None, why
