"""What the web UI shows of the buried-object assets."""

from typing import Any

from assets import views
from assets.metadata import picture
from assets.views import Built, Metadata, View, drawing
from models import data_plots, plots
from models.arrays import Arrays
from models.buried_objects import pictures, report
from models.evaluation import Evaluation


def examples(built: Built) -> Metadata:
    """Show the first scans of a split with their spans, and how many windows each batch has."""
    windows = data_plots.bars(pictures.windows(built.value), x_label="windows")
    drawn = pictures.first_scans(built.value) | {"windows": windows}
    return {title: picture(png) for title, png in drawn.items()}


def scene(built: Built) -> Metadata:
    """Show where the objects lie, and the first scenes."""
    return {"objects": picture(pictures.scenes(built.value)), "scenes": views.head(built.value)}


def tested(built: Built) -> Arrays:
    """Read the test scans."""
    read: Arrays = built.read("buried_objects/examples", "test")
    return read


def own_pictures(title: str, frame: Any, result: Evaluation, built: Built) -> dict[str, bytes]:
    """Draw a model's results on the test scans."""
    test, history = tested(built), views.beside(built, "history")
    labels, scores = frame["label"].to_numpy(), frame["smoothed"].to_numpy()
    decided = plots.decisions(
        labels, scores, result.threshold, result.counts, classes=report.KINDS, title=title
    )
    return decided | pictures.results(title, frame, result, test, history)


SCORED = views.Scored(
    report.KINDS,
    lambda built, frame, title: {},
    score="smoothed",
)


def evaluation(built: Built) -> Metadata:
    """Show a model's results, and the scans that it decides most wrongly."""
    shown = views.evaluation(SCORED, own_pictures)(built)
    name, table = views.model_of(built), views.beside(built, "predictions")
    worst = pictures.worst_scans(table, tested(built)["ez"], title=name)
    return shown | {f"most wrong: {title}": picture(png) for title, png in worst.items()}


RESULTS = {
    "architecture": views.architecture,
    "history": views.history(),
    "predictions": views.predictions(SCORED),
    "evaluation": evaluation,
}

VIEWS: dict[str, View] = {
    "scans": drawing(lambda b: {"traces": pictures.traces(b.value["ez"])}),
    "labels": drawing(lambda b: {"traces over an object": pictures.labels(b.value)}),
    "scene": scene,
    "splits": views.splits(lambda built: built.value["label"], report.KINDS),
    "examples": examples,
    "scaling": drawing(lambda b: {"gain": pictures.gain(b.value)}),
    "projected": drawing(lambda b: {"features": pictures.projected(b.value)}),
    **RESULTS,
    **{f"upgrade_{name}": view for name, view in RESULTS.items()},
    "order_study": drawing(lambda b: {"F1 by batch": report.order_picture(b.value)}),
    "comparison": views.comparison,
    "report": views.report,
}
