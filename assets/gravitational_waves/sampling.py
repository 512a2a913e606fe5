"""The classes, train, validation and test splits of the images, and the simulated chirps."""

from typing import Literal

import dagster as dg
import numpy as np
from pydantic import Field

from assets.gravitational_waves.inputs import EXAMPLES, asset_in
from assets.settings import StageConfig, by_profile
from models.arrays import Arrays, Blocks
from models.gravitational_waves.injections import injections
from models.gravitational_waves.simulation import FAINTEST
from models.gravitational_waves.splits import (
    classes_of,
    examples_of,
    images_of,
    is_positive,
    split_images,
)
from models.sampling import TEST, TRAIN, rows_of
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
    - `group` (n,): as in `images`
    """
    split = split_images(images, classes, config.validation, config.test, config.seed)
    positive = is_positive(split.columns["class"], classes)
    counts = split.counts(positive, "looked for", "others")
    return dg.Output(split.to_arrays(), metadata={"split": split.method, **counts})


INTO = "backgrounds: the quietest images of the split; noise: detector noise"


class Examples(StageConfig, section="gravitational_waves/examples"):
    """Chirps that are simulated beside the images.

    By default the trials are not simulated as the injections are, lest the upgrade be tested on its
    own recipe.
    """

    injections: int = Field(
        by_profile(quick=300, published=1000), gt=0, description="chirps to train the upgrade on"
    )
    injected_into: Literal["backgrounds", "noise"] = Field("backgrounds", description=INTO)
    injections_seed: int = Field(7, description="of them and of what they are injected into")
    trials: int = Field(
        by_profile(quick=200, published=1000),
        gt=0,
        description="chirps to measure the efficiency against signal-to-noise ratio with",
    )
    trials_into: Literal["backgrounds", "noise"] = Field("noise", description=INTO)
    trials_seed: int = Field(9, description="of them and of what they are injected into")
    faintest: float = Field(FAINTEST, gt=0, description="least signal-to-noise ratio of both")


def read(config: Examples, images: Arrays, splits: Arrays, name: str) -> Blocks:
    """Read the images of a split, or simulate chirps."""
    if name == "injections":
        rows, count, into = rows_of(splits, TRAIN), config.injections, config.injected_into
        seed = config.injections_seed
    elif name == "trials":
        rows, count, into = rows_of(splits, TEST), config.trials, config.trials_into
        seed = config.trials_seed
    else:
        return images_of(images, splits, name)
    return injections(images, rows, count, seed=seed, faintest=config.faintest, into=into)


@dg.asset(
    key=["gravitational_waves", "examples"],
    io_manager_key="arrays",
    partitions_def=EXAMPLES,
    ins={name: asset_in(name) for name in ("images", "splits", "classes")},
)
def examples(
    context: dg.AssetExecutionContext,
    config: Examples,
    images: Arrays,
    splits: Arrays,
    classes: JsonDict,
) -> Blocks:
    """The images of a split, and what models are to learn of them; or simulated chirps.

    Of the partitions, `train`, `validation` and `test` are the splits. `injections` are chirps
    injected into training images alone, to train the upgrade on; `trials` are chirps outside the
    training set, to measure how faint ones each model finds.

    - `image` (n, 140, 170): normalised energy, 0 to 1; frequency from 2048 down to 10 Hz, time
    - `class` (n,): place of its class in `classes`
    - `target` (n,): what models learn: `class`, or 1 for the class looked for and 0 for others
    - `label`, `id`, `group`, `snr`, `duration` (n,): as in `images`
    """
    return examples_of(read(config, images, splits, context.partition_key), classes)
