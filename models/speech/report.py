"""The comparison of each study, the comparison of all models, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import Arrays
from models.intervals import Metric
from models.reporting import Axis, Chart, Image, Page, Report, Section, Series, Sound
from models.reporting import report as render
from models.reporting.charts import QUIET, heat
from models.reporting.figures import comparison_chart
from models.speech import pictures as speech_pictures
from models.speech.corpus import RATE, audio_of
from models.speech.designs import ALL
from models.speech.evaluation import METRICS
from models.speech.features import spectrogram
from models.speech.published import BEST_LOSSES
from models.speech.splits import rows_in
from models.speech.studies import STUDIES
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 5
"""Transcripts that a comparison and the report show side by side."""

MISHEARD = 20
"""Utterances that a study keeps of those with the most wrong words."""

PAGES = 3
LONGEST = 12.0
"""Seconds of an utterance that has a page: its sound is part of the report."""

COLUMNS = 600
"""Pieces of an utterance that a chart shows at most."""

RATES = "word error rate with language model"


def study_comparison(name: str, results: Mapping[str, Mapping[str, Any]]) -> JsonDict:
    """Compare the trained models of a study, and name those that are not trained.

    Parameters
    ----------
    name
        One of `models.speech.studies.STUDIES`.
    results
        ``histories``, ``evaluations`` and ``transcripts``, each by trained model; empty where none
        is trained.

    Returns
    -------
    ``question``, ``trained``, ``not_trained``; ``rows``, a table of the trained ones; ``losses``,
    their validation loss by epoch; ``said``, transcripts of some test utterances by each model;
    ``misheard``, the utterances with the largest share of wrong words.
    """
    asked = STUDIES[name]
    trained = [model for model in asked.models if model in results["histories"]]
    return {
        "study": name,
        "question": asked.question,
        "trained": trained,
        "not_trained": [model for model in asked.models if model not in trained],
        "rows": [
            _row(model, results["histories"][model], results["evaluations"][model])
            for model in trained
        ],
        "losses": {m: results["histories"][m]["values"]["val_loss"] for m in trained},
        "said": _side_by_side({model: results["transcripts"][model] for model in trained}),
        "misheard": _misheard({model: results["transcripts"][model] for model in trained}),
    }


def _row(model: str, history: JsonDict, evaluation: JsonDict) -> JsonDict:
    best = int(history["best_epoch"])
    return {
        "model": model,
        "feature": ALL[model].feature,
        "parameters": history["network"]["parameters"],
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


def _misheard(transcripts: Mapping[str, pd.DataFrame]) -> list[JsonDict]:
    """Return the test utterances with the largest share of wrong words, over all models."""
    if not transcripts:
        return []
    tables = list(transcripts.values())
    wrong = np.mean([table["lm_word_errors"] / table["words"] for table in tables], axis=0)
    worst = np.argsort(-wrong, kind="stable")[:MISHEARD]
    return [
        {
            "key": str(tables[0]["key"].iat[place]),
            "wrong": float(wrong[place]),
            "heard": [
                {
                    "model": model,
                    "heard": str(table["lm"].iat[place]),
                    "wrong words": int(table["lm_word_errors"].to_numpy()[place]),
                }
                for model, table in transcripts.items()
            ],
        }
        for place in worst.tolist()
        if wrong[place] > 0
    ]


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
    """Compare all trained models: ``title``, ``rows``, ``notes`` and, as given, ``studies``.

    Parameters
    ----------
    studies
        By name, from `study_comparison`.
    """
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
        "studies": dict(studies),
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
    return plots.comparison(_rates(compared), {}, x_label=RATES)


def _rates(compared: JsonDict) -> dict[str, Metric]:
    return {row["model"]: Metric.from_dict(row["wer_lm"]) for row in compared["rows"]}


def example(data: Mapping[str, Any]) -> Section:
    """Show an utterance: its sound, waveform, spectrogram and cepstra.

    Parameters
    ----------
    data
        ``splits`` and ``audio``; ``cepstra`` of the test split, whose first utterance is shown.
    """
    row = next(rows_in(data["splits"], "test").itertuples())
    return _utterance("The models' inputs", "example", row, data["audio"], data["cepstra"])


def misheard_pages(studies: Mapping[str, JsonDict], data: Mapping[str, Any]) -> list[Page]:
    """Write a page for each of the worst heard test utterances that isn't long."""
    found: dict[str, tuple[float, dict[str, JsonDict]]] = {}
    for compared in studies.values():
        for one in compared["misheard"]:
            _, heard = found.setdefault(one["key"], (one["wrong"], {}))
            heard |= {row["model"]: row for row in one["heard"]}
    worst = sorted(found, key=lambda key: (-found[key][0], key))
    pages: list[Page] = []
    test: Any = rows_in(data["splits"], "test").set_index("key", drop=False)
    for row in test.loc[worst].itertuples():
        if row.samples > LONGEST * RATE or len(pages) == PAGES:
            continue
        name, understood = f"misheard {len(pages) + 1}", list(found[row.key][1].values())
        pages.append(
            Page(
                name,
                f"Misheard: {row.text}",
                f"Speaker {row.speaker}; {len(row.text.split())} words; the transcripts have "
                f"{min(one['wrong words'] for one in understood)} to "
                f"{max(one['wrong words'] for one in understood)} word errors.",
                [
                    _utterance("What the models hear", name, row, data["audio"]),
                    Section("What they understand, with the language model", table=understood),
                ],
            )
        )
    return pages


