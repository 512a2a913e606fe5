"""Both features scaled by mean and deviation of the training frames alone."""

from typing import Any

import dagster as dg

from assets.speech.inputs import FEATURES, asset_in
from models.arrays import Arrays, Blocks
from models.speech.features import scaled_of, scaling_of


@dg.asset(
    key=["speech", "scaling"],
    group_name="speech",
    tags={"stage": "scaling"},
    io_manager_key="json",
    ins={name: asset_in(name) for name in ("frames", "cepstra", "index", "splits")},
)
def scaling(frames: Arrays, cepstra: Arrays, index: Any, splits: Any) -> dg.Output[dict[str, Any]]:
    """Mean and standard deviation of each bin and each coefficient over the training frames."""
    found = {
        "spectrogram": scaling_of(frames["spectrogram"], index, splits),
        "mfcc": scaling_of(cepstra["mfcc"], index, splits),
    }
    return dg.Output(found, metadata={"training frames": found["mfcc"]["frames"]})


@dg.asset(
    key=["speech", "scaled"],
    group_name="speech",
    tags={"stage": "scaling"},
    io_manager_key="arrays",
    partitions_def=FEATURES,
    ins={name: asset_in(name) for name in ("frames", "cepstra", "scaling")},
)
def scaled(
    context: dg.AssetExecutionContext, frames: Arrays, cepstra: Arrays, scaling: dict[str, Any]
) -> Blocks:
    """A feature as its models read it: less the training frames' mean, over their deviation."""
    kind = context.partition_key
    return scaled_of({**frames, **cepstra}[kind], scaling[kind])
