"""The speech results put together: comparisons of each study, all of them, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models import plots
from models.reporting import Picture, Report, Section, Sound
from models.reporting import report as render
from models.speech import pictures
from models.speech.corpus import audio_of
from models.speech.designs import ALL
from models.speech.published import BEST_LOSSES
from models.speech.studies import STUDIES

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
"""Transcripts that a comparison and the report show side by side."""

MEASURES = ("wer_lm", "wer_beam", "wer_greedy", "cer_lm", "cer_greedy")


def model_pictures(
    title: str, judged: Mapping[str, Any], history: Mapping[str, Any]
) -> dict[str, bytes]:
    """Draw a model's training, and its error rates."""
    rates = {name: judged["metrics"][name] for name in MEASURES}
    return {
        "training": plots.learning_curves(
            history["values"], best_epoch=history["best_epoch"], title=title
        ),
        "error rates": plots.comparison(rates, {}, x_label="error rate", title=title),
    }


def study(name: str, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the trained models of a study, and name those that are not trained.

    Parameters
    ----------
    name
        One of `models.speech.studies.STUDIES`.
    results
        ``architectures``, ``histories``, ``evaluations`` and ``transcripts``, each by trained
        model; empty where none is trained.

    Returns
    -------
    ``question``, ``trained``, ``not_trained``; ``rows``, a table of the trained ones; ``losses``,
    their validation loss by epoch; ``said``, some test utterances as each model heard them.
    """
    asked = STUDIES[name]
    trained = [model for model in asked.models if model in results.get("histories", {})]
    return {
        "study": name,
        "question": asked.question,
        "trained": trained,
        "not_trained": [model for model in asked.models if model not in trained],
        "rows": [
            _row(model, *(results[k][model] for k in ("architectures", "histories", "evaluations")))
            for model in trained
        ],
        "losses": {m: results["histories"][m]["values"]["val_loss"] for m in trained},
        "said": _side_by_side({model: results["transcripts"][model] for model in trained}),
    }


def _row(
    model: str,
    architecture: Mapping[str, Any],
    history: Mapping[str, Any],
    judged: Mapping[str, Any],
) -> dict[str, Any]:
    best = int(history["best_epoch"])
    return {
        "model": model,
        "feature": architecture["feature"],
        "parameters": architecture["parameters"],
        "epochs": history["epochs"],
        "best epoch": best,
        "validation loss": history["values"]["val_loss"][best - 1],
        **{name: judged["metrics"][name] for name in MEASURES},
    }


def _side_by_side(transcripts: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Give the first test utterances, what was said beside what each model heard."""
    if not transcripts:
        return []
    first = next(iter(transcripts.values()))
    rows = []
    for place in range(min(SHOWN, len(first))):
        row = {"said": str(first["text"].iat[place])}
        for model, table in transcripts.items():
            kind = ALL[model].feature
            for search in ("greedy", "lm"):
                row[f"{model} ({kind}), {search}"] = str(table[search].iat[place])
        rows.append(row)
    return rows


def study_picture(compared: Mapping[str, Any]) -> bytes:
    """Draw the validation losses of a study's trained models."""
    return pictures.validation_losses(compared["losses"], title=compared["study"].replace("_", " "))


def standing(compared: Mapping[str, Any]) -> str:
    """Say in a sentence which models of a study are trained, and which is best."""
    missing = compared["not_trained"]
    left = f"Not trained yet: {', '.join(missing)}." if missing else "All are trained."
    rows = compared["rows"]
    if not rows:
        return left
    best = min(rows, key=lambda row: float(row["validation loss"]))
    return f"Least validation loss: {best['model']}, {best['validation loss']:.1f}. {left}"


def comparison(studies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Compare all trained models: ``title``, ``rows`` and ``notes``."""
    rows = {row["model"]: row for compared in studies.values() for row in compared["rows"]}
    missing = [name for name in ALL if name not in rows]
    low, high = BEST_LOSSES
    return {
        "title": "speech: all trained models on test utterances of unheard speakers and unread "
        "texts, with 95 % intervals by speaker",
        "rows": [rows[name] for name in ALL if name in rows],
        "notes": [
            "wer and cer: word and character error rate; greedy: best symbol at each output; beam: "
            "likeliest text; lm: with lexicon and word n-grams of training texts.",
            f"Published: a validation loss of about {low:g} to {high:g} for the best models, on "
            "LibriSpeech (losses grow with the length of an utterance: compare on the same data); "
            "no error rate.",
            f"{len(rows)} of {len(ALL)} models are trained; not trained: {_ranges(missing)}.",
        ],
    }


def _ranges(names: Sequence[str]) -> str:
    """Name models briefly: neighbours as ``s000-s006``."""
    if not names:
        return "none"
    order = list(ALL)
    runs: list[list[str]] = []
    for name in names:
        if runs and order.index(name) == order.index(runs[-1][-1]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def comparison_picture(compared: Mapping[str, Any]) -> bytes:
    """Draw the word error rate, with the language model, of every trained model."""
    rates = {row["model"]: row["wer_lm"] for row in compared["rows"]}
    return plots.comparison(rates, {}, x_label="word error rate with language model")


def example(data: Mapping[str, Any]) -> Section:
    """Show an utterance: its sound, waveform, spectrogram and cepstra.

    Parameters
    ----------
    data
        ``corpus``, ``audio``, ``index``, ``frames`` and ``cepstra``; the first of the index is
        shown.
    """
    place = next(data["index"].itertuples())
    row = next(data["corpus"][data["corpus"]["key"] == place.key].itertuples())
    audio = audio_of(data["audio"]["sample"], row)
    frames = slice(int(place.start), int(place.start) + int(place.frames))
    drawn = pictures.utterance(
        audio,
        np.asarray(data["frames"]["spectrogram"][frames]),
        np.asarray(data["cepstra"]["mfcc"][frames]),
    )
    caption = f"{row.text} ({row.key}, speaker {row.speaker})"
    return Section(
        "What the models hear",
        pictures=[Picture("example", drawn, f"waveform, spectrogram and cepstra: {caption}")],
        sounds=[Sound("example", pictures.sound(audio), caption)],
    )


def report(
    compared: Mapping[str, Any],
    studies: Mapping[str, Mapping[str, Any]],
    data: Mapping[str, Any],
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    studies
        By name, from `study`.
    data
        What `example` reads.
    """
    sections = [
        Section(
            "All trained models",
            prose=compared["notes"],
            table=compared["rows"],
            pictures=[Picture("error rates", comparison_picture(compared), "by speaker")],
        ),
        example(data),
        Section(
            "What was said, what was heard",
            prose=["The first test utterances, by every trained model."],
            table=_heard(studies),
        ),
    ]
    for name, held in studies.items():
        drawn = [Picture(f"{name} losses", study_picture(held), "validation loss by epoch")]
        sections.append(
            Section(
                name.replace("_", " "),
                prose=[held["question"], standing(held)],
                table=held["rows"],
                pictures=drawn if held["rows"] else [],
            )
        )
    return render("Speech: what was said?", sections)


def _heard(studies: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Give a row for each shown utterance and model, and for what was said."""
    texts: dict[str, dict[str, str]] = {}
    for held in studies.values():
        for heard in held["said"]:
            texts.setdefault(heard["said"], {}).update(heard)
    return [
        {"model": model, "text": text} for heard in texts.values() for model, text in heard.items()
    ]