def _utterance(
    heading: str, name: str, row: Any, stored: Arrays, cepstra: Arrays | None = None
) -> Section:
    """Show an utterance; ``cepstra`` begin with its own."""
    audio = audio_of(stored["sample"], row)
    spectra = spectrogram(audio)
    drawn = [
        _wave_chart(name, audio),
        _heat_chart(name, "Spectrogram", spectra, "frequency (kHz)", RATE / 2000),
    ]
    if cepstra is not None:
        values = np.asarray(cepstra["mfcc"][: len(spectra)])
        drawn.append(_heat_chart(name, "Cepstra", values, "coefficient", values.shape[1]))
    caption = f"{row.text} ({row.key}, speaker {row.speaker})"
    return Section(
        heading, pictures=drawn, sounds=[Sound(name, speech_pictures.sound(audio), caption)]
    )


def _wave_chart(name: str, audio: NDArray[np.int16]) -> Chart:
    each = max(1, -(-len(audio) // COLUMNS))
    parts = np.array_split(audio / 32768, max(1, len(audio) // each))
    ends = np.array([(part.min(), part.max()) for part in parts]).ravel()
    seconds = np.repeat((np.arange(len(parts)) + 0.5) * len(audio) / len(parts) / RATE, 2)
    return Chart(
        f"{name} waveform",
        "Waveform",
        f"{len(audio) / RATE:.1f} s; the loudest sample is {np.abs(ends).max():.2f} of full scale.",
        Axis("time (s)", 0, len(audio) / RATE),
        Axis("amplitude (of full scale)"),
        [Series("", seconds, ends)],
        wide=True,
    )


def _heat_chart(
    name: str, title: str, values: NDArray[np.float32], label: str, top: float
) -> Chart:
    seconds, every = len(values) / 100, max(1, -(-len(values) // COLUMNS))
    low, high = float(values.min()), float(values.max())
    return Chart(
        f"{name} {title}",
        title,
        f"From {low:.3g} (dark) to {high:.3g} (bright), {len(values)} frames of 10 ms.",
        Axis("time (s)", 0, seconds),
        Axis(label, 0, top),
        image=Image(heat(values[::every].T[::-1], low=low, high=high), (0, seconds, 0, top)),
        wide=True,
    )


def losses_chart(compared: JsonDict) -> Chart:
    """Draw the validation losses of a study's trained models."""
    losses: Mapping[str, Sequence[float]] = compared["losses"]
    least = {model: min(values) for model, values in losses.items()}
    best = min(least, key=lambda model: least[model])
    later = [value for values in losses.values() for value in values[1:] or values]
    return Chart(
        f"{compared['study']} losses",
        "Validation loss by epoch",
        f"Least: {best}, {least[best]:.1f} nats.",
        Axis("epoch", whole=True),
        Axis("CTC loss (nats)", 0, 1.1 * max(later)),  # the first losses would hide the rest
        [
            Series(
                model, np.arange(1, len(values) + 1), values, "line" if len(values) > 1 else "dots",
                place % QUIET, dashed=place // QUIET % 2 == 1,
            )
            for place, (model, values) in enumerate(losses.items())
        ],
        wide=True,
    )  # fmt: skip


def report(compared: JsonDict, data: Mapping[str, Any]) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    data
        What `example` reads.
    """
    studies: Mapping[str, JsonDict] = compared["studies"]
    sections = [
        Section(
            "All trained models",
            table=compared["rows"],
            pictures=[
                comparison_chart("error rates", _rates(compared), {}, label=RATES, least=True)
            ],
            notes=compared["notes"],
        ),
        example(data),
        Section(
            "References and transcripts",
            prose=["The first test utterances, by every trained model."],
            table=_transcripts(studies),
        ),
    ]
    if pages := misheard_pages(studies, data):
        prose = ["The test utterances with the most wrong words, to hear and to read."]
        sections.insert(1, Section("Sentences worth a listen", prose=prose, pages=pages))
    for name, study_ in studies.items():
        sections.append(
            Section(
                name.replace("_", " "),
                prose=[study_["question"], standing(study_)],
                table=study_["rows"],
                pictures=[losses_chart(study_)] if study_["rows"] else [],
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
