"""Transcripts of new recordings."""

from typing import Any

import dagster as dg

from assets.detection import Detector, Model
from assets.inbox import Inbox, detection_assets, inbox_sensor
from assets.speech.inputs import TRAINED, asset_in, split_in
from models.arrays import Arrays
from models.speech import detection
from models.types import JsonDict

DETECTOR = Detector(
    system="speech",
    science=detection,
    models={
        "networks": Model(
            "network",
            "evaluation",
            partitioned=True,
            names=TRAINED,
            others={"architecture": "architecture", "decoder": "decoder"},
            shared={"language_model": "language_model"},
        )
    },
    data="corpus",
    leading="swift",
    large=detection.LARGE,
)


@dg.asset(
    key=["speech", "training_range"],
    io_manager_key="json",
    ins={
        "utterances": split_in("utterances", splits=["train"]),
        "frames": split_in("frames", splits=["train"]),
        "tally": asset_in("tally"),
    },
)
def training_range(
    utterances: dict[str, Any], frames: dict[str, Arrays], tally: JsonDict
) -> JsonDict:
    """Where the training utterances lie, to warn of recordings that are unlike all of them."""
    return detection.training_range(utterances["train"], frames["train"], tally)


class Recordings(Inbox, section="speech/recording"):
    """Where new recordings arrive."""

    _detector = DETECTOR


inbox = detection_assets(Recordings)
sensor = inbox_sensor(Recordings)
