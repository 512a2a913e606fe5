"""Which images are learnt from, tuned on and judged by, what is asked, and the injected chirps."""

from typing import Any, Literal

import dagster as dg
import numpy as np
from pydantic import Field

from assets.gravitational_waves.inputs import asset_in
from assets.metadata import split_counts
from assets.settings import StageConfig, by_profile
from models.arrays import Arrays, Blocks
from models.gravitational_waves import sources
from models.gravitational_waves.simulation import FAINTEST
from models.gravitational_waves.splits import classes_of, is_positive, split_images
from models.sampling import TEST, TRAIN


class Classes(StageConfig, section="gravitational_waves/classes"):
    """What is asked of the models."""

    task: Literal["chirp", "classes"] = Field(
        "chirp",
        description="chirp: the class looked for against the rest; classes: every class by name",
    )
    positive: str = Field("Chirp", description="the class looked for")


@dg.asset(
    key=["gravitational_waves", "classes"],
    group_name="gravitational_waves",
    tags={"stage": "sampling"},
    io_manager_key="json",
    ins={"images": asset_in("images")},
)
def classes(config: Classes, images: Arrays) -> dg.Output[dict[str, Any]]:
    """The classes by code, the one looked for, and whether all are to be told apart."""
    found = classes_of(np.asarray(images["label"]), config.positive, config.task)
    return dg.Output(found, metadata=found)


class Splits(StageConfig, section="gravitational_waves/splits"):
    """How images without an official split are shared out."""

    validation: float = Field(0.15, gt=0, lt=1, description="share of the images")
    test: float = Field(0.15, gt=0, lt=1, description="share of the images")
    seed: int = 2


@dg.asset(
    key=["gravitational_waves", "splits"],
    group_name="gravitational_waves",
    tags={"stage": "sampling"},
    io_manager_key="arrays",
    ins={"images": asset_in("images"), "classes": asset_in("classes")},
)
def splits(config: Splits, images: Arrays, classes: dict[str, Any]) -> dg.Output[dict[str, Any]]:
    """Split of each image (0 train, 1 validation, 2 test), as published; code of its class."""
    found, how = split_images(images, classes, config.validation, config.test, config.seed)
    positive = is_positive(found["class"], classes)
    counts = split_counts(found["split"], positive, "looked for", "others")
    return dg.Output(found, metadata={"split": how, **counts})


class Injections(StageConfig, section="gravitational_waves/injections"):
    """Simulated chirps that the upgrade learns from beside the training images' own."""

    count: int = Field(by_profile(quick=300, published=1000), gt=0)
    into: Literal["backgrounds", "noise"] = Field(
        "backgrounds",
        description="backgrounds: the quietest images of the split; noise: detector noise",
    )
    faintest: float = Field(FAINTEST, gt=0, description="least signal-to-noise ratio")
    seed: int = 7


class Trials(Injections, section="gravitational_waves/trials"):
    """Simulated chirps for the efficiency against signal-to-noise ratio.

    By default not made as the injections are, lest the upgrade be tried on its own recipe.
    """

    count: int = Field(by_profile(quick=200, published=1000), gt=0)
    into: Literal["backgrounds", "noise"] = Field("noise", description="as for injections")
    seed: int = 9


def injected(config: Injections, images: Arrays, splits: Any) -> dg.Output[Blocks]:
    """Make the chirps that a configuration asks for."""
    made = sources.injections(
        images, splits, config.count, seed=config.seed, faintest=config.faintest, into=config.into
    )
    return dg.Output(made, metadata=config.model_dump())


@dg.asset(
    key=["gravitational_waves", "injections"],
    group_name="gravitational_waves",
    tags={"stage": "sampling"},
    io_manager_key="arrays",
    ins={"images": asset_in("images"), "splits": asset_in("splits")},
)
def injections(config: Injections, images: Arrays, splits: Arrays) -> dg.Output[Blocks]:
    """Simulated chirps laid into training images alone, for the upgrade to learn from."""
    return injected(config, images, splits)


@dg.asset(
    key=["gravitational_waves", "trials"],
    group_name="gravitational_waves",
    tags={"stage": "sampling"},
    io_manager_key="arrays",
    ins={"images": asset_in("images"), "splits": asset_in("splits")},
)
def trials(config: Trials, images: Arrays, splits: Arrays) -> dg.Output[Blocks]:
    """Simulated chirps, none of them learnt from, to see how faint ones each model still finds."""
    into_test = {"split": np.where(np.asarray(splits["split"]) == TEST, TRAIN, -1)}
    return injected(config, images, into_test)
