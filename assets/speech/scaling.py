"""Both features scaled by mean and standard deviation of the training frames alone."""

import dagster as dg

from assets.speech.inputs import FEATURES, OF_SPLIT, asset_in, split_in
from models.arrays import Arrays, Blocks
from models.scaling import Scaling
from models.speech.features import scaled_of, scaling_of
from models.types import JsonDict


@dg.asset(
    key=["speech", "scaling"],
    io_manager_key="json",
    ins={name: split_in(name, splits=["train"]) for name in ("frames", "cepstra")},
)
def scaling(frames: dict[str, Arrays], cepstra: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """Mean and standard deviation of each bin and each coefficient over the training frames."""
    fitted = {
        "spectrogram": scaling_of(frames["train"]["spectrogram"]).to_dict(),
        "mfcc": scaling_of(cepstra["train"]["mfcc"]).to_dict(),
    }
    return dg.Output(fitted, metadata={"training frames": fitted["mfcc"]["samples"][0]})


@dg.asset(
    key=["speech", "scaled"],
    io_manager_key="arrays",
    partitions_def=FEATURES,
    ins={
        "frames": asset_in("frames", partitions=OF_SPLIT),
        "cepstra": asset_in("cepstra", partitions=OF_SPLIT),
        "scaling": asset_in("scaling"),
    },
)
def scaled(
    context: dg.AssetExecutionContext, frames: Arrays, cepstra: Arrays, scaling: JsonDict
) -> Blocks:
    """A feature of a split, standardised by the training frames.

    - `frame` (frames, 161 or 26): standard deviations of a bin, a frame every 10 ms
    """
    kind = context.partition_key.partition("_")[0]
    return scaled_of({**frames, **cepstra}[kind], Scaling.from_dict(scaling[kind]))
