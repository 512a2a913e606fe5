"""What the web UI shows of the solar-flare assets."""

from typing import Any

import numpy as np

from assets import views
from assets.metadata import picture
from assets.views import Built, Metadata, View, drawing, of_system
from models.evaluation import Evaluation
from models.solar_flares import pictures, report


def records(built: Built) -> Metadata:
    """Show a few records, and how many there are."""
    label, region = (np.asarray(built.value[name]) for name in ("label", "region"))
    return {
        "first records of each class": picture(pictures.records(built.value)),
        "active regions": len(np.unique(region)),
        "flares": int(label.sum()),
    }


def own_pictures(title: str, frame: Any, result: Evaluation, built: Built) -> dict[str, bytes]:
    """Draw a model's results; the upgrade has no history."""
    history = views.beside(built, "history") if built.partition else None
    return pictures.results(title.replace("|", " "), frame, result, history)


SCORED = views.Scored(
    report.CLASSES,
    lambda built, frame, title: {
        "records": pictures.scored_records(of_system(built, "records"), frame)
    },
)

RESULTS = {
    "predictions": views.predictions(SCORED),
    "evaluation": views.evaluation(SCORED, own_pictures),
}

VIEWS: dict[str, View] = {
    "records": records,
    "splits": views.splits(lambda built: built.value["label"], report.CLASSES),
    "chance": drawing(lambda b: {"accuracy of guessing": pictures.chance(b.value)}),
    "scaling": drawing(lambda b: {"variation": pictures.variation(b.value)}),
    "sequences": drawing(lambda b: {"sequences": pictures.sequences(b.value)}),
    "steps": drawing(lambda b: {"steps": pictures.steps(b.value)}),
    "statistics": drawing(lambda b: {"statistics": pictures.statistics(b.value)}),
    "architecture": views.architecture,
    "history": views.history("recall"),
    "upgrade_estimator": views.estimator,
    **RESULTS,
    **{f"upgrade_{name}": view for name, view in RESULTS.items()},
    "upgrade_leaky_control": drawing(lambda b: {"confusion": pictures.leak(b.value)}),
    "comparison": views.comparison,
    "report": views.report,
}
