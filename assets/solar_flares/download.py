"""Records from a simulator, files, or the published Kaggle competition."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile, located
from assets.wiring import together
from models.arrays import Blocks
from models.solar_flares import readers, simulation
from models.solar_flares.ingestion import Tally
from models.solar_flares.simulation import PUBLISHED_RECORDS


class Records(StageConfig, section="solar_flares/records"):
    """Which records, how many where they are made, and which share where they are read."""

    source: Literal["simulated", "files", "kaggle"] = Field(
        "simulated",
        description="simulated: simulated regions; files: what `path` holds (JSON lines of the "
        "folds, or SWAN-SF series); kaggle: the competition's files, downloaded to `path`",
    )
    path: str = Field("", description="a file or folder, for files and kaggle")
    train: int = Field(
        by_profile(quick=4000, published=PUBLISHED_RECORDS[1]),
        gt=0,
        description="simulated, fold 1",
    )
    validation: int = Field(
        by_profile(quick=3200, published=PUBLISHED_RECORDS[2]), gt=0, description="fold 2"
    )
    test: int = Field(
        by_profile(quick=9600, published=PUBLISHED_RECORDS[3]), gt=0, description="fold 3"
    )
    per_region: int = Field(
        by_profile(quick=8, published=24), gt=0, description="simulated records of an active region"
    )
    train_fraction: float = Field(
        by_profile(quick=0.3, published=1.0), gt=0, le=1, description="of fold 1's file"
    )
    validation_fraction: float = Field(
        by_profile(quick=0.1, published=1.0), gt=0, le=1, description="of fold 2's file"
    )
    test_fraction: float = Field(
        by_profile(quick=0.05, published=1.0), gt=0, le=1, description="of fold 3's file"
    )
    on_bad: Literal["stop", "skip"] = Field("stop", description="at a broken line")
    limit: int = Field(100, ge=0, description="broken lines to skip in a file before it is refused")
    engine: Literal["arrow", "spark"] = Field("arrow", description="what reads JSON lines")
    master: str = Field("local[2]", description="Spark's master URL")
    seed: int = Field(1, description="of the simulated regions, and of the share that is read")

    def input_files(self) -> Sequence[Path]:
        """What is read from outside the graph."""
        return (located(self),) if self.source == "files" else ()


def read(config: Records, tallies: dict[int, Tally]) -> Blocks:
    """Open the chosen source; ``tallies`` fill while it is read."""
    if config.source == "simulated":
        counts = {1: config.train, 2: config.validation, 3: config.test}
        return simulation.simulate(counts, seed=config.seed, per_region=config.per_region)
    path = located(config)
    return readers.open_files(
        readers.download_competition(path) if config.source == "kaggle" else path,
        {1: config.train_fraction, 2: config.validation_fraction, 3: config.test_fraction},
        tallies,
        seed=config.seed,
        on_bad=config.on_bad,
        limit=config.limit,
        engine=config.engine,
        master=config.master,
    )


@dg.multi_asset(
    name="solar_flares_download",
    **together(
        "solar_flares",
        records=(
            "arrays",
            "Records of active regions: 12 hours each, a sample every 12 minutes.\n\n"
            "- `values` (n, 60, 25): parameters of the magnetic field, SHARP units; NaN: missing\n"
            "- `label` (n,): 1 for a flare of class M or X within 24 hours\n"
            "- `id`, `region` (n,): the record's name, its active region\n"
            "- `fold` (n,): the file's fold, disjoint in time",
        ),
        tally=("json", "Lines of each fold's file: how many, taken, broken, and why."),
    ),
)
def records(config: Records) -> Iterator[dg.Output[Any]]:
    """Stream the records into the store; only then is known what became of every line."""
    tallies: dict[int, Tally] = {}
    metadata = {"source": config.source, "seed": config.seed}
    yield dg.Output(read(config, tallies), output_name="records", metadata=metadata)
    counted = {f"fold {fold}": asdict(tally) for fold, tally in tallies.items()}
    lines = {f"{name} broken lines": tally["bad"] for name, tally in counted.items()}
    named = {f"{name} broken": tally["bad_lines"] for name, tally in counted.items()}
    yield dg.Output(counted, output_name="tally", metadata=lines | named)
