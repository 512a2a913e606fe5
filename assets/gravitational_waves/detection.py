"""Chirps in new strain and new spectrograms."""

import dagster as dg

from assets.detection import Detector, Model
from assets.gravitational_waves.inputs import MODELS, NETWORKS, split_in
from assets.inbox import Inbox, detection_assets, inbox_sensor
from models.arrays import Arrays
from models.gravitational_waves import detection
from models.types import JsonDict

DETECTOR = Detector(
    system="gravitational_waves",
    science=detection,
    models={
        model: Model(
            f"{model}_{'network' if model in NETWORKS else 'estimator'}",
            f"{model}_evaluation",
        )
        for model in MODELS
    },
    data="images",
    leading="upgrade",
)


@dg.asset(
    key=["gravitational_waves", "training_range"],
    io_manager_key="json",
    ins={"pixels": split_in("pixels", splits=["train"])},
)
def training_range(pixels: dict[str, Arrays]) -> JsonDict:
    """Where the training images lie, to warn of spectrograms that are unlike all of them."""
    return detection.training_range(pixels["train"])


class Recordings(Inbox, section="gravitational_waves/recording"):
    """Where new strain and new spectrograms arrive."""

    _detector = DETECTOR


inbox = detection_assets(Recordings)
sensor = inbox_sensor(Recordings)
