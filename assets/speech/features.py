"""Features of an utterance: log spectrogram and cepstra, frame by frame."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig
from assets.speech.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.speech.features import FILTERS, cepstra_of, index_of, spectrograms_of

CORPUS = {"corpus": asset_in("corpus")}
AUDIO = {"audio": asset_in("audio"), "index": asset_in("index")}


@dg.asset(
    key=["speech", "index"],
    io_manager_key="tables",
    ins=CORPUS | {"splits": asset_in("splits")},
)
def index(corpus: Any, splits: Any) -> Any:
    """The frames, of 10 ms, of each utterance; both features have the same.

    - `key`: the utterance; `start`, `frames`: its frames in the features
    """
    return index_of(corpus, splits)


@dg.asset(
    key=["speech", "frames"],
    io_manager_key="arrays",
    ins=CORPUS | AUDIO,
)
def frames(corpus: Any, audio: Arrays, index: Any) -> Blocks:
    """Log spectrograms of all utterances end to end: 161 bins of 50 Hz.

    - `spectrogram` (frames, 161): natural logarithm of the power, a frame every 10 ms
    """
    return spectrograms_of(audio, corpus, index)


class Cepstra(StageConfig, section="speech/cepstra"):
    """How many coefficients are kept, and so the width of their models' inputs."""

    coefficients: int = Field(FILTERS, ge=1, le=FILTERS, description="26, or 13 of them")


@dg.asset(
    key=["speech", "cepstra"],
    io_manager_key="arrays",
    ins=CORPUS | AUDIO,
)
def cepstra(config: Cepstra, corpus: Any, audio: Arrays, index: Any) -> Blocks:
    """Mel-frequency cepstral coefficients of all utterances end to end.

    - `mfcc` (frames, 26): one without unit in each bin, a frame every 10 ms
    """
    return cepstra_of(audio, corpus, index, config.coefficients)
