"""Mean and deviation of both features, from the training frames alone."""

from typing import Any

import dagster as dg

from assets.speech.inputs import asset_in
from models.arrays import Arrays
from models.speech.features import scaling_of


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
        "frames": scaling_of(frames["spectrogram"], index, splits),
        "cepstra": scaling_of(cepstra["mfcc"], index, splits),
    }
    return dg.Output(found, metadata={"training frames": found["frames"]["frames"]})
