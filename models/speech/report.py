"""Pictures, the comparison of each study, the comparison of all models, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models import plots
from models.evaluation import Evaluation
from models.intervals import Metric
from models.reporting import Picture, Report, Section, Sound
from models.reporting import report as render
from models.speech import pictures as speech_pictures
from models.speech.corpus import audio_of
from models.speech.designs import ALL
from models.speech.published import BEST_LOSSES
from models.speech.studies import STUDIES
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 5
"""Transcripts that a comparison and the report show side by side."""

METRICS = ("wer_lm", "wer_beam", "wer_greedy", "cer_lm", "cer_greedy")


def pictures(title: str, evaluation: Evaluation, history: JsonDict) -> dict[str, bytes]:
    """Draw a model's training, and its error rates."""
    rates = {name: evaluation.metrics[name] for name in METRICS}
    return {
        "training": plots.learning_curves(
            history["values"], best_epoch=history["best_epoch"], title=title
        ),
        "error rates": plots.comparison(rates, {}, x_label="error rate", title=title),
    }


def study_comparison(name: str, results: Mapping[str, Mapping[str, Any]]) -> JsonDict:
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
    their validation loss by epoch; ``said``, transcripts of some test utterances by each model.
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
    architecture: JsonDict,
    history: JsonDict,
    evaluation: JsonDict,
) -> JsonDict:
    best = int(history["best_epoch"])
    return {
        "model": model,
        "feature": architecture["feature"],
        "parameters": architecture["parameters"],
        "epochs": history["epochs"],
        "best epoch": best,
        "validation loss": history["values"]["val_loss"][best - 1],
        **{name: evaluation["metrics"][name] for name in METRICS},
    }


def _side_by_side(transcripts: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Return the first test utterances, the reference beside each model's transcripts."""
    if not transcripts:
        return []
    first = next(iter(transcripts.values()))
    rows = []
    for place in range(min(EXAMPLES, len(first))):
        row = {"said": str(first["text"].iat[place])}
        for model, table in transcripts.items():
            kind = ALL[model].feature
            for search in ("greedy", "lm"):
                row[f"{model} ({kind}), {search}"] = str(table[search].iat[place])
        rows.append(row)
    return rows


def study_picture(compared: JsonDict) -> bytes:
    """Draw the validation losses of a study's trained models."""
    return speech_pictures.validation_losses(
        compared["losses"], title=compared["study"].replace("_", " ")
    )


def standing(compared: JsonDict) -> str:
    """Name in a sentence the best model of a study, and those not trained."""
    missing = compared["not_trained"]
    left = f"Not trained yet: {', '.join(missing)}." if missing else "All are trained."
    rows = compared["rows"]
    if not rows:
        return left
    best = min(rows, key=lambda row: float(row["validation loss"]))
    return f"Least validation loss: {best['model']}, {best['validation loss']:.1f}. {left}"


def comparison(studies: Mapping[str, JsonDict]) -> JsonDict:
    """Compare all trained models: ``title``, ``rows`` and ``notes``."""
    rows = {row["model"]: row for compared in studies.values() for row in compared["rows"]}
    missing = [name for name in ALL if name not in rows]
    low, high = BEST_LOSSES
    return {
        "title": "speech: all trained models on test utterances of unseen speakers and unseen "
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


def comparison_picture(compared: JsonDict) -> bytes:
    """Draw the word error rate, with the language model, of every trained model."""
    rates = {row["model"]: Metric.from_dict(row["wer_lm"]) for row in compared["rows"]}
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
    drawn = speech_pictures.utterance(
        audio,
        np.asarray(data["frames"]["spectrogram"][frames]),
        np.asarray(data["cepstra"]["mfcc"][frames]),
    )
    caption = f"{row.text} ({row.key}, speaker {row.speaker})"
    return Section(
        "The models' inputs",
        pictures=[Picture("example", drawn, f"waveform, spectrogram and cepstra: {caption}")],
        sounds=[Sound("example", speech_pictures.sound(audio), caption)],
    )


def report(
    compared: JsonDict,
    studies: Mapping[str, JsonDict],
    data: Mapping[str, Any],
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    studies
        By name, from `study_comparison`.
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
            "References and transcripts",
            prose=["The first test utterances, by every trained model."],
            table=_transcripts(studies),
        ),
    ]
    for name, study_ in studies.items():
        drawn = [Picture(f"{name} losses", study_picture(study_), "validation loss by epoch")]
        sections.append(
            Section(
                name.replace("_", " "),
                prose=[study_["question"], standing(study_)],
                table=study_["rows"],
                pictures=drawn if study_["rows"] else [],
            )
        )
    return render("Speech: what was said?", sections)


def _transcripts(studies: Mapping[str, JsonDict]) -> list[dict[str, str]]:
    """Return a row for each example utterance and model, and for its reference."""
    texts: dict[str, dict[str, str]] = {}
    for compared in studies.values():
        for texts_of in compared["said"]:
            texts.setdefault(texts_of["said"], {}).update(texts_of)
    return [
        {"model": model, "text": text}
        for texts_of in texts.values()
        for model, text in texts_of.items()
    ]
