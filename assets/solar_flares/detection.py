"""Forecasts for new recordings of active regions."""

import dagster as dg

from assets.detection import Detector, Model
from assets.inbox import Inbox, detection_assets, inbox_sensor
from assets.solar_flares.inputs import statistics_in
from models.arrays import Arrays
from models.solar_flares import detection
from models.types import JsonDict

DETECTOR = Detector(
    system="solar_flares",
    science=detection,
    models={
        "networks": Model("network", "evaluation", partitioned=True),
        "upgrade": Model("upgrade_estimator", "upgrade_evaluation"),
    },
    data="records",
    leading="upgrade",
)


@dg.asset(
    key=["solar_flares", "training_range"],
    io_manager_key="json",
    ins=statistics_in("train"),
)
def training_range(statistics: dict[str, Arrays]) -> JsonDict:
    """Where the training records lie, to warn of recordings that are unlike all of them."""
    return detection.training_range(statistics["train"])


class Recordings(Inbox, section="solar_flares/recording"):
    """Where new series of active regions arrive."""

    _detector = DETECTOR


inbox = detection_assets(Recordings)
sensor = inbox_sensor(Recordings)
