"""Where the light curves come from: a simulator, files, or the published Kaggle set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile, located
from models.arrays import Blocks
from models.exoplanets import bundle, readers, simulation

Source = Literal["injected", "simulated", "files", "kaggle"]


class Curves(StageConfig, section="exoplanets/curves"):
    """Which light curves, and how many where they are made."""

    source: Source = Field(
        "injected",
        description="injected: transits into real quiet Kepler curves; simulated: all synthetic; "
        "files: what `path` holds; kaggle: the published set, downloaded to `path`",
    )
    path: str = Field("", description="a file or folder, for files and kaggle")
    train: int = Field(
        by_profile(quick=1600, published=5087),
        gt=0,
        description="curves to make for training and validation",
    )
    train_planets: int = Field(
        by_profile(quick=80, published=37), gt=0, description="of them with a planet"
    )
    test: int = Field(
        by_profile(quick=400, published=570), gt=0, description="curves to make for the test"
    )
    test_planets: int = Field(
        by_profile(quick=20, published=5), gt=0, description="of them with a planet"
    )
    seed: int = Field(1, description="of the simulated signals and noise")

    def input_files(self) -> Sequence[Path]:
        """What is read from outside the graph."""
        if self.source == "files":
            return (located(self),)
        return (bundle.BUNDLE,) if self.source == "injected" else ()


def read(config: Curves) -> Blocks:
    """Open the chosen source."""
    if config.source == "files":
        return readers.read_files(located(config))
    if config.source == "kaggle":
        return readers.read_kaggle(readers.download_kaggle(located(config)))
    make = simulation.injected if config.source == "injected" else simulation.simulated
    return make(
        n_train=config.train,
        n_test=config.test,
        train_planets=config.train_planets,
        test_planets=config.test_planets,
        seed=config.seed,
    )


@dg.asset(
    key=["exoplanets", "curves"],
    io_manager_key="arrays",
)
def curves(config: Curves) -> dg.Output[Blocks]:
    """Kepler light curves of 3197 cadences, each with its label and what is known of its star.

    - `flux` (n, 3197): electrons per second, a cadence every 29.4 minutes, 65.3 days in all
    - `label` (n,): 1 with a planet, 0 without
    - `star`, `host` (n,): the curve's name, and the star that its noise comes from
    - `kind` (n,): quiet, planet, eclipsing_binary, flare, jump or unknown
    - `part` (n,): 0 training and validation, 1 the published test set
    - `period` (n,): days; `depth` (n,): of the star's flux; `snr` (n,): of all transits; NaN if
      unknown
    """
    return dg.Output(read(config), metadata={"source": config.source, "seed": config.seed})
