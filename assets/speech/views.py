"""What the web UI shows of the speech assets."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from assets import views
from assets.metadata import picture
from assets.views import Built, Metadata, View, drawing, of_system
from models import data_plots
from models.evaluation import Evaluation
from models.sampling import SPLITS
from models.speech import pictures
from models.speech.corpus import RATE
from models.speech.splits import utterances_in

FIRST = 3
"""Utterances whose features a picture shows."""
WORST = 5


def audio(built: Built) -> Metadata:
    """Show the beginning of the audio."""
    samples = built.value["sample"]
    return {
        "waveform": picture(pictures.waveform(samples)),
        "hours": len(samples) / RATE / 3600,
    }


def corpus(built: Built) -> Metadata:
    """Show how long the utterances are, and the first of them."""
    table = built.value
    return {
        "durations": picture(pictures.durations(table["seconds"].to_numpy())),
        "first utterances": views.head(table, ["key", "speaker", "seconds", "text"]),
    }


def splits(built: Built) -> Metadata:
    """Show how much is said in each split, and by how many speakers."""
    table = built.value
    parts = {name: table[table["split"] == code] for code, name in enumerate(SPLITS)}
    minutes = {name: {"speech": part["seconds"].sum() / 60} for name, part in parts.items()}
    speakers = {f"{name} (speakers)": part["speaker"].nunique() for name, part in parts.items()}
    return {"minutes": picture(data_plots.balance(minutes, x_label="minutes")), **speakers}


def first_utterances(array: str) -> View:
    """Draw a feature of the first utterances of a split, with what is said."""

    def draw(built: Built) -> Mapping[str, bytes]:
        split = str(built.partition).rpartition("_")[2]
        first = utterances_in(of_system(built, "splits"), split).head(FIRST)
        drawn = pictures.features(built.value[array], first, first["text"].tolist())
        return {"first utterances": drawn}

    return drawing(draw)


def scaling(built: Built) -> Metadata:
    """Show mean and spread of each bin and each coefficient."""
    return {
        kind: picture(
            data_plots.spread(
                np.arange(len(fitted["mean"])),
                fitted["mean"],
                fitted["std"],
                x_label="bin" if kind == "spectrogram" else "coefficient",
                y_label="over the training frames",
            )
        )
        for kind, fitted in built.value.items()
    }


def language_model(built: Built) -> Metadata:
    """Show the first words of the vocabulary."""
    files: Mapping[str, bytes] = built.value
    words = files["words.txt"].decode().splitlines()[: 5 * views.LISTED]
    return {"first words": ", ".join(words)}


def worst(table: Any) -> Any:
    """Choose the transcripts with the most wrong words."""
    return table.sort_values("lm_word_errors", ascending=False, kind="stable").head(WORST)


def transcripts(built: Built) -> Metadata:
    """Show the transcripts with the most wrong words."""
    columns = ["text", "lm", "lm_word_errors", "words", "greedy", "speaker"]
    table = built.value
    return {
        "most wrong": views.head(worst(table), columns),
        "without a wrong word": int((table["lm_word_errors"] == 0).sum()),
    }


def evaluation(built: Built) -> Metadata:
    """Show the training, the error rates, and the utterances that were heard worst."""
    name = views.model_of(built)
    result = Evaluation.from_dict(built.value)
    drawn = pictures.results(name, result, views.beside(built, "history"))
    table = views.beside(built, "transcripts")
    frames = built.read("speech/frames", "test")["spectrogram"]
    heard = built.read("speech/utterances", "test").set_index("key").loc[worst(table)["key"]]
    drawn["most wrong"] = pictures.features(frames, heard, heard["text"].tolist())
    return {title: picture(png) for title, png in drawn.items()}


def study(built: Built) -> Metadata:
    """Show the trained models of a study."""
    said = {"said": views.table(built.value["said"])} if built.value["said"] else {}
    return views.comparison(built) | said


VIEWS: dict[str, View] = {
    "audio": audio,
    "corpus": corpus,
    "unspoken": views.rows,
    "splits": splits,
    "utterances": views.rows,
    "frames": first_utterances("spectrogram"),
    "cepstra": first_utterances("mfcc"),
    "scaling": scaling,
    "scaled": first_utterances("frame"),
    "architecture": views.architecture,
    "history": views.history(),
    "language_model": language_model,
    "decoder": drawing(lambda b: {"settings tried": pictures.tried(b.value["tried"])}),
    "transcripts": transcripts,
    "evaluation": evaluation,
    "study_comparison": study,
    "comparison": views.comparison,
    "report": views.report,
}
