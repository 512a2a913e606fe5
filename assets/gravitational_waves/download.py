"""Spectrograms from a simulator, files, or the published record at Zenodo."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile, located
from models.arrays import Blocks
from models.gravitational_waves import readers, simulation
from models.gravitational_waves.injections import inject
from models.gravitational_waves.simulation import PUBLISHED_CHIRPS, PUBLISHED_IMAGES


class Images(StageConfig, section="gravitational_waves/images"):
    """Which spectrograms, and how many where they are made."""

    source: Literal["simulated", "files", "zenodo", "injected"] = Field(
        "simulated",
        description="simulated: simulated chirps and glitches; files: what `path` holds (the "
        "published HDF5 file, or a folder of pictures); zenodo: the published file, downloaded to "
        "`path`; injected: files with simulated chirps injected into some",
    )
    path: str = Field("", description="a file or folder, for all but simulated")
    duration: Literal["0.5", "1.0", "2.0", "4.0"] = Field("0.5", description="seconds of a picture")
    official_split: bool = Field(True, description="keep the files' splits")
    train: int = Field(
        by_profile(quick=700, published=PUBLISHED_IMAGES["train"]),
        gt=0,
        description="simulated images to train on",
    )
    validation: int = Field(
        by_profile(quick=150, published=PUBLISHED_IMAGES["validation"]),
        gt=0,
        description="simulated, in validation",
    )
    test: int = Field(
        by_profile(quick=1100, published=PUBLISHED_IMAGES["test"]),
        gt=0,
        description="simulated, in test",
    )
    train_chirps: int = Field(PUBLISHED_CHIRPS["train"], ge=0, description="simulated, in train")
    validation_chirps: int = Field(
        by_profile(quick=12, published=PUBLISHED_CHIRPS["validation"]),
        ge=0,
        description="simulated, in validation",
    )
    test_chirps: int = Field(
        by_profile(quick=60, published=PUBLISHED_CHIRPS["test"]),
        ge=0,
        description="simulated, in test",
    )
    injected_chirps: int = Field(60, gt=0, description="chirps injected into files, in all")
    faintest: float = Field(
        simulation.FAINTEST, gt=0, description="signal-to-noise ratio of the faintest chirps"
    )
    seed: int = Field(1, description="of the simulated chirps, glitches and noise")

    def input_files(self) -> Sequence[Path]:
        """What is read from outside the graph."""
        return (located(self),) if self.source in ("files", "injected") else ()


def read(config: Images) -> Blocks:
    """Open the chosen source."""
    if config.source == "simulated":
        return simulation.simulate(
            {"train": config.train, "validation": config.validation, "test": config.test},
            {
                "train": config.train_chirps,
                "validation": config.validation_chirps,
                "test": config.test_chirps,
            },
            seed=config.seed,
            faintest=config.faintest,
            duration=float(config.duration),
        )
    path = located(config)
    if config.source == "zenodo":
        path = readers.download_record(path)
    opened = partial(readers.open_files, path, config.duration, official=config.official_split)
    if config.source != "injected":
        return opened()
    return inject(
        opened,
        config.injected_chirps,
        seed=config.seed,
        faintest=config.faintest,
        duration=float(config.duration),
    )


@dg.asset(
    key=["gravitational_waves", "images"],
    io_manager_key="arrays",
)
def images(config: Images) -> dg.Output[Blocks]:
    """Spectrograms of chirps and glitches: pixels, class, official split, signal-to-noise ratio.

    - `image` (n, 140, 170): normalised energy, 0 to 1; frequency from 2048 down to 10 Hz, time
    - `label`, `id`, `group` (n,): class, name, and what it must share a split with
    - `snr` (n,): signal-to-noise ratio; NaN if unknown
    - `duration` (n,): what an image spans, in seconds
    - `part` (n,): the published split; -1 without
    """
    metadata = {"source": config.source, "seed": config.seed, "duration (s)": config.duration}
    return dg.Output(read(config), metadata=metadata)
