"""The classes, train, validation and test splits of the images, and the injected chirps."""

from typing import Any, Literal

import dagster as dg
import numpy as np
from pydantic import Field

from assets.gravitational_waves.inputs import asset_in
from assets.settings import StageConfig, by_profile
from models.arrays import Arrays, Blocks
from models.gravitational_waves.injections import injections as inject_chirps
from models.gravitational_waves.simulation import FAINTEST
from models.gravitational_waves.splits import classes_of, is_positive, split_images
from models.sampling import TEST, TRAIN
from models.types import JsonDict


class Classes(StageConfig, section="gravitational_waves/classes"):
    """The classes that the models predict."""

    task: Literal["chirp", "classes"] = Field(
        "chirp",
        description="chirp: the class looked for against the rest; classes: every class by name",
    )
    positive: str = Field("Chirp", description="the class looked for")


@dg.asset(
    key=["gravitational_waves", "classes"],
    io_manager_key="json",
    ins={"images": asset_in("images")},
)
def classes(config: Classes, images: Arrays) -> dg.Output[JsonDict]:
    """The classes by code, the one looked for, and whether every class is predicted."""
    named = classes_of(np.asarray(images["label"]), config.positive, config.task)
    return dg.Output(named, metadata=named)


class Splits(StageConfig, section="gravitational_waves/splits"):
    """How images without an official split are split."""

    validation: float = Field(0.15, gt=0, lt=1, description="share of the images")
    test: float = Field(0.15, gt=0, lt=1, description="share of the images")
    seed: int = Field(2, description="of the order of the images")


@dg.asset(
    key=["gravitational_waves", "splits"],
    io_manager_key="arrays",
    ins={"images": asset_in("images"), "classes": asset_in("classes")},
)
def splits(config: Splits, images: Arrays, classes: JsonDict) -> dg.Output[JsonDict]:
    """Split of each image (0 train, 1 validation, 2 test), as published; code of its class.

    - `split` (n,): 0 train, 1 validation, 2 test
    - `class` (n,): place of its class in `classes`
    """
    split = split_images(images, classes, config.validation, config.test, config.seed)
    positive = is_positive(split.columns["class"], classes)
    counts = split.counts(positive, "looked for", "others")
    return dg.Output(split.to_arrays(), metadata={"split": split.method, **counts})


class Injections(StageConfig, section="gravitational_waves/injections"):
    """Simulated chirps that the upgrade is trained on, beside the training images' own."""

    count: int = Field(
        by_profile(quick=300, published=1000), gt=0, description="chirps to simulate"
    )
    into: Literal["backgrounds", "noise"] = Field(
        "backgrounds",
        description="backgrounds: the quietest images of the split; noise: detector noise",
    )
    faintest: float = Field(FAINTEST, gt=0, description="least signal-to-noise ratio")
    seed: int = Field(7, description="of the chirps and of what they are injected into")


class Trials(Injections, section="gravitational_waves/trials"):
    """Simulated chirps for the efficiency against signal-to-noise ratio.

    By default not simulated as the injections are, lest the upgrade be tested on its own recipe.
    """

    count: int = Field(
        by_profile(quick=200, published=1000), gt=0, description="chirps to simulate"
    )
    into: Literal["backgrounds", "noise"] = Field("noise", description="as for injections")
    seed: int = Field(9, description="of the chirps and of the noise")


def injected(config: Injections, images: Arrays, splits: Any) -> dg.Output[Blocks]:
    """Simulate the configured chirps."""
    blocks = inject_chirps(
        images, splits, config.count, seed=config.seed, faintest=config.faintest, into=config.into
    )
    return dg.Output(blocks, metadata=config.model_dump())


@dg.asset(
    key=["gravitational_waves", "injections"],
    io_manager_key="arrays",
    ins={"images": asset_in("images"), "splits": asset_in("splits")},
)
def injections(config: Injections, images: Arrays, splits: Arrays) -> dg.Output[Blocks]:
    """Simulated chirps injected into training images alone, to train the upgrade on.

    - `image` (n, 140, 170): normalised energy, 0 to 1; frequency from 2048 down to 10 Hz, time
    - `label`, `id`, `group` (n,): class, name, and what it must share a split with
    - `snr` (n,): signal-to-noise ratio; NaN if unknown
    - `duration` (n,): what an image spans, in seconds
    - `part` (n,): the published split; -1 without
    """
    return injected(config, images, splits)


@dg.asset(
    key=["gravitational_waves", "trials"],
    io_manager_key="arrays",
    ins={"images": asset_in("images"), "splits": asset_in("splits")},
)
def trials(config: Trials, images: Arrays, splits: Arrays) -> dg.Output[Blocks]:
    """Simulated chirps outside the training set, to measure how faint ones each model finds.

    - `image` (n, 140, 170): normalised energy, 0 to 1; frequency from 2048 down to 10 Hz, time
    - `label`, `id`, `group` (n,): class, name, and what it must share a split with
    - `snr` (n,): signal-to-noise ratio; NaN if unknown
    - `duration` (n,): what an image spans, in seconds
    - `part` (n,): the published split; -1 without
    """
    into_test = {"split": np.where(np.asarray(splits["split"]) == TEST, TRAIN, -1)}
    return injected(config, images, into_test)
