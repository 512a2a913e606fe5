"""Scans from a fast simulator, gprMax, or files."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile, located
from assets.wiring import together
from models.buried_objects import scans, streaming
from models.types import JsonDict

NAMED = 20  # skipped scans that the metadata name; the table of scenes names all


class Scans(StageConfig, section="buried_objects/scans"):
    """Which scans, and how many simulated ones."""

    source: Literal["simulated", "gprmax", "files"] = Field(
        "simulated",
        description="simulated: a fast physical model; gprmax: the same scenes by the study's "
        "solver, hours a scan, kept in `path`; files: the scans that `path` holds",
    )
    path: str = Field(
        "", description="a folder, for gprmax and files; its folder `test` is for the test alone"
    )
    scans: int = Field(
        by_profile(quick=160, published=375),
        gt=0,
        description="to make; published: ten parts of 30, and as many again by a quarter to test",
    )
    more_to_test: int = Field(
        0, ge=0, description="scans to make besides, for the test alone: they retrain nothing"
    )
    step: int = Field(
        by_profile(quick=20, published=1),
        gt=0,
        le=20,
        description="keeps every n-th of the 10,057 samples; 20, or 8.4 GHz, loses nothing",
    )
    python: str = Field("", description="interpreter with gprMax; empty: this one")
    workers: int = Field(2, gt=0, description="scans simulated or read at once")
    retries: int = Field(2, ge=0, description="new tries for a scan that can't be read")
    limit: int = Field(10, ge=0, description="scans to skip before the stage fails")
    seed: int = Field(1, description="of the scenes: objects, soil, noise")

    def input_files(self) -> Sequence[Path]:
        """What is read from outside the graph."""
        return (located(self),) if self.source == "files" else ()


def jobs(config: Scans) -> Iterator[streaming.Job]:
    """List the scans of the chosen source."""
    if config.source == "simulated":
        return streaming.simulated(
            config.scans, config.more_to_test, seed=config.seed, step=config.step
        )
    if config.source == "files":
        return streaming.from_files(located(config), step=config.step)
    return streaming.solved(
        config.scans,
        located(config),
        config.more_to_test,
        seed=config.seed,
        step=config.step,
        python=config.python or sys.executable,
    )


@dg.multi_asset(
    name="buried_objects_download",
    **together(
        "buried_objects",
        scans=(
            "arrays",
            "Traces of all scans, a row a trace.\n\n"
            "- `ez` (traces, samples): vertical electric field, V/m, over 60 ns",
        ),
        labels=(
            "arrays",
            "Each trace's label, scan and number.\n\n"
            "- `label` (traces,): 1 over the object\n"
            "- `scan`, `trace` (traces,): the scan, the place in it; 2 cm apart\n"
            "- `test` (traces,): whether it is for the test alone",
        ),
        scene=(
            "tables",
            "What lies under each scan, and which were skipped, and why.\n\n"
            "- `scan`, `name`, `traces`, `status`: read, or why it was skipped\n"
            "- `test`: whether it is for the test alone\n"
            "- `radius`, `depth`, `height`, `offset`: metres; `frequency`: Hz; NaN if unknown\n"
            "- `material`, `filling`, `seed`: of the object and of the simulation",
        ),
    ),
)
def download(config: Scans) -> Iterator[dg.Output[Any]]:
    """Stream the scans into the store; only then is known which could be read."""
    rows: list[JsonDict] = []
    blocks = streaming.stream(
        jobs(config), rows, workers=config.workers, retries=config.retries, limit=config.limit
    )
    metadata = {"source": config.source, "seed": config.seed}
    yield dg.Output(blocks, output_name="scans", metadata=metadata)
    scene = scans.table_of(rows)
    yield dg.Output(scans.label_blocks(scene), output_name="labels")
    skipped = scene[scene["traces"] == 0]
    named = [f"{one.name}: {one.status}" for one in skipped.head(NAMED).itertuples(index=False)]
    counted = {"scans": len(scene), "skipped": len(skipped)}
    yield dg.Output(scene, output_name="scene", metadata={**counted, "skipped scans": named})
