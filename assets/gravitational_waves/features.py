"""What models that don't look at the image itself see of it."""

from typing import Any

import dagster as dg

from assets.gravitational_waves.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.gravitational_waves import fitting

IMAGES = {"images": asset_in("images"), "scaling": asset_in("scaling")}


@dg.asset(
    key=["gravitational_waves", "columns"],
    group_name="gravitational_waves",
    tags={"stage": "features"},
    io_manager_key="arrays",
    ins=IMAGES,
)
def columns(images: Arrays, scaling: dict[str, Any]) -> Blocks:
    """Standardised columns in the order of time, pooled in pairs, (85, 70)."""
    return fitting.columns_of(images, scaling)


@dg.asset(
    key=["gravitational_waves", "pixels"],
    group_name="gravitational_waves",
    tags={"stage": "features"},
    io_manager_key="arrays",
    ins=IMAGES,
)
def pixels(images: Arrays, scaling: dict[str, Any]) -> Blocks:
    """Means of 5 x 5 standardised pixels, (952,)."""
    return fitting.pixels_of(images, scaling)
