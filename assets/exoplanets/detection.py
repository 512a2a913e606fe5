"""Verdicts on new light curves."""

import dagster as dg

from assets.detection import Detector, Model
from assets.exoplanets.inputs import FITTED, MODELS, split_in
from assets.inbox import Inbox, detection_assets, inbox_sensor
from models.arrays import Arrays
from models.exoplanets import detection
from models.types import JsonDict

DETECTOR = Detector(
    system="exoplanets",
    science=detection,
    models={
        model: Model(f"{model}_{FITTED.get(model, 'network')}", f"{model}_evaluation")
        for model in MODELS
    },
    data="curves",
    leading=detection.SEARCH,
)


@dg.asset(
    key=["exoplanets", "training_range"],
    io_manager_key="json",
    ins={
        "candidates": split_in("candidates", splits=["train"]),
        "spectra": split_in("spectra", splits=["train"]),
        "scaled": split_in("scaled", splits=["test"]),
    },
)
def training_range(
    candidates: dict[str, Arrays], spectra: dict[str, Arrays], scaled: dict[str, Arrays]
) -> JsonDict:
    """Where the training curves lie, and how often the transit search errs on test curves."""
    return detection.training_range(candidates["train"], spectra["train"], scaled["test"])


class Recordings(Inbox, section="exoplanets/recording"):
    """Where new light curves arrive."""

    _detector = DETECTOR


inbox = detection_assets(Recordings)
sensor = inbox_sensor(Recordings)
