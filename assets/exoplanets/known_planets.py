"""The transit search over raw Kepler quarters of stars with known planets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from assets.exoplanets.inputs import asset_in
from assets.settings import ROOT, StageConfig
from models.arrays import Arrays
from models.exoplanets import quarters
from models.exoplanets.report import known_planet_rows
from models.types import JsonDict


class Quarters(StageConfig, section="exoplanets/quarters"):
    """Which light curves: seven bundled stars, or a folder of the archive's files."""

    folder: str = Field("", description="folder of FITS or CSV light curves; empty: the bundle")

    def input_files(self) -> Sequence[Path]:
        """What is read from outside the graph."""
        return (ROOT / Path(self.folder).expanduser() if self.folder else quarters.BUNDLE,)


@dg.asset(
    key=["exoplanets", "quarters"],
    tags={"stage": "download"},
    io_manager_key="arrays",
)
def kepler_quarters(config: Quarters) -> dict[str, Any]:
    """Raw Kepler quarters, cadence by cadence: three stars with a planet, four without.

    - `time` (cadences,): days, BKJD
    - `flux` (cadences,): electrons per second
    - `quality` (cadences,): SAP_QUALITY, 0 for a good cadence
    - `kic`, `quarter`, `disposition` (cadences,): the star, the file, the archive's verdict
    """
    return quarters.cadences(config.input_files()[0]) if config.folder else quarters.bundled()


class Search(StageConfig, section="exoplanets/transit_search"):
    """Periods searched."""

    period_min: float = Field(0.5, gt=0, description="days")
    period_max: float = Field(30.0, gt=0, description="days; at most half of what was observed")


@dg.asset(
    key=["exoplanets", "transit_search"],
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={"quarters_table": asset_in("quarters")},
)
def transit_search(config: Search, quarters_table: Arrays) -> dg.Output[JsonDict]:
    """The best periodic dip of every star, beside the published period, and what is made of it."""
    stars = quarters.search_stars(quarters_table, config.period_min, config.period_max)
    records = [dg.TableRecord(row) for row in known_planet_rows(stars)]
    recovered = sum(bool(star.get("recovered")) for star in stars)
    known = sum("planet" in star for star in stars)
    return dg.Output(
        {"stars": stars},
        metadata={
            "stars": dg.MetadataValue.table(records),
            "known planets recovered": f"{recovered} of {known}",
        },
    )
