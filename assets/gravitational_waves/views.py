"""What the web UI shows of the gravitational-wave assets."""

from typing import Any

from assets import views
from assets.gravitational_waves.inputs import MODELS, NETWORKS, SIMULATED
from assets.metadata import picture
from assets.views import Built, Metadata, View, drawing, of_system
from models import data_plots
from models.evaluation import Evaluation
from models.gravitational_waves import pictures, report
from models.gravitational_waves.networks import BANDS, STEPS
from models.gravitational_waves.splits import is_positive


def images(built: Built) -> Metadata:
    """Show the first spectrogram of each class, and how many there are."""
    counts = pictures.classes(built.value["label"])
    return {
        "first of each class": picture(report.example_picture(built.value)),
        "classes": picture(data_plots.bars(counts, x_label="spectrograms")),
        **{f"{name} (spectrograms)": count for name, count in counts.items()},
    }


def examples(built: Built) -> Metadata:
    """Show the images of a split, or the first simulated chirps and how loud they are."""
    if built.partition not in SIMULATED:
        return images(built)
    return {
        "first chirps": picture(pictures.simulated(built.value)),
        "signal-to-noise": picture(pictures.loudness(built.value)),
    }


def is_chirp(built: Built) -> Any:
    """Read which images are of the class looked for."""
    return is_positive(built.value["class"][:], of_system(built, "classes"))


def own_pictures(title: str, frame: Any, result: Evaluation, built: Built) -> dict[str, bytes]:
    """Draw a model's results."""
    history = views.beside(built, "history") if title in NETWORKS else None
    return pictures.results(title, frame, result, history)


SCORED = views.Scored(
    report.KINDS,
    lambda built, frame, title: {
        "images": pictures.scored_images(of_system(built, "images"), frame)
    },
    label="chirp",
    part=lambda frame: frame[frame["split"] == "test"],
)


def of_model(model: str) -> dict[str, View]:
    """Views of a model's own assets."""
    trained: dict[str, View] = (
        {"architecture": views.architecture, "history": views.history()}
        if model in NETWORKS
        else {"estimator": views.estimator}
    )
    own: dict[str, View] = {
        **trained,
        "predictions": views.predictions(SCORED),
        "evaluation": views.evaluation(SCORED, own_pictures),
    }
    return {f"{model}_{name}": view for name, view in own.items()}


VIEWS: dict[str, View] = {
    "images": images,
    "classes": drawing(
        lambda b: {"mean of each": pictures.chirp_and_rest(of_system(b, "images"), b.value)}
    ),
    "splits": views.splits(is_chirp, report.KINDS),
    "examples": examples,
    "scaling": drawing(lambda b: {"energy": pictures.scaling(b.value)}),
    "columns": drawing(lambda b: {"columns": pictures.pooled(b.value, (BANDS, STEPS))}),
    "pixels": drawing(lambda b: {"pixels": pictures.pixels(b.value)}),
    **{name: view for model in MODELS for name, view in of_model(model).items()},
    "comparison": views.comparison,
    "report": views.report,
}
