"""Features of models that don't read the image itself."""

import dagster as dg

from assets.gravitational_waves.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.gravitational_waves.features import columns_of, pixels_of
from models.scaling import Scaling
from models.types import JsonDict

IMAGES = {"images": asset_in("images"), "scaling": asset_in("scaling")}


@dg.asset(
    key=["gravitational_waves", "columns"],
    io_manager_key="arrays",
    ins=IMAGES,
)
def columns(images: Arrays, scaling: JsonDict) -> Blocks:
    """Standardised columns in the order of time, pooled in pairs, (85, 70).

    - `values` (n, 85, 70): time, then frequency; standard deviations of a row of frequency
    """
    return columns_of(images, Scaling.from_dict(scaling))


@dg.asset(
    key=["gravitational_waves", "pixels"],
    io_manager_key="arrays",
    ins=IMAGES,
)
def pixels(images: Arrays, scaling: JsonDict) -> Blocks:
    """Means of 5 x 5 standardised pixels, (952,).

    - `values` (n, 952): 28 rows of frequency by 34 of time; standard deviations
    """
    return pixels_of(images, Scaling.from_dict(scaling))
