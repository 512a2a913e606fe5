"""Both features scaled by mean and standard deviation of the training frames alone."""

from typing import Any

import dagster as dg

from assets.speech.inputs import FEATURES, asset_in
from models.arrays import Arrays, Blocks
from models.scaling import Scaling
from models.speech.features import scaled_of, scaling_of
from models.types import JsonDict


@dg.asset(
    key=["speech", "scaling"],
    io_manager_key="json",
    ins={name: asset_in(name) for name in ("frames", "cepstra", "index", "splits")},
)
def scaling(frames: Arrays, cepstra: Arrays, index: Any, splits: Any) -> dg.Output[JsonDict]:
    """Mean and standard deviation of each bin and each coefficient over the training frames."""
    fitted = {
        "spectrogram": scaling_of(frames["spectrogram"], index, splits).to_dict(),
        "mfcc": scaling_of(cepstra["mfcc"], index, splits).to_dict(),
    }
    return dg.Output(fitted, metadata={"training frames": fitted["mfcc"]["samples"][0]})


@dg.asset(
    key=["speech", "scaled"],
    io_manager_key="arrays",
    partitions_def=FEATURES,
    ins={name: asset_in(name) for name in ("frames", "cepstra", "scaling")},
)
def scaled(
    context: dg.AssetExecutionContext, frames: Arrays, cepstra: Arrays, scaling: JsonDict
) -> Blocks:
    """A feature, standardised by the training frames.

    - `frame` (frames, 161 or 26): standard deviations of a bin, a frame every 10 ms
    """
    kind = context.partition_key
    return scaled_of({**frames, **cepstra}[kind], Scaling.from_dict(scaling[kind]))
