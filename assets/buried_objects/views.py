"""What the web UI shows of the buried-object assets."""

from typing import Any

import numpy as np

from assets import views
from assets.metadata import picture
from assets.views import Built, Metadata, View, drawing, of_system
from models import data_plots, plots
from models.buried_objects import pictures, report
from models.evaluation import Evaluation


def first_scans(built: Built) -> Metadata:
    """Show the scans' labels, and the first scans: the traces are stored before their labels."""
    drawn = pictures.first_scans(of_system(built, "scans")["ez"], built.value)
    spans = {"traces over an object": picture(pictures.labels(built.value))}
    return spans | {title: picture(png) for title, png in drawn.items()}


def scene(built: Built) -> Metadata:
    """Show where the objects lie, and the first scenes."""
    return {"objects": picture(pictures.scenes(built.value)), "scenes": views.head(built.value)}


def own_pictures(title: str, frame: Any, result: Evaluation, built: Built) -> dict[str, bytes]:
    """Draw a model's results on the test scans."""
    scans, history = of_system(built, "scans"), views.beside(built, "history")
    labels, scores = frame["label"].to_numpy(), frame["smoothed"].to_numpy()
    decided = plots.decisions(
        labels, scores, result.threshold, result.counts, classes=report.KINDS, title=title
    )
    return decided | pictures.results(title, frame, result, scans, history)


SCORED = views.Scored(
    report.KINDS,
    lambda built, frame, title: {},
    score="smoothed",
)


def evaluation(built: Built) -> Metadata:
    """Show a model's results, and the scans that it decides most wrongly."""
    shown = views.evaluation(SCORED, own_pictures)(built)
    name, table = views.model_of(built), views.beside(built, "predictions")
    worst = pictures.worst_scans(table, of_system(built, "scans")["ez"], title=name)
    return shown | {f"most wrong: {title}": picture(png) for title, png in worst.items()}


RESULTS = {
    "architecture": views.architecture,
    "history": views.history(),
    "predictions": views.predictions(SCORED),
    "evaluation": evaluation,
}

VIEWS: dict[str, View] = {
    "scans": drawing(lambda b: {"traces": pictures.traces(b.value["ez"])}),
    "labels": first_scans,
    "scene": scene,
    "splits": views.splits(lambda built: of_system(built, "labels")["label"], report.KINDS),
    "windows": drawing(
        lambda b: {"windows": data_plots.bars(pictures.windows(b.value), x_label="windows")}
    ),
    "scaling": drawing(lambda b: {"gain": pictures.gain(b.value)}),
    "projected": drawing(
        lambda b: {
            "features": pictures.projected(
                b.value["values"], np.asarray(of_system(b, "labels")["scan"])
            )
        }
    ),
    **RESULTS,
    **{f"upgrade_{name}": view for name, view in RESULTS.items()},
    "order_study": drawing(lambda b: {"F1 by batch": report.order_picture(b.value)}),
    "comparison": views.comparison,
    "report": views.report,
}
