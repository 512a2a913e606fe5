"""Evaluation on test utterances of unseen speakers and texts; comparisons and report."""

from typing import Any

import dagster as dg

from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals
from assets.speech.inputs import (
    ARCHITECTURE,
    AUDIO,
    MODELS,
    OF_STUDY,
    STUDY,
    TRAINED,
    asset_in,
    split_in,
    utterances_in,
)
from assets.wiring import recorded_metadata
from models.arrays import Arrays
from models.speech import report as reports
from models.speech.decoding import SEARCHES, Setting, transcribe, word_search
from models.speech.evaluation import evaluate_predictions, predictions
from models.speech.studies import STUDIES
from models.speech.training import emissions, utterances_of
from models.types import JsonDict


class EvaluationConfig(Intervals, section="speech/evaluation"):
    """How the intervals are made."""


@dg.asset(
    key=["speech", "transcripts"],
    io_manager_key="tables",
    partitions_def=MODELS,
    ins={
        **ARCHITECTURE,
        "network": asset_in("network"),
        "decoder": asset_in("decoder"),
        "words": asset_in("language_model"),
        **utterances_in("test"),
    },
)
def transcripts(
    architecture: JsonDict,
    network: Any,
    decoder: JsonDict,
    words: dict[str, bytes],
    utterances: dict[str, Any],
    scaled: Arrays,
) -> dg.Output[Any]:
    """Transcripts of every test utterance: greedy, beam, and with language model.

    - `key`, `speaker`, `text`: as in `corpus`; `words`, `characters`: of the text
    - `greedy`, `beam`, `lm`: transcripts; each with `_word_errors` and `_character_errors`
    """
    test = utterances_of(utterances["test"], scaled, architecture)
    setting = Setting(*(decoder[name] for name in ("beam", "weight", "bonus")))
    with word_search(words) as search:
        texts = transcribe(search, setting, emissions(network, architecture, test))
    table = predictions(test.table, texts)
    first: Any = table[["text", *SEARCHES]].head(10).to_dict("records")
    examples = dg.MetadataValue.table([dg.TableRecord(row) for row in first])
    return dg.Output(table, metadata={"references and transcripts": examples})


@dg.asset(
    key=["speech", "evaluation"],
    io_manager_key="json",
    partitions_def=MODELS,
    ins={"transcripts": asset_in("transcripts")},
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    tracking: Tracking,
    transcripts: Any,
) -> dg.Output[JsonDict]:
    """Word and character error rates of a model, with intervals by speaker."""
    name = context.partition_key
    result = evaluate_predictions(transcripts, SEARCHES, **config.model_dump())
    metadata = recorded_metadata(tracking, "speech", name, result)
    return dg.Output(result.to_dict(), metadata={**result.counts, **metadata})


@dg.asset(
    key=["speech", "study_comparison"],
    io_manager_key="json",
    partitions_def=STUDY,
    ins={
        "histories": asset_in("history", partitions=OF_STUDY),
        "evaluations": asset_in("evaluation", partitions=OF_STUDY),
        "transcripts": asset_in("transcripts", partitions=OF_STUDY),
    },
)
def study_comparison(context: dg.AssetExecutionContext, **results: Any) -> dg.Output[JsonDict]:
    """Validation losses and error rates of the trained models of a study, and which are missing."""
    name = context.partition_key
    trained = [model for model in TRAINED if model in STUDIES[name].models]
    study = reports.study_comparison(
        name, {kind: by_model(loaded, trained) for kind, loaded in results.items()}
    )
    drawn = picture(reports.study_picture(study))
    return dg.Output(
        study, metadata={"standing": reports.standing(study), "validation losses": drawn}
    )


def by_model(loaded: Any, trained: list[str]) -> dict[str, Any]:
    """Return results by model: of one model they are loaded as they are, of none as None."""
    if len(trained) > 1:
        return dict(loaded)
    return dict.fromkeys(trained, loaded)


@dg.asset(
    key=["speech", "comparison"],
    io_manager_key="json",
    ins={"studies": asset_in("study_comparison")},
)
def comparison(studies: dict[str, JsonDict]) -> dg.Output[JsonDict]:
    """All trained models, and which are not trained yet."""
    table = reports.comparison(studies)
    drawn = picture(reports.comparison_picture(table))
    return dg.Output(table, metadata={"word error rates": drawn})


@dg.asset(
    key=["speech", "report"],
    io_manager_key="folders",
    ins={
        "compared": asset_in("comparison"),
        **AUDIO,
        "cepstra": split_in("cepstra", splits=["test"]),
    },
)
def report(
    compared: JsonDict, audio: Arrays, splits: Any, cepstra: dict[str, Arrays]
) -> dict[str, bytes]:
    """The report of all trained models, with an utterance to look at and listen to."""
    data = {"audio": audio, "splits": splits, "cepstra": cepstra["test"]}
    return reports.report(compared, data).as_files()
