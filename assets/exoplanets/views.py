"""What the web UI shows of the exoplanet assets."""

from typing import Any

import numpy as np

from assets import views
from assets.exoplanets.inputs import FITTED, MODELS
from assets.exoplanets.training import NETWORKS
from assets.metadata import picture
from assets.views import Built, Metadata, View, drawing, of_system
from models import data_plots
from models.evaluation import Evaluation
from models.exoplanets import pictures, report


def curves(built: Built) -> Metadata:
    """Show a few curves of each class, and how many there are of each kind."""
    counts = pictures.kinds(built.value)
    return {
        "first curves of each class": picture(pictures.curves(built.value)),
        "kinds of star": picture(data_plots.bars(counts, x_label="curves")),
        "host stars": len(np.unique(np.asarray(built.value["host"]))),
        "planets": int(np.sum(np.asarray(built.value["label"]))),
    }


def transit_search(built: Built) -> Metadata:
    """Show the dips that were found, folded."""
    drawn = pictures.folded(of_system(built, "quarters"), built.value["stars"])
    return {"best dip of each star": picture(drawn)}


def own_pictures(title: str, frame: Any, result: Evaluation, built: Built) -> dict[str, bytes]:
    """Draw a model's results."""
    history = views.beside(built, "history") if title in NETWORKS else None
    return pictures.results(title, frame, result, history)


SCORED = views.Scored(
    report.CLASSES,
    lambda built, frame, title: {
        "curves": pictures.scored_curves(of_system(built, "curves"), frame)
    },
)


def of_model(model: str) -> dict[str, View]:
    """Views of a model's own assets."""
    trained: dict[str, View] = (
        {"architecture": views.architecture, "history": views.history()}
        if model in NETWORKS
        else {FITTED[model]: views.estimator}
    )
    return {
        f"{model}_{name}": view
        for name, view in {
            **trained,
            "predictions": views.predictions(SCORED),
            "evaluation": views.evaluation(SCORED, own_pictures),
        }.items()
    }


VIEWS: dict[str, View] = {
    "curves": curves,
    "splits": views.splits(lambda built: built.value["label"], report.CLASSES),
    "scaled": drawing(lambda b: {"channels": pictures.channels(b.value)}),
    "spectra": drawing(lambda b: {"spectra": pictures.spectra(b.value)}),
    "candidates": drawing(lambda b: pictures.candidates(b.value)),
    "quarters": drawing(lambda b: {"light curves": pictures.quarters(b.value)}),
    "transit_search": transit_search,
    **{name: view for model in MODELS for name, view in of_model(model).items()},
    "random_forest_estimator": drawing(lambda b: {"importances": pictures.importances(b.value)}),
    "vetting_cross_validation": drawing(lambda b: {"rounds": pictures.rounds(b.value)}),
    "comparison": views.comparison,
    "report": views.report,
}
