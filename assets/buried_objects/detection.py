"""Buried objects in new radar scans."""

import dagster as dg

from assets.buried_objects.inputs import asset_in, split_in
from assets.detection import Detector, Model
from assets.inbox import Inbox, detection_assets, inbox_sensor
from models.arrays import Arrays
from models.buried_objects import detection
from models.types import JsonDict

DETECTOR = Detector(
    system="buried_objects",
    science=detection,
    models={
        "networks": Model("network", "evaluation", partitioned=True),
        "upgrade": Model("upgrade_network", "upgrade_evaluation"),
    },
    data="scans",
    leading="upgrade",
    large=detection.LARGE,
)


@dg.asset(
    key=["buried_objects", "training_range"],
    io_manager_key="json",
    ins={
        "examples": split_in("examples", splits=["train"]),
        "projected": split_in("projected", splits=["train"]),
        "scaling": asset_in("scaling"),
    },
)
def training_range(
    examples: dict[str, Arrays], projected: dict[str, Arrays], scaling: JsonDict
) -> JsonDict:
    """Where the training scans lie, to level new ones, and to warn of those unlike all of them."""
    return detection.training_range(examples["train"], projected["train"], scaling)


class Recordings(Inbox, section="buried_objects/recording"):
    """Where new radar scans arrive."""

    _detector = DETECTOR


inbox = detection_assets(Recordings)
sensor = inbox_sensor(Recordings)
