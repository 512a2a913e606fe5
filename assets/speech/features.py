"""Features of an utterance: log spectrogram and cepstra, frame by frame."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig
from assets.speech.inputs import AUDIO
from assets.wiring import BY_SPLIT
from models.arrays import Arrays, Blocks
from models.speech.features import FILTERS, cepstra_of, spectrograms_of
from models.speech.splits import rows_in


@dg.asset(
    key=["speech", "frames"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=AUDIO,
)
def frames(context: dg.AssetExecutionContext, audio: Arrays, splits: Any) -> Blocks:
    """Log spectrograms of the utterances of a split, end to end: 161 bins of 50 Hz.

    - `spectrogram` (frames, 161): natural logarithm of the power, a frame every 10 ms
    """
    return spectrograms_of(audio, rows_in(splits, context.partition_key))


class Cepstra(StageConfig, section="speech/cepstra"):
    """How many coefficients are kept, and so the width of their models' inputs."""

    coefficients: int = Field(FILTERS, ge=1, le=FILTERS, description="26, or 13 of them")


@dg.asset(
    key=["speech", "cepstra"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=AUDIO,
)
def cepstra(
    context: dg.AssetExecutionContext, config: Cepstra, audio: Arrays, splits: Any
) -> Blocks:
    """Mel-frequency cepstral coefficients of the utterances of a split, end to end.

    - `mfcc` (frames, 26): one without unit in each bin, a frame every 10 ms
    """
    return cepstra_of(audio, rows_in(splits, context.partition_key), config.coefficients)
